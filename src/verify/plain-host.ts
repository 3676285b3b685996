/** The host that `verify` runs on, where there is no Node: one thread, and memory for remote images (`#verify-host`). */
import { invalid } from "../arguments.js";
import type { BlockDevice } from "../devices/device.js";
import { withMemoryCopy } from "./memory-copy.js";
import type { Team, ThreadData } from "./team.js";

/** Threads share the tables of all objects, and few pages may share memory: this thread does the work alone. */
export const processors = (): number => 1;

export function startTeam(_helpers: number, _data: ThreadData): Team | undefined {
  return undefined;
}

/** Copies a remote image into memory: what is behind `withCopy` of `node-host.ts`. */
export function withCopy<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (copy: BlockDevice, path: string | undefined, digest?: string) => Promise<T>,
): Promise<T> {
  return withMemoryCopy(device, onProgress, (copy) => use(copy, undefined));
}

export async function expectedOf(against: string): Promise<never> {
  throw invalid(
    `cannot compare with ${against}: there is no git here`,
    "give the ids that the image must have, as commit and tree",
  );
}

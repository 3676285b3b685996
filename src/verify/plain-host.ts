/** The host that `verify` runs on, where there is no Node: one thread, and memory for remote images (`#verify-host`). */
import { invalid } from "../arguments.js";
import type { BlockDevice } from "../devices/device.js";
import { withMemoryCopy } from "./memory-copy.js";
import { withPrivateCopy } from "./private-copy.js";
import type { Team, ThreadData } from "./team.js";

/** Threads share the tables of all objects, and few pages may share memory: this thread does the work alone. */
export const processors = (): number => 1;

export function startTeam(_helpers: number, _data: ThreadData): Team | undefined {
  return undefined;
}

/** Bytes of an image that is copied into memory, even where there are files. */
const MEMORY_LEN = 4 << 20;

/** Copies a remote image into a file of the browser's, or else into memory: what is behind `withCopy` of `node-host.ts`. */
export async function withCopy<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (copy: BlockDevice, path: string | undefined, digest?: string) => Promise<T>,
): Promise<T> {
  const over = (copy: BlockDevice): Promise<T> => use(copy, undefined);
  const done = device.capacity > MEMORY_LEN ? await withPrivateCopy(device, onProgress, over) : undefined;
  return done === undefined ? withMemoryCopy(device, onProgress, over) : done.result;
}

export async function expectedOf(against: string): Promise<never> {
  throw invalid(
    `cannot compare with ${against}: there is no git here`,
    "give the ids that the image must have, as commit and tree",
  );
}

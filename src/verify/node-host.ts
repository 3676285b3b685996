/** The host that `verify` runs on: Node. This is `#verify-host` there (package.json, "imports"). */
import { availableParallelism } from "node:os";
import type { BlockDevice } from "../devices/device.js";
import { FileDevice } from "../devices/file.js";
import { mayWrite } from "../node/temporary-folder.js";
import { startThreads } from "../threads/start.js";
import type { Expected } from "./expected-commit.js";
import { withMemoryCopy } from "./memory-copy.js";
import { withSpooled } from "./spool.js";
import type { Team, ThreadData } from "./team.js";
import { threadUrl, WorkerTeam } from "./threads.js";

/** The number of threads that run at once. */
export const processors: () => number = availableParallelism;

/** Starts threads beside this one; undefined where there can be none. */
export function startTeam(helpers: number, data: ThreadData): Team | undefined {
  return startThreads(threadUrl, () => new WorkerTeam(helpers, data));
}

/**
 * Copies a remote image to where it can be read more than once.
 * @param onProgress told how many bytes have come
 * @param use gets a device over the copy, the path of its file, and the digest of its bytes if the device tells one
 */
export function withCopy<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (copy: BlockDevice, path: string | undefined, digest?: string) => Promise<T>,
): Promise<T> {
  if (!mayWrite()) return withMemoryCopy(device, onProgress, (copy) => use(copy, undefined));
  return withSpooled(device, onProgress, async (path, digest) => {
    const file = new FileDevice(path, device.blockSize);
    try {
      return await use(file, path, digest);
    } finally {
      file.close();
    }
  });
}

/** The commit of a repository on this machine. Few ask for one, and running git takes a good part of this package. */
export async function expectedOf(against: string): Promise<Expected> {
  return (await import("./expected-commit.js")).expectedOf(against);
}

/**
 * Fetches remote images for `verify`: each byte once, in order, into a temporary file. Verifying itself reads every byte
 * more than once, with several threads.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { BlockDevice } from "../devices/device.js";
import { FileSink } from "../node/replace-file.js";
import { temporaryError, withTemporaryFolder } from "../node/temporary-folder.js";
import { readAll } from "./copy.js";

/**
 * Copies a device into a file, calls `use` with its path and the SHA-256 of its bytes, and removes it. The SHA-256 is
 * computed for a device that says which one it should have.
 * @param onProgress told how many bytes have come
 * @throws DocteurError `DeviceFailed`, `Io` if the file cannot be written; the errors of `use`
 */
export async function withSpooled<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (path: string, digest: string | undefined) => Promise<T>,
): Promise<T> {
  const failed = (cause: unknown): never => {
    throw temporaryError(cause);
  };
  return withTemporaryFolder(async (folder) => {
    const path = join(folder, "image");
    const handle = await open(path, "wx").catch(failed);
    const hash = device.digest === undefined ? undefined : createHash("sha256");
    try {
      const sink = new FileSink(handle);
      let room = new Uint8Array(0);
      const roomFor = (_offset: number, length: number): Uint8Array => {
        if (room.length < length) room = new Uint8Array(length);
        return room.subarray(0, length);
      };
      await readAll(device, roomFor, async (piece, end) => {
        hash?.update(piece);
        await sink.append(piece).catch(failed);
        onProgress(end);
      });
      await sink.flush().catch(failed);
    } finally {
      await handle.close();
    }
    return use(path, hash && `sha256:${hash.digest("hex")}`);
  });
}

/**
 * Fetches remote images for `verify`: each byte once, in order, into a temporary file. Verifying itself reads every byte
 * more than once, with several threads.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type BlockDevice, RESULT, readWhenReady } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { FileSink } from "../node/replace-file.js";
import { temporaryError, withTemporaryFolder } from "../node/temporary-folder.js";

/** Bytes that the device is asked for at once. */
const PIECE = 1 << 20;

/** Reads some blocks, after as much waiting as it takes. @throws DocteurError the device's, or `DeviceFailed` */
async function readBlocks(device: BlockDevice, offset: number, target: Uint8Array): Promise<void> {
  if ((await readWhenReady(device, offset, target)) === RESULT.OK) return;
  const { failure } = device;
  if (failure instanceof DocteurError) throw failure;
  throw new DocteurError("DeviceFailed", "the device failed to read", { offset, cause: failure });
}

/**
 * Copies a device into a file, calls `use` with its path, and removes it.
 * @param onProgress told how many bytes have come
 * @throws DocteurError `DeviceFailed`, `Io` if the file cannot be written; the errors of `use`
 */
export async function withSpooled<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const failed = (cause: unknown): never => {
    throw temporaryError(cause);
  };
  return withTemporaryFolder(async (folder) => {
    const path = join(folder, "image");
    const handle = await open(path, "wx").catch(failed);
    try {
      const sink = new FileSink(handle);
      const piece = new Uint8Array(Math.max(PIECE, device.blockSize));
      for (let at = 0; at < device.capacity; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, device.capacity - at));
        await readBlocks(device, at, part);
        await sink.append(part).catch(failed);
        onProgress(at + part.length);
      }
      await sink.flush().catch(failed);
    } finally {
      await handle.close();
    }
    return use(path);
  });
}

/**
 * Copies remote images into the origin private file system, where a browser's worker has one: what `spool.ts` does in
 * Node.
 */
import type { BlockDevice } from "../devices/device.js";
import { type SyncHandle, SyncHandleDevice } from "../devices/sync-handle.js";
import { DocteurError } from "../errors.js";
import { readAll } from "./copy.js";

/** The folder of the copies. */
const FOLDER = "docteur-copies";

/** What is used of a `FileSystemSyncAccessHandle`. */
interface Handle extends SyncHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
}

/** What is used of a `FileSystemDirectoryHandle`, and of the files in it. */
interface Folder {
  keys(): AsyncIterable<string>;
  removeEntry(name: string): Promise<void>;
  getFileHandle(
    name: string,
    options: { create: boolean },
  ): Promise<{ createSyncAccessHandle?(): Promise<Handle> }>;
}

/** A file that is open, in its folder. */
interface Copy {
  handle: Handle;
  remove(): Promise<void>;
}

/** The engine's storage, if it has one that holds so many bytes. */
async function folderFor(length: number): Promise<Folder | undefined> {
  const { storage } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  if (storage?.getDirectory === undefined) return undefined;
  const { quota = 0, usage = 0 } = await storage.estimate();
  if (quota - usage < length) return undefined;
  const root = await storage.getDirectory();
  return (await root.getDirectoryHandle(FOLDER, { create: true })) as unknown as Folder;
}

/** Removes what workers left behind that were ended. The engine does not remove files that are open. */
async function removeOld(folder: Folder): Promise<void> {
  for await (const name of folder.keys()) await folder.removeEntry(name).catch(() => undefined);
}

/** Opens a new file; undefined where that cannot be, such as in a page's own thread or a private window. */
async function createCopy(length: number): Promise<Copy | undefined> {
  try {
    const folder = await folderFor(length);
    if (folder === undefined) return undefined;
    await removeOld(folder);
    const name = crypto.randomUUID();
    const file = await folder.getFileHandle(name, { create: true });
    const remove = (): Promise<void> => folder.removeEntry(name).catch(() => undefined);
    const handle = await file.createSyncAccessHandle?.();
    if (handle !== undefined) return { handle, remove };
    await remove();
    return undefined;
  } catch {
    return undefined;
  }
}

function writeAll(handle: Handle, piece: Uint8Array, at: number): void {
  try {
    if (handle.write(piece, { at }) === piece.length) return;
  } catch (cause) {
    throw new DocteurError("Io", `cannot write a copy of the image: ${(cause as Error).message}`, { cause });
  }
  throw new DocteurError("Io", "cannot write a copy of the image: there is no room for it");
}

/**
 * Copies a device into a file, and calls `use` with a device over it.
 * @param onProgress told how many bytes have come
 * @returns undefined, and does nothing, where there is no such file
 * @throws DocteurError the device's, or `DeviceFailed`; `Io` if the file cannot be written; the errors of `use`
 */
export async function withPrivateCopy<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (copy: BlockDevice) => Promise<T>,
): Promise<{ result: T } | undefined> {
  const copy = await createCopy(device.capacity);
  if (copy === undefined) return undefined;
  const { handle, remove } = copy;
  try {
    let room = new Uint8Array(0);
    const roomFor = (_offset: number, length: number): Uint8Array => {
      if (room.length < length) room = new Uint8Array(length);
      return room.subarray(0, length);
    };
    await readAll(device, roomFor, (piece, end) => {
      writeAll(handle, piece, end - piece.length);
      onProgress(end);
    });
    return { result: await use(new SyncHandleDevice(handle, device.blockSize)) };
  } finally {
    handle.close();
    await remove();
  }
}

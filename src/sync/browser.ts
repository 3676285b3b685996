/**
 * `docteur/sync` where there is no Node: images read synchronously, in a worker. What answers at once is opened as it is;
 * what does not is served by another thread.
 */
import { checkOptions, invalid, isBytes, shown } from "../arguments.js";
import { compileCoreSync } from "../core/compile-core.js";
import { mountSync } from "../core/mount.js";
import type { BlockDevice } from "../devices/device.js";
import { MemoryDevice } from "../devices/memory.js";
import { type ImageSource, toDevice } from "../devices/open.js";
import type { DeviceOptions } from "../devices/options.js";
import { DeviceServer, SharedClient, type SharedDevice } from "../devices/shared.js";
import { inSectors } from "../devices/split.js";
import { type SyncHandle, SyncHandleDevice } from "../devices/sync-handle.js";
import { LIST_MEMORY, OPEN, type OpenOptions } from "../opening.js";
import { readCommitSync } from "../volume/commit.js";
import { VolumeSync } from "./volume.js";

export type { SharedDevice } from "../devices/shared.js";
export { VolumeSync } from "./volume.js";

/** What can be opened synchronously. */
export type SyncSource =
  | Uint8Array
  | ArrayBuffer
  | SharedArrayBuffer
  /** A `FileSystemSyncAccessHandle`, in a worker. */
  | SyncHandle
  /** What `share` gives in another thread. */
  | SharedDevice
  /** A device that never answers AGAIN. */
  | BlockDevice;

/** How an image is opened. */
export type SyncOptions = Omit<OpenOptions, "signal">;

/** A device that other threads can open, one of them at a time. */
export interface SharedImage {
  /**
   * For `openSync` in another thread: post it there, with its port among what is transferred:
   * `worker.postMessage({ image }, [image.port])`.
   */
  readonly image: SharedDevice;
  /** Ends the other thread's reads, and closes the device. */
  close(): Promise<void>;
}

/**
 * Opens an image for another thread, which waits for its bytes: this thread must not block meanwhile.
 * @param source what `open` takes
 * @throws DocteurError what `open` throws; `InvalidArgument` where threads share no memory
 */
export async function share(source: ImageSource, options?: DeviceOptions): Promise<SharedImage> {
  const server = new DeviceServer(await toDevice(source, options));
  return { image: server.shared, close: () => server.close() };
}

function isShared(source: object): source is SharedDevice {
  return "memory" in source && "port" in source;
}

/** The device of what answers at once; undefined for anything else. */
export function syncDevice(source: SyncSource, blockSize: number): BlockDevice | undefined {
  if (isBytes(source)) return new MemoryDevice(source, blockSize);
  const kind = Object.prototype.toString.call(source);
  if (kind === "[object ArrayBuffer]" || kind === "[object SharedArrayBuffer]")
    return new MemoryDevice(new Uint8Array(source as ArrayBuffer), blockSize);
  if (typeof source !== "object" || source === null) return undefined;
  if (isShared(source)) return inSectors(new SharedClient(source));
  if ("getSize" in source) return new SyncHandleDevice(source, blockSize);
  return "capacity" in source && "read" in source ? inSectors(source) : undefined;
}

/** Mounts a synchronous device. @param onClose called once, after the device was closed */
export function volumeOver(
  device: BlockDevice,
  { mode = "light", memoryLimit, proof, collisions, commit, module }: SyncOptions,
  onClose: () => void = () => undefined,
): VolumeSync {
  try {
    const core = mountSync(
      device,
      { mode, memoryLimit: memoryLimit ?? 0, proof, collisions, commit },
      module ?? compileCoreSync(),
    );
    return new VolumeSync(core, device, readCommitSync(core), memoryLimit ?? LIST_MEMORY, onClose);
  } catch (error) {
    void device.close?.();
    onClose();
    throw error;
  }
}

/**
 * Opens an image and mounts it, synchronously. In a worker: a page's main thread cannot wait.
 * @throws DocteurError where the source cannot be read or is not a sound image
 * @example // in the page: const { image } = await share(url); worker.postMessage({ image }, [image.port]);
 *   // in the worker: const volume = openSync(image); const readme = volume.text("/README.md");
 */
export function openSync(source: SyncSource, options: SyncOptions = {}): VolumeSync {
  const given = checkOptions("openSync", options, OPEN);
  const { blockSize = 512 } = given;
  const device = syncDevice(source, blockSize);
  if (device !== undefined) return volumeOver(device, given);
  throw invalid(
    `cannot open ${shown(source)} synchronously`,
    "share() opens it in another thread, and gives what openSync takes",
  );
}

/** Opens an image: from a file, from memory, or over a device. */
import { MODE } from "./core.js";
import { DocteurError } from "./errors.js";
import { type Mode, mount, type Source, toDevice } from "./mount.js";
import { Volume } from "./volume.js";

/** Options of `open`. */
export interface OpenOptions {
  /**
   * `light` (the default) walks trees when a path is first asked for, and opens at once; `fast` reads every
   * tree first and then answers from memory; `analyze` trusts the PACK alone: it rebuilds the index, and
   * reads no byte of the IDX.
   */
  mode?: Mode;
  /**
   * Cap of the core's memory in bytes, caches and all: from 2 MiB to 4 GiB less 64 KiB. By default the caches
   * keep to 32 MiB, and only what cannot do with that (a delta and its base that are larger; the index in
   * `fast` and `analyze`) takes more, up to 1 GiB.
   */
  memoryLimit?: number;
  /** Bytes of a block, where the source is no device: a power of two, at least 512, which is the default. */
  blockSize?: number;
  /** A compiled core, for runtimes that cannot load it from beside this package. */
  module?: WebAssembly.Module;
}

const MEMORY_MIN = 2 << 20;
const MEMORY_MAX = 0xffff0000;
const BLOCK_SIZE = 512;

function checkMemoryLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= MEMORY_MIN && limit <= MEMORY_MAX) return;
  const message = `the memory limit must be between ${MEMORY_MIN} and ${MEMORY_MAX} bytes`;
  throw new DocteurError("InvalidArgument", message);
}

/**
 * Opens an image and mounts it.
 * @param source a path or a `file:` URL (Node), the image's bytes, or a block device, which the volume then
 *   owns
 * @throws DocteurError where the source cannot be read or is not a sound image
 * @example const volume = await open("disk.img"); const readme = await volume.get("/README.md"); await
 *   volume.close();
 */
export async function open(source: Source, options: OpenOptions = {}): Promise<Volume> {
  const { mode = "light", memoryLimit, blockSize = BLOCK_SIZE, module } = options;
  if (!Object.hasOwn(MODE, mode)) throw new DocteurError("InvalidArgument", `no such mount mode: ${mode}`);
  if (memoryLimit !== undefined) checkMemoryLimit(memoryLimit);
  const device = await toDevice(source, blockSize);
  try {
    return new Volume(await mount(device, mode, memoryLimit ?? 0, module), device);
  } catch (error) {
    await device.close?.();
    throw error;
  }
}

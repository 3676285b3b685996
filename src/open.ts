/** Opens an image: from a file, from memory, or over a device. */
import { Core, MODE } from "./core.js";
import type { BlockDevice } from "./devices/device.js";
import { MemoryDevice } from "./devices/memory.js";
import { DocteurError } from "./errors.js";
import { Volume } from "./volume.js";
import { compileCore } from "./wasm.js";

/** How an image is mounted. */
export type Mode = keyof typeof MODE;

/** Options of `open`. */
export interface OpenOptions {
  /**
   * `light` (the default) walks trees when a path is first asked for, and opens at once; `fast` reads every tree first and then
   * answers from memory; `analyze` trusts the PACK alone: it rebuilds the index, and reads no byte of the IDX.
   */
  mode?: Mode;
  /** Cap of the core's memory in bytes, caches and all: from 2 MiB to 4 GiB less 64 KiB; 32 MiB by default. */
  memoryLimit?: number;
  /** Bytes of a sector, where the source is no device: a power of two, at least 512, which is the default. */
  blockSize?: number;
  /** A compiled core, for runtimes that cannot load it from beside this package. */
  module?: WebAssembly.Module;
}

const MEMORY_MIN = 2 << 20;
const MEMORY_MAX = 0xffff0000;
const SECTOR = 512;

/** A source of a size that no whole number of sectors makes has lost its end. */
function checkLength(length: number, blockSize: number, path?: string): void {
  if (length >= blockSize && length % blockSize === 0) return;
  throw new DocteurError(
    "Truncated",
    `${path ?? "the image"} is ${length} bytes long, which is no whole number of ${blockSize}-byte blocks`,
    { path, offset: length, hint: "the image was cut short, or it is not a docteur image" },
  );
}

async function openFile(path: string, blockSize: number): Promise<BlockDevice> {
  const [{ FileDevice }, { stat }] = await Promise.all([
    import("./devices/file.js"),
    import("node:fs/promises"),
  ]);
  // A file is measured before it becomes a device, which calls a size that is not its host's a bad argument: here it is damage.
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) checkLength(info.size, blockSize, path);
  return new FileDevice(path, blockSize);
}

function toDevice(
  source: string | URL | Uint8Array | ArrayBuffer | BlockDevice,
  blockSize: number,
): Promise<BlockDevice> | BlockDevice {
  if (typeof source === "string") return openFile(source, blockSize);
  if (source instanceof URL) {
    if (source.protocol !== "file:")
      throw new DocteurError("InvalidArgument", `cannot open ${source.href}: only file: URLs are supported`);
    return import("node:url").then(({ fileURLToPath }) => openFile(fileURLToPath(source), blockSize));
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    checkLength(bytes.length, blockSize);
    return new MemoryDevice(bytes, blockSize);
  }
  return source;
}

/**
 * Opens an image and mounts it.
 * @param source a path or a `file:` URL (Node), the image's bytes, or a block device, which the volume then owns
 * @throws DocteurError where the source cannot be read or is not a sound image
 * @example
 * const volume = await open("disk.img");
 * const readme = await volume.get("/README.md");
 * await volume.close();
 */
export async function open(
  source: string | URL | Uint8Array | ArrayBuffer | BlockDevice,
  options: OpenOptions = {},
): Promise<Volume> {
  const { mode = "light", memoryLimit = 0, blockSize = SECTOR } = options;
  if (!Object.hasOwn(MODE, mode)) throw new DocteurError("InvalidArgument", `no such mount mode: ${mode}`);
  if (
    memoryLimit !== 0 &&
    !(Number.isSafeInteger(memoryLimit) && memoryLimit >= MEMORY_MIN && memoryLimit <= MEMORY_MAX)
  )
    throw new DocteurError(
      "InvalidArgument",
      `the memory limit must be between ${MEMORY_MIN} and ${MEMORY_MAX} bytes`,
    );
  const device = await toDevice(source, blockSize);
  try {
    const core = new Core(options.module ?? (await compileCore()), device);
    const { exports } = core;
    const { capacity, blockSize: deviceBlock } = device;
    core.run(() => exports.mountBegin(0n, BigInt(capacity), BigInt(deviceBlock), MODE[mode], memoryLimit));
    await core.run(() => exports.mount());
    return new Volume(core, device);
  } catch (error) {
    await device.close?.();
    throw error;
  }
}

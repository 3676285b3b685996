/** The block device that stands for an image, whatever the image is given as. */
import { DocteurError } from "../errors.js";
import { type BlockDevice, isBlockSize } from "./device.js";
import { MemoryDevice } from "./memory.js";

/** What an image can be opened from: a path or a `file:` URL (Node), its bytes, or a block device. */
export type ImageSource = string | URL | Uint8Array | ArrayBuffer | BlockDevice;

/** A source of a size that no whole number of blocks makes has lost its end. */
function checkLength(length: number, blockSize: number, path?: string): void {
  if (length >= blockSize && length % blockSize === 0) return;
  const what = path ?? "the image";
  throw new DocteurError(
    "Truncated",
    `${what} is ${length} bytes long, which is no whole number of ${blockSize}-byte blocks`,
    { path, offset: length, hint: "the image was cut short, or it is not a docteur image" },
  );
}

async function openFile(file: string | URL, blockSize: number): Promise<BlockDevice> {
  const { FileDevice, fileSize, fileURLToPath } = await import("./node-files.js");
  const path = typeof file === "string" ? file : fileURLToPath(file);
  // A device calls a size that its blocks do not divide a bad argument of its host's: of an image it is
  // damage.
  const size = await fileSize(path);
  if (size !== undefined) checkLength(size, blockSize, path);
  return new FileDevice(path, blockSize);
}

/**
 * The device that stands for a source.
 * @param blockSize bytes, where the source is no device
 */
export async function toDevice(source: ImageSource, blockSize: number): Promise<BlockDevice> {
  if (!isBlockSize(blockSize))
    throw new DocteurError("InvalidArgument", `not a block size: ${blockSize}: a power of two, at least 512`);
  if (typeof source === "string") return openFile(source, blockSize);
  if (source instanceof URL) {
    if (source.protocol !== "file:")
      throw new DocteurError("InvalidArgument", `cannot open ${source.href}: only file: URLs are supported`);
    return openFile(source, blockSize);
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    checkLength(bytes.length, blockSize);
    return new MemoryDevice(bytes, blockSize);
  }
  return source;
}

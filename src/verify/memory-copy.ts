/** Copies remote images into memory, where there are no temporary files. */
import type { BlockDevice } from "../devices/device.js";
import { MemoryDevice } from "../devices/memory.js";
import { DocteurError } from "../errors.js";
import { readAll } from "./copy.js";

function memoryFor(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `there is no memory for a copy of the image, which takes ${length} bytes`;
    throw new DocteurError("OutOfMemory", message, { cause });
  }
}

/**
 * Copies a device, and calls `use` with one over the copy.
 * @param onProgress told how many bytes have come
 * @throws DocteurError the device's, or `DeviceFailed`; `OutOfMemory`; the errors of `use`
 */
export async function withMemoryCopy<T>(
  device: BlockDevice,
  onProgress: (done: number) => void,
  use: (copy: BlockDevice) => Promise<T>,
): Promise<T> {
  const bytes = memoryFor(device.capacity);
  const roomFor = (offset: number, length: number): Uint8Array => bytes.subarray(offset, offset + length);
  await readAll(device, roomFor, (_piece, end) => onProgress(end));
  return use(new MemoryDevice(bytes, device.blockSize));
}

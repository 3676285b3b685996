/** A block device whose bytes are in memory. */
import { invalid, isBytes, shown } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { type BlockDevice, isBlockSize, isValidRange, RESULT, type ReadResult } from "./device.js";

/** Serves an image that the caller holds; the bytes are neither copied nor changed. */
export class MemoryDevice implements BlockDevice {
  readonly blockSize: number;
  readonly capacity: number;
  readonly #bytes: Uint8Array;

  /**
   * @param bytes the image: one block at least, whole blocks
   * @param blockSize bytes; a power of two, at least 512
   * @throws DocteurError `InvalidArgument`
   */
  constructor(bytes: Uint8Array, blockSize = 512) {
    if (!isBytes(bytes)) throw invalid(`a MemoryDevice is made of a Uint8Array, not ${shown(bytes)}`);
    checkGeometry("image", bytes.length, blockSize);
    this.#bytes = bytes;
    this.blockSize = blockSize;
    this.capacity = bytes.length;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    target.set(this.#bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }
}

/**
 * Checks the size of what stands behind a device by Solo5's rules.
 * @param what names it in the error
 * @param size bytes
 * @param blockSize bytes
 * @throws DocteurError `InvalidArgument`
 */
export function checkGeometry(what: string, size: number, blockSize: number): void {
  if (!isBlockSize(blockSize))
    throw new DocteurError(
      "InvalidArgument",
      `Block size ${shown(blockSize)} is not a power of two, at least 512`,
    );
  if (size < blockSize)
    throw new DocteurError(
      "InvalidArgument",
      `${what}: Backing storage must be at least 1 block (${blockSize} bytes) in size`,
    );
  if (size % blockSize !== 0)
    throw new DocteurError(
      "InvalidArgument",
      `${what}: Backing storage size must be block aligned (${blockSize} bytes)`,
    );
}

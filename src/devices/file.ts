/** A block device backed by a file, or by a block device of the host's. For Node. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../errors.js";
import { type BlockDevice, isValidRange, RESULT, type ReadResult } from "./device.js";
import { checkGeometry } from "./memory.js";

/** What the system says of a failed call, without the call: `no such file or directory`. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return /^[A-Z0-9]+: (.*?)(?:, [a-z]+(?: '.*')?)?$/s.exec(message)?.[1] ?? message;
}

/**
 * Bytes of a file, found by reading: the size of a block device is not in its `stat`.
 * @param fd open for reading
 * @throws what reading throws
 */
export function probeSize(fd: number): number {
  const byte = new Uint8Array(1);
  const holds = (offset: number): boolean => readSync(fd, byte, 0, 1, offset) === 1;
  let low = 0;
  let high = 1;
  while (high < 2 ** 52 && holds(high - 1)) {
    low = high;
    high *= 2;
  }
  // Byte `high - 1` is not there. From here on the size is at least `low` and at most `high`.
  high -= 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Opens without blocking on a FIFO that no one writes, and says how large a regular file or block device is. */
function openImage(path: string): { fd: number; size: number } {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const message = `Could not open block device: ${path}: ${reasonOf(cause)}`;
    throw new DocteurError("Io", message, { path, cause });
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isFile()) return { fd, size: stat.size };
    if (stat.isBlockDevice()) return { fd, size: probeSize(fd) };
    const kind = stat.isDirectory() ? "is a directory" : "is neither a regular file nor a block device";
    const hint = stat.isDirectory() ? { hint: "docteur make makes an image of a directory" } : {};
    throw new DocteurError("Io", `Could not open block device: ${path}: ${kind}`, { path, ...hint });
  } catch (cause) {
    closeSync(fd);
    if (cause instanceof DocteurError) throw cause;
    const message = `${path}: Could not determine capacity: ${reasonOf(cause)}`;
    throw new DocteurError("Io", message, { path, cause });
  }
}

/** Serves the sectors of a file with positioned reads. The file is opened read-only, and nothing of it is kept. */
export class FileDevice implements BlockDevice {
  readonly path: string;
  readonly blockSize: number;
  readonly capacity: number;
  #fd: number;
  #failure: unknown;

  /**
   * @param path a regular file or a block device, of one block at least and of whole blocks
   * @param blockSize bytes; a power of two, at least 512
   * @throws DocteurError `Io` where it cannot be opened, `InvalidArgument` where its size or the block size is refused
   */
  constructor(path: string, blockSize = 512) {
    const { fd, size } = openImage(path);
    try {
      checkGeometry(path, size, blockSize);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fd = fd;
    this.path = path;
    this.blockSize = blockSize;
    this.capacity = size;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    try {
      for (let done = 0; done < target.length; ) {
        const count = readSync(this.#fd, target, done, target.length - done, offset + done);
        if (count === 0)
          throw new DocteurError("Io", `${this.path}: file became shorter`, { path: this.path });
        done += count;
      }
      return RESULT.OK;
    } catch (error) {
      this.#failure = error;
      return RESULT.EUNSPEC;
    }
  }

  /** Why the last read that failed did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Closes the file; reads fail from now on. Closing again does nothing. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

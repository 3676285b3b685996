/** Files of the origin private file system, in workers: a device that answers at once. */
import { DocteurError } from "../errors.js";
import { type BlockDevice, isValidRange, RESULT, type ReadResult } from "./device.js";
import { checkGeometry } from "./memory.js";

/** What is used of a `FileSystemSyncAccessHandle`. */
export interface SyncHandle {
  getSize(): number;
  read(buffer: Uint8Array, options: { at: number }): number;
  close(): void;
}

/** Serves the sectors of a file. The handle is closed with the device. */
export class SyncHandleDevice implements BlockDevice {
  readonly blockSize: number;
  readonly capacity: number;
  readonly #handle: SyncHandle;
  #failure: unknown;

  /**
   * @param handle of a file of whole blocks
   * @throws DocteurError `InvalidArgument`
   */
  constructor(handle: SyncHandle, blockSize = 512) {
    const size = handle.getSize();
    checkGeometry("the file", size, blockSize);
    this.#handle = handle;
    this.blockSize = blockSize;
    this.capacity = size;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    try {
      for (let done = 0; done < target.length; ) {
        const count = this.#handle.read(target.subarray(done), { at: offset + done });
        if (!(count > 0)) throw new DocteurError("Io", "the file became shorter");
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

  /** Closes the handle. Closing again does nothing, as handles have it. */
  close(): void {
    this.#handle.close();
  }
}

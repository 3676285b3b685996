/** What a block device is to this library: sector reads, hvt style, which may answer "not yet", virtio style. */

import { DocteurError } from "../errors.js";
import type { RemoteStats } from "./remote/statistics.js";

/** Results of a read, Solo5's `solo5_result_t`. */
export const RESULT = { OK: 0, AGAIN: 1, EINVAL: 2, EUNSPEC: 3 } as const;

/** One of `RESULT`. */
export type ReadResult = (typeof RESULT)[keyof typeof RESULT];

/** A read-only block device. Implementations: `devices/memory`, `devices/file`, `devices/remote`. */
export interface BlockDevice {
  /** Bytes; a power of two, at least 512. Offsets and lengths of reads are multiples of it. */
  readonly blockSize: number;
  /** Bytes; a multiple of `blockSize`, at least one block. */
  readonly capacity: number;
  /**
   * Reads whole blocks, all of them or none. Must not throw. Several reads may have been answered with AGAIN at a
   * time, of several operations. The device is not told when nobody wants a range any more.
   * @param offset bytes from the device's start, a multiple of `blockSize`
   * @param target filled whole; its length is a positive multiple of `blockSize`. It is a view on memory that
   *   may move: keep no reference to it after the call
   * @returns OK; AGAIN where the bytes have been asked for and are not here yet: a later call for the same range
   *   finds them, or is answered with EUNSPEC; EINVAL where the range is not the device's; EUNSPEC where the device
   *   failed
   */
  read(offset: number, target: Uint8Array): ReadResult;
  /**
   * Waits for news: any range that a read has asked for, before this call or since, has arrived or has failed. It
   * resolves at once where there are news that no call has told yet, or where nothing is on its way. Whoever waits
   * then asks again for all that it needs, and waits again if something is still missing: one wait serves all
   * operations. There is one at a time.
   *
   * It rejects only where the device can answer nothing any more: all operations that wait then fail. A range that
   * has failed is news, and its next read is answered with EUNSPEC.
   */
  ready?(): Promise<void>;
  /** The digest that all bytes together should have: see `RangeSource`. */
  readonly digest?: string | undefined;
  /** Why the last read answered EUNSPEC, where that is known. */
  readonly failure?: unknown;
  /** What a remote device has done since it was opened. */
  stats?(): RemoteStats | undefined;
  /** Releases what the device holds. */
  close?(): void | Promise<void>;
}

/** Whether `size` can be a device's block size (Solo5's rule). */
export function isBlockSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 512 && (size & (size - 1)) === 0 && size <= 0x40000000;
}

/** Checks a read's range as the contract of `BlockDevice.read` has it. */
export function isValidRange(device: BlockDevice, offset: number, length: number): boolean {
  const { blockSize, capacity } = device;
  return (
    length > 0 &&
    offset >= 0 &&
    offset % blockSize === 0 &&
    length % blockSize === 0 &&
    offset + length <= capacity
  );
}

/**
 * Reads whole blocks, after as much waiting as it takes.
 * @returns as `BlockDevice.read`, never AGAIN
 * @throws DocteurError `DeviceFailed` for a device that answers AGAIN and cannot be waited for; what `ready` rejects with
 */
export async function readWhenReady(
  device: BlockDevice,
  offset: number,
  target: Uint8Array,
): Promise<ReadResult> {
  for (;;) {
    const result = device.read(offset, target);
    if (result !== RESULT.AGAIN) return result;
    if (device.ready === undefined)
      throw new DocteurError("DeviceFailed", "the device answers AGAIN and has no `ready`");
    await device.ready();
  }
}

/** Devices of large blocks, served in small sectors: a reader's memory need not hold a whole block. */
import { type BlockDevice, isBlockSize, isValidRange, RESULT, type ReadResult } from "./device.js";
import type { RemoteStats } from "./remote/statistics.js";

/** Bytes of a sector that readers are served at the most: what the core's sector cache takes as one line. */
export const SECTOR_MAX = 4096;
/** Devices with larger blocks are split: reads are no longer than this, so that they span two blocks at most. */
const BLOCK_MAX = 0x10000;
/** Bytes of blocks that are kept, and how many are kept in any case. */
const KEPT_BYTES = 16 << 20;
const KEPT_MIN = 2;

/** Reads whole blocks of another device, keeps the last few of them, and serves sectors. */
export class SplitDevice implements BlockDevice {
  readonly blockSize = SECTOR_MAX;
  readonly capacity: number;
  readonly digest: string | undefined;
  readonly #device: BlockDevice;
  readonly #kept: number;
  /** Blocks by their numbers, the one that was asked for last at the end. */
  readonly #blocks = new Map<number, Uint8Array>();

  /** @param device of blocks larger than `SECTOR_MAX`; it is closed with this one */
  constructor(device: BlockDevice) {
    this.#device = device;
    this.capacity = device.capacity;
    this.digest = device.digest;
    this.#kept = Math.max(KEPT_MIN, Math.floor(KEPT_BYTES / device.blockSize));
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    const { blockSize } = this.#device;
    const first = Math.floor(offset / blockSize);
    const last = Math.floor((offset + target.length - 1) / blockSize);
    const blocks: Uint8Array[] = [];
    let result: ReadResult = RESULT.OK;
    for (let number = first; number <= last; number++) {
      const block = this.#block(number);
      if (typeof block !== "number") blocks.push(block);
      // Blocks behind one that is not here yet are asked for in the same round trip.
      else if (block !== RESULT.AGAIN) return block;
      else result = block;
    }
    if (result !== RESULT.OK) return result;
    for (const [index, block] of blocks.entries()) {
      const start = (first + index) * blockSize;
      const from = Math.max(offset, start);
      const end = Math.min(offset + target.length, start + blockSize);
      target.set(block.subarray(from - start, end - start), from - offset);
    }
    return RESULT.OK;
  }

  /** A block, kept or read; or why it cannot be had. */
  #block(number: number): Uint8Array | ReadResult {
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = new Uint8Array(this.#device.blockSize);
      const result = this.#device.read(number * block.length, block);
      if (result !== RESULT.OK) return result;
    }
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > this.#kept) this.#blocks.delete(oldest!);
    return block;
  }

  /** Resolves when the device may have answers to what it answered AGAIN. */
  async ready(): Promise<void> {
    if (this.#device.ready === undefined) throw new Error("the device answers AGAIN and has no `ready`");
    await this.#device.ready();
  }

  get failure(): unknown {
    return this.#device.failure;
  }

  stats(): RemoteStats | undefined {
    return this.#device.stats?.();
  }

  close(): void | Promise<void> {
    this.#blocks.clear();
    return this.#device.close?.();
  }
}

/** The device itself, or, where its blocks are large, the same bytes in small sectors. */
export function inSectors(device: BlockDevice): BlockDevice {
  const { blockSize, capacity } = device;
  const isLarge = blockSize > BLOCK_MAX && isBlockSize(blockSize) && capacity % blockSize === 0;
  return isLarge ? new SplitDevice(device) : device;
}

/**
 * A device whose answers come late and in any order, and which may fail now and then: all that the contract of
 * `BlockDevice` allows.
 */
import { type BlockDevice, RESULT, type ReadResult } from "../../src/index.js";
import { type Random, seeded } from "./random.js";

const BLOCK = 512;

/** How disorderly the device is. */
export interface Disorder {
  seed: number;
  /** What has been handed out is forgotten, as by a device without a cache. */
  forgets?: boolean;
  /** Of how many blocks that are asked for one fails, once; 0 for none. */
  failures?: number;
}

/** Serves bytes in memory. */
export class DisorderDevice implements BlockDevice {
  readonly blockSize = BLOCK;
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  readonly #random: Random;
  readonly #forgets: boolean;
  #failures: number;
  readonly #asked = new Set<number>();
  readonly #here = new Set<number>();
  readonly #failed = new Set<number>();
  #waiting: (() => void)[] = [];
  #hasNews = false;
  #isDelivering = false;
  failure: unknown;
  /** Blocks that were asked for: a block counts each time that it had to be fetched. */
  fetched = 0;
  /** How often the device was waited for. */
  waits = 0;
  /** How many reads have failed. */
  failedReads = 0;

  constructor(bytes: Uint8Array, { seed, forgets = false, failures = 0 }: Disorder) {
    this.#bytes = bytes;
    this.capacity = bytes.length;
    this.#random = seeded(seed);
    this.#forgets = forgets;
    this.#failures = failures;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (offset % BLOCK !== 0 || target.length % BLOCK !== 0 || offset + target.length > this.capacity)
      return RESULT.EINVAL;
    const blocks: number[] = [];
    for (let block = offset / BLOCK; block < (offset + target.length) / BLOCK; block++) blocks.push(block);
    const failed = blocks.filter((block) => this.#failed.delete(block));
    if (failed.length > 0) {
      this.failedReads++;
      this.failure = new Error(`block ${failed[0]} failed`);
      return RESULT.EUNSPEC;
    }
    const missing = blocks.filter((block) => !this.#here.has(block));
    if (missing.length > 0) {
      for (const block of missing) this.#ask(block);
      return RESULT.AGAIN;
    }
    if (this.#forgets) for (const block of blocks) this.#here.delete(block);
    target.set(this.#bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }

  #ask(block: number): void {
    if (this.#asked.has(block)) return;
    this.#asked.add(block);
    this.fetched++;
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    setImmediate(() => this.#deliver());
  }

  /** What is asked for from now on does not fail. */
  heal(): void {
    this.#failures = 0;
  }

  /** Some of what was asked for arrives or fails. */
  #deliver(): void {
    const asked = [...this.#asked];
    for (let count = 1 + this.#random(asked.length); count > 0; count--) {
      const [block] = asked.splice(this.#random(asked.length), 1);
      this.#asked.delete(block!);
      if (this.#failures > 0 && this.#random(this.#failures) === 0) this.#failed.add(block!);
      else this.#here.add(block!);
    }
    this.#isDelivering = this.#asked.size > 0;
    if (this.#isDelivering) setImmediate(() => this.#deliver());
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#hasNews = waiting.length === 0;
    for (const resolve of waiting) resolve();
  }

  async ready(): Promise<void> {
    this.waits++;
    if (this.#hasNews || !this.#isDelivering) {
      this.#hasNews = false;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

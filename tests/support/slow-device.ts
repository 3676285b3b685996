/** A device as slow as they come: it answers AGAIN to every first read, and completes reads late and out of order. */
import { type BlockDevice, RESULT, type ReadResult } from "../../src/index.js";
import { type Random, seeded } from "./random.js";

/** Serves bytes in memory. What has been completed is handed out once and forgotten, as a device without a cache does. */
export class SlowDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  readonly #random: Random;
  /** Blocks asked for and not here, and those that are here. */
  readonly #asked = new Set<number>();
  readonly #here = new Set<number>();
  /** Round trips: how often the host had to wait. */
  trips = 0;

  constructor(bytes: Uint8Array, seed: number) {
    this.#bytes = bytes;
    this.capacity = bytes.length;
    this.#random = seeded(seed);
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (offset % 512 !== 0 || target.length % 512 !== 0 || offset + target.length > this.capacity)
      return RESULT.EINVAL;
    const blocks: number[] = [];
    for (let block = offset / 512; block < (offset + target.length) / 512; block++) blocks.push(block);
    if (!blocks.every((block) => this.#here.has(block))) {
      for (const block of blocks) if (!this.#here.has(block)) this.#asked.add(block);
      return RESULT.AGAIN;
    }
    for (const block of blocks) this.#here.delete(block);
    target.set(this.#bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }

  /** Some of what was asked for arrives, in any order; one block at least. */
  async ready(): Promise<void> {
    this.trips++;
    const asked = [...this.#asked];
    for (let count = 1 + this.#random(asked.length); count > 0 && asked.length > 0; count--) {
      const [block] = asked.splice(this.#random(asked.length), 1);
      this.#asked.delete(block!);
      this.#here.add(block!);
    }
  }
}

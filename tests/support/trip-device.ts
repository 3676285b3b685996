/** A device that counts round trips: what is asked for together comes together. */
import { type BlockDevice, RESULT, type ReadResult } from "../../src/index.js";

/** Bytes that come together at the least. */
const PAGE = 0x1000;

/** A remote device with a cache: each wait fetches all that has been asked for, unless it is held back. */
export class TripDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  readonly #here = new Set<number>();
  readonly #asked = new Set<number>();
  #wake = (): void => undefined;
  #news = new Promise<void>((resolve) => {
    this.#wake = resolve;
  });
  /** Pages that do not arrive. */
  isHeldBack: (page: number) => boolean = () => false;
  trips = 0;
  /** Reads that found their pages, and their bytes. */
  bytes = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.capacity = bytes.length;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    let result: ReadResult = RESULT.OK;
    for (let page = Math.floor(offset / PAGE); page * PAGE < offset + target.length; page++)
      if (!this.#here.has(page)) {
        this.#asked.add(page);
        result = RESULT.AGAIN;
      }
    if (result !== RESULT.OK) return result;
    this.bytes += target.length;
    target.set(this.#bytes.subarray(offset, offset + target.length));
    return result;
  }

  /** What has been asked for arrives. */
  #arrive(): void {
    const arrived = [...this.#asked].filter((page) => !this.isHeldBack(page));
    for (const page of arrived) {
      this.#asked.delete(page);
      this.#here.add(page);
    }
    if (arrived.length > 0) this.#wake();
  }

  /** Lets everything arrive from now on. */
  letGo(): void {
    this.isHeldBack = () => false;
    this.#arrive();
  }

  async ready(): Promise<void> {
    this.trips++;
    setImmediate(() => this.#arrive());
    await this.#news;
    this.#news = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** One request's pages: neighbours, which are filled in order as their bytes come, over as many tries as it takes. */
import { isBytes, shown } from "../../arguments.js";
import { type RangeSource, TransientError } from "../range-source.js";

/** Neighbouring pages. */
export interface Run {
  first: number;
  count: number;
}

/** What a run is filled by. */
export interface RunParts {
  source: RangeSource;
  pageSize: number;
  /** Memory for a page. */
  obtain(length: number): Uint8Array;
  /** Takes a page that is whole. */
  arrived(page: number, bytes: Uint8Array): void;
  /** Counts bytes that the source gave. */
  count(bytes: number): void;
}

export class PageRun {
  readonly #parts: RunParts;
  /** The first byte behind the run, from the source's start. */
  readonly #end: number;
  /** The next page to fill, and where the run's pages end. */
  #page: number;
  readonly #pageEnd: number;
  /** That page, as far as it has been filled. */
  #bytes: Uint8Array | undefined;
  #filled = 0;

  constructor({ first, count }: Run, parts: RunParts) {
    const { source, pageSize } = parts;
    this.#parts = parts;
    this.#page = first;
    this.#pageEnd = first + count;
    this.#end = Math.min(this.#pageEnd * pageSize, source.size);
  }

  /** Pages that have not arrived. */
  get left(): number[] {
    return Array.from({ length: this.#pageEnd - this.#page }, (_, index) => this.#page + index);
  }

  /** Bytes up to the end of a step: of a page if the source gives bytes as they come, of all otherwise. */
  get step(): number {
    const { source, pageSize } = this.#parts;
    const left = this.#end - this.#page * pageSize;
    return source.readParts === undefined ? left : Math.min(left, pageSize);
  }

  /**
   * Asks the source for the pages that have not arrived.
   * @param signal ends the try: what comes later is dropped
   * @param advance is called after each page but the last
   * @throws TransientError for fewer or more bytes; what the source throws
   */
  async request(signal: AbortSignal, advance: () => void): Promise<void> {
    const { source, pageSize, count } = this.#parts;
    const offset = this.#page * pageSize;
    const length = this.#end - offset;
    let given = 0;
    let isOver = false;
    const take = (bytes: unknown): void => {
      if (!isBytes(bytes)) throw new Error(`the source gave ${shown(bytes)}, not a Uint8Array`);
      if (isOver || signal.aborted) return;
      count(bytes.length);
      given += bytes.length;
      if (given <= length) this.#append(bytes, source.readParts && advance);
    };
    this.#filled = 0;
    try {
      if (source.readParts === undefined) {
        const bytes: unknown = await source.read(offset, length, signal);
        // Of an answer that is too short, nothing is taken.
        if (isBytes(bytes) && bytes.length < length) {
          count(bytes.length);
          given = bytes.length;
        } else take(bytes);
      } else await source.readParts(offset, length, signal, take);
    } finally {
      isOver = true;
    }
    if (given !== length) throw new TransientError(`the source gave ${given} bytes for ${length}`);
    if (!signal.aborted) this.#arrive();
  }

  /** Fills pages. The last one arrives only when the source has ended as it should. */
  #append(bytes: Uint8Array, advance: (() => void) | undefined): void {
    const { pageSize, obtain } = this.#parts;
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(pageSize, this.#end - this.#page * pageSize);
      this.#bytes ??= obtain(length);
      const part = bytes.subarray(at, at + length - this.#filled);
      this.#bytes.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < length || this.#page + 1 === this.#pageEnd) continue;
      this.#arrive();
      advance?.();
    }
  }

  #arrive(): void {
    const page = this.#page++;
    const bytes = this.#bytes!;
    this.#bytes = undefined;
    this.#filled = 0;
    this.#parts.arrived(page, bytes);
  }
}

/**
 * Guesses what is read next. Reads that go on where an earlier one ended are a stream, and the more it has read, the
 * more pages are fetched ahead of it. Several streams may go on at once. Other reads are random, and nothing is fetched
 * for them: neither for reads all over a few pages, nor for small reads far apart that happen to be in order.
 */

/** Streams that are followed at once; the one that rests longest is given up. */
const STREAMS = 16;
/** Pages that a stream has read before anything is fetched: two may be one object that lies across their border. */
const PAGES_MIN = 2;
/** The part of a page that a stream may skip: a reader may have it from somewhere else. */
const GAP = 1 / 8;
/**
 * Bytes that are fetched ahead for each byte that a stream has read, until the most is reached: for large reads, which
 * are parts of one object, and for small ones, which may end with any object.
 */
const GROWTH_LARGE = 4;
const GROWTH_SMALL = 1;
/** Bytes of a large read; of smaller pages, a whole one. */
const LARGE = 0x8000;
/** The part of what is fetched ahead that is asked for at once, so that requests stay large. */
const REFILL = 1 / 4;

interface Stream {
  /** The last read: from a byte to before another. */
  from: number;
  at: number;
  /** Bytes that it has read. */
  read: number;
  /** Pages before this one have been fetched, or asked for. */
  end: number;
}

/** Pages, by number: from the first to before the end. */
export interface PageRange {
  first: number;
  end: number;
}

export class ReadAhead {
  readonly #pageSize: number;
  readonly #pageCount: number;
  readonly #most: number;
  /** The one that was read last at the end. */
  readonly #streams: Stream[] = [];

  /**
   * @param pageSize bytes
   * @param pageCount pages of the whole
   * @param most pages that are fetched ahead of one stream at the most
   */
  constructor(pageSize: number, pageCount: number, most: number) {
    this.#pageSize = pageSize;
    this.#pageCount = pageCount;
    this.#most = most;
  }

  /**
   * Notes a read, from a byte to before another.
   * @returns what to fetch ahead, if anything
   */
  note(offset: number, end: number): PageRange | undefined {
    const gap = this.#pageSize * GAP;
    const index = this.#streams.findIndex(({ from, at }) => offset >= from && offset <= at + gap);
    if (index < 0) {
      if (this.#streams.length === STREAMS) this.#streams.shift();
      this.#streams.push({ from: offset, at: end, read: end - offset, end: 0 });
      return undefined;
    }
    const [stream] = this.#streams.splice(index, 1) as [Stream];
    this.#streams.push(stream);
    if (end <= stream.at) return undefined;
    stream.read += end - Math.max(offset, stream.at);
    stream.from = offset;
    stream.at = end;
    return this.#ahead(stream, end - offset >= Math.min(LARGE, this.#pageSize) ? GROWTH_LARGE : GROWTH_SMALL);
  }

  #ahead(stream: Stream, growth: number): PageRange | undefined {
    const read = stream.read / this.#pageSize;
    if (read < PAGES_MIN) return undefined;
    const pages = Math.min(this.#most, Math.floor(read * growth));
    const next = Math.ceil(stream.at / this.#pageSize);
    const end = Math.min(this.#pageCount, next + pages);
    const first = Math.max(stream.end, next);
    if (first >= end || (end - first < pages * REFILL && end < this.#pageCount)) return undefined;
    stream.end = end;
    return { first, end };
  }
}

/**
 * Guesses what is read next. Reads that go on where an earlier one ended are a stream, and the further it goes,
 * the more pages are fetched ahead of it. Several streams may go on at once. Other reads are random, and nothing
 * is fetched for them.
 */

/** Streams that are followed at once; the one that rests longest is given up. */
const STREAMS = 16;
/** Pages in a row that make a stream: two may be one object that lies across their border. */
const STEPS_MIN = 2;
/** How much further ahead each page of a stream leads, until the most is reached: 4, 16, 64, … pages. */
const GROWTH = 4;

interface Stream {
  /** The last page that was read. */
  at: number;
  /** Pages read in a row, but the first. */
  steps: number;
  /** Pages before this one have been fetched, or asked for. */
  end: number;
}

/** Pages, by number: from the first to before the end. */
export interface PageRange {
  first: number;
  end: number;
}

export class ReadAhead {
  readonly #pageCount: number;
  readonly #most: number;
  /** The one that was read last at the end. */
  readonly #streams: Stream[] = [];

  /**
   * @param pageCount pages of the whole
   * @param most pages that are fetched ahead of one stream at the most
   */
  constructor(pageCount: number, most: number) {
    this.#pageCount = pageCount;
    this.#most = most;
  }

  /**
   * Notes a read of some pages.
   * @returns what to fetch ahead, if anything
   */
  note(first: number, last: number): PageRange | undefined {
    const index = this.#streams.findIndex(({ at }) => first === at || first === at + 1);
    if (index < 0) {
      if (this.#streams.length === STREAMS) this.#streams.shift();
      this.#streams.push({ at: last, steps: 0, end: last + 1 });
      return undefined;
    }
    const [stream] = this.#streams.splice(index, 1) as [Stream];
    this.#streams.push(stream);
    if (last <= stream.at) return undefined;
    stream.at = last;
    stream.steps++;
    return this.#ahead(stream);
  }

  #ahead(stream: Stream): PageRange | undefined {
    if (stream.steps < STEPS_MIN) return undefined;
    const pages = Math.min(this.#most, GROWTH ** (stream.steps - 1));
    const end = Math.min(this.#pageCount, stream.at + 1 + pages);
    const first = Math.max(stream.end, stream.at + 1);
    // Half of the pages at once, so that requests stay large.
    if (first >= end || (end - first < pages / 2 && end < this.#pageCount)) return undefined;
    stream.end = end;
    return { first, end };
  }
}

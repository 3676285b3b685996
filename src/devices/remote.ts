/** A block device over a source of ranges: the one adapter between what is remote, or asynchronous, and the core. */
import { DocteurError } from "../errors.js";
import { type BlockDevice, isValidRange, RESULT, type ReadResult } from "./device.js";
import { checkGeometry } from "./memory.js";
import type { RangeSource } from "./range-source.js";
import { type Clock, systemClock } from "./remote/clock.js";
import { Failures } from "./remote/failures.js";
import { PageCache } from "./remote/page-cache.js";
import { type KeptPages, PageLoader } from "./remote/page-loader.js";
import { ReadAhead } from "./remote/read-ahead.js";
import { PATIENCE } from "./remote/retry.js";
import { noStats, type RemoteStats } from "./remote/statistics.js";

/** How a source is read. */
export interface RemoteOptions {
  /** Bytes of a sector of the device: a power of two, at least 512, which is the default. */
  blockSize?: number | undefined;
  /** Bytes of a page, the least that is asked for: a power of two from 4 KiB to 16 MiB; 64 KiB by default. */
  pageSize?: number | undefined;
  /** Bytes of pages that are kept in memory; 32 MiB by default, and never less than 8 pages. */
  cacheSize?: number | undefined;
  /**
   * Milliseconds after which a request counts as failed, and a second more for every 32 KiB that it asks for; where a
   * source gives bytes as they come, after which the next page of the request must have come. 20,000 by default.
   */
  timeout?: number | undefined;
  /** Further tries of a request that failed and may succeed later; 3 by default. */
  retries?: number | undefined;
  /** Requests at a time; 6 by default. */
  concurrency?: number | undefined;
}

/** What only this library and its tests give. */
export interface RemoteParts {
  kept?: KeptPages | undefined;
  clock?: Clock | undefined;
}

export const PAGE_SIZE = 0x10000;
const CACHE_SIZE = 32 << 20;
const CACHE_PAGES_MIN = 8;
const CONCURRENCY = 6;
/** Bytes that are fetched ahead of a reader at the most, and the part of the cache that they may take. */
const AHEAD_MAX = 8 << 20;
const AHEAD_PART = 4;

/** Serves the sectors of a source. The source is closed with the device. */
export class RemoteDevice implements BlockDevice {
  readonly blockSize: number;
  readonly capacity: number;
  readonly digest: string | undefined;
  readonly #source: RangeSource;
  readonly #pageSize: number;
  readonly #pages: PageCache;
  readonly #ahead: ReadAhead;
  readonly #failures: Failures;
  readonly #loader: PageLoader;
  readonly #kept: KeptPages | undefined;
  readonly #stats = noStats();
  /** Pages that were waited for, and not read since: their next read is no hit. */
  readonly #missed = new Set<number>();
  #waiting: (() => void)[] = [];
  /** Whether something settled while nobody waited. */
  #hasNews = false;
  #isClosed = false;
  /**
   * Whether a reader knows that this device answers AGAIN, and asks ahead. The first read says so, even if its pages are
   * here already.
   */
  #isKnown = false;
  #failure: unknown;

  /**
   * @param source of whole blocks
   * @throws DocteurError `InvalidArgument`
   */
  constructor(source: RangeSource, options: RemoteOptions = {}, parts: RemoteParts = {}) {
    const { blockSize = 512, pageSize = PAGE_SIZE, cacheSize = CACHE_SIZE } = options;
    const { timeout = PATIENCE.timeout, retries = PATIENCE.retries, concurrency = CONCURRENCY } = options;
    const { kept, clock = systemClock } = parts;
    const name = source.name ?? "the source";
    checkGeometry(name, source.size, blockSize);
    this.blockSize = blockSize;
    this.capacity = source.size;
    this.digest = source.digest;
    this.#source = source;
    this.#pageSize = pageSize;
    const cachePages = Math.max(CACHE_PAGES_MIN, Math.floor(cacheSize / pageSize));
    this.#pages = new PageCache(cachePages);
    const aheadPages = Math.max(1, Math.floor(Math.min(AHEAD_MAX / pageSize, cachePages / AHEAD_PART)));
    this.#ahead = new ReadAhead(pageSize, Math.ceil(source.size / pageSize), aheadPages);
    this.#failures = new Failures(clock);
    this.#kept = kept;
    this.#takePrefetched();
    this.#loader = new PageLoader(
      {
        source,
        name,
        pageSize,
        concurrency,
        patience: { timeout, retries },
        clock,
        stats: this.#stats,
        kept,
      },
      {
        obtain: (length) => this.#pages.obtain(length),
        arrived: (page, bytes) => this.#pages.set(page, bytes),
        failed: (page, error, reads) => this.#failures.add(page, error, reads),
        settled: () => this.#wake(),
      },
    );
  }

  /** Counters since the device was opened. */
  stats(): RemoteStats {
    return { ...this.#stats, storeFailures: this.#kept?.failures ?? 0 };
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    if (this.#isClosed) return this.#fail(new DocteurError("Closed", "the device is closed"));
    const pageSize = this.#pageSize;
    const first = Math.floor(offset / pageSize);
    const last = Math.floor((offset + target.length - 1) / pageSize);
    // The pages of one read must be in memory together; the next read's must not push them out at once.
    if (last > first) this.#pages.grow(2 * (last - first + 1));
    const result = this.#gather(first, last);
    if (result === RESULT.EUNSPEC) return result;
    this.#fetchAhead(offset, offset + target.length);
    if (result === RESULT.AGAIN) return result;
    for (let page = first; page <= last; page++) {
      const start = page * pageSize;
      const from = Math.max(offset, start);
      const end = Math.min(offset + target.length, start + pageSize);
      target.set(this.#pages.get(page)!.subarray(from - start, end - start), from - offset);
    }
    return RESULT.OK;
  }

  /** Looks for pages, and asks for those that are not here. */
  #gather(first: number, last: number): ReadResult {
    const missing: number[] = [];
    let failed: { error: unknown } | undefined;
    for (let page = first; page <= last; page++) {
      if (this.#pages.get(page) !== undefined) continue;
      missing.push(page);
      // One answer tells of all failures.
      failed = this.#failures.take(page) ?? failed;
    }
    if (failed !== undefined) return this.#fail(failed.error);
    for (const page of missing)
      if (this.#loader.ask(page)) {
        this.#stats.misses++;
        this.#missed.add(page);
      }
    const isNews = !this.#isKnown;
    this.#isKnown = true;
    if (missing.length > 0 || isNews) return RESULT.AGAIN;
    for (let page = first; page <= last; page++) if (!this.#missed.delete(page)) this.#stats.hits++;
    return RESULT.OK;
  }

  /** Notes a read, from a byte to before another, and asks for what is likely to be read next. */
  #fetchAhead(offset: number, end: number): void {
    const range = this.#ahead.note(offset, end);
    for (let page = range?.first ?? 0; page < (range?.end ?? 0); page++)
      if (!this.#pages.has(page)) this.#loader.askAhead(page);
  }

  #fail(error: unknown): ReadResult {
    this.#failure = error;
    return RESULT.EUNSPEC;
  }

  /** Why the last read that failed did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when something that was asked for has arrived or failed, or when nothing is on its way. */
  async ready(): Promise<void> {
    if (this.#hasNews || !this.#loader.isAwaited) {
      this.#hasNews = false;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#hasNews = waiting.length === 0;
    for (const resolve of waiting) resolve();
  }

  /** Takes what opening the source has read, as far as it holds whole pages. */
  #takePrefetched(): void {
    const { prefetched = [], size } = this.#source;
    for (const { offset, bytes } of prefetched) {
      this.#stats.requests++;
      this.#stats.bytes += bytes.length;
      this.#stats.roundTrips = 1;
      const end = offset + bytes.length;
      for (let page = Math.ceil(offset / this.#pageSize); ; page++) {
        const start = page * this.#pageSize;
        const pageEnd = Math.min(start + this.#pageSize, size);
        if (start >= size || pageEnd > end) break;
        const part = bytes.slice(start - offset, pageEnd - offset);
        this.#pages.set(page, part);
        this.#kept?.put(page, part);
      }
    }
  }

  /**
   * Ends all requests, waits until what has come is in the persistent cache, and closes the source. Reads fail from
   * now on. Closing again does nothing.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#loader.close();
    this.#pages.clear();
    this.#failures.clear();
    this.#wake();
    await this.#kept?.settled();
    await this.#source.close?.();
  }
}

/**
 * Fetches pages of a source: pages that are asked for in one go, and lie beside each other, in one request; no page
 * twice at a time; no more requests at a time than allowed, and those that somebody waits for first.
 */
import { isBytes, shown } from "../../arguments.js";
import { DocteurError } from "../../errors.js";
import { type RangeSource, TransientError } from "../range-source.js";
import type { Clock } from "./clock.js";
import { type Patience, retrying } from "./retry.js";
import type { RemoteStats } from "./statistics.js";

/** Bytes of one request at the most, where a page is not larger. */
const REQUEST_MAX = 1 << 20;

/** Pages that outlive the process. No method rejects. */
export interface KeptPages {
  /** Times that a page could not be kept, or was damaged. */
  readonly failures: number;
  get(page: number): Promise<Uint8Array | undefined>;
  /** Keeps a page, sooner or later. */
  put(page: number, bytes: Uint8Array): void;
  /** Resolves when all that was put is kept, or has failed to be. */
  settled(): Promise<void>;
}

/** Takes what comes. */
export interface PageReceiver {
  arrived(page: number, bytes: Uint8Array): void;
  /** @param reads how many wait for the page; 0 for a page that was only fetched ahead */
  failed(page: number, error: unknown, reads: number): void;
  /** A page that somebody waits for has arrived or failed. */
  settled(): void;
}

/** What a loader works with. */
export interface LoaderParts {
  source: RangeSource;
  /** What errors call the source. */
  name: string;
  pageSize: number;
  /** Requests at a time. */
  concurrency: number;
  patience: Patience;
  clock: Clock;
  stats: RemoteStats;
  kept?: KeptPages | undefined;
}

/** A page that is on its way. */
interface Wanted {
  /** Reads that wait for it, as far as they have asked since anything last settled. */
  reads: number;
  /** When `reads` was counted. */
  round: number;
  /** Whether somebody waits for it, and it is not just fetched ahead. */
  isAsked: boolean;
}

interface Run {
  first: number;
  count: number;
}

export class PageLoader {
  readonly #parts: LoaderParts;
  readonly #receiver: PageReceiver;
  /** Requests that run. Each has a signal of its own: engines warn of a signal that many listen to. */
  readonly #requests = new Set<AbortController>();
  #isClosed = false;
  readonly #runMax: number;
  /** Every page that is on its way. */
  readonly #wanted = new Map<number, Wanted>();
  /** Pages that have been named since the last flush. */
  #named: [page: number, wanted: Wanted][] = [];
  /** Pages that wait for a request: those that somebody waits for, and those fetched ahead. */
  readonly #queue = new Set<number>();
  readonly #aheadQueue = new Set<number>();
  #askedCount = 0;
  #running = 0;
  /** How many times something has settled. */
  #round = 0;
  /** The longest chain of requests that have ended. */
  #depth = 0;

  constructor(parts: LoaderParts, receiver: PageReceiver) {
    this.#parts = parts;
    this.#receiver = receiver;
    this.#runMax = Math.max(1, Math.floor(REQUEST_MAX / parts.pageSize));
    this.#depth = parts.stats.roundTrips;
  }

  /** Whether somebody waits for a page. */
  get isAwaited(): boolean {
    return this.#askedCount > 0;
  }

  /** Asks for a page that is not in memory. @returns whether nobody waited for it before */
  ask(page: number): boolean {
    const wanted = this.#want(page);
    if (wanted.round !== this.#round) wanted.reads = 0;
    wanted.round = this.#round;
    wanted.reads++;
    if (wanted.isAsked) return false;
    wanted.isAsked = true;
    this.#askedCount++;
    if (this.#aheadQueue.delete(page)) this.#queue.add(page);
    return true;
  }

  /** Fetches a page that may be asked for soon. */
  askAhead(page: number): void {
    this.#want(page);
  }

  /** Ends all requests. Nothing arrives any more. */
  close(): void {
    this.#isClosed = true;
    const reason = new DocteurError("Closed", "the device is closed");
    for (const request of this.#requests) request.abort(reason);
    this.#wanted.clear();
    this.#queue.clear();
    this.#aheadQueue.clear();
    this.#named = [];
    this.#askedCount = 0;
  }

  #want(page: number): Wanted {
    const known = this.#wanted.get(page);
    if (known !== undefined) return known;
    const wanted = { reads: 0, round: this.#round, isAsked: false };
    this.#wanted.set(page, wanted);
    // Whatever else is asked for in this turn belongs to the same requests.
    if (this.#named.push([page, wanted]) === 1) queueMicrotask(() => void this.#flush());
    return wanted;
  }

  /** Looks what has been named up in the persistent cache, and leaves the rest to requests. */
  async #flush(): Promise<void> {
    const named = this.#named;
    this.#named = [];
    const { kept } = this.#parts;
    if (kept !== undefined) await Promise.all(named.map(([page]) => this.#lookUp(kept, page)));
    for (const [page, wanted] of named)
      if (this.#wanted.get(page) === wanted) (wanted.isAsked ? this.#queue : this.#aheadQueue).add(page);
    this.#pump();
  }

  async #lookUp(kept: KeptPages, page: number): Promise<void> {
    const bytes = await kept.get(page);
    if (bytes?.length !== this.#lengthOf({ first: page, count: 1 })) return;
    if (this.#isClosed) return;
    this.#parts.stats.storeHits++;
    this.#receiver.arrived(page, bytes);
    this.#settle([page]);
  }

  /** Starts as many requests as may run. */
  #pump(): void {
    for (let run = this.#nextRun(); run !== undefined; run = this.#nextRun()) void this.#fetch(run);
  }

  /** Takes the pages of the next request from the queues. */
  #nextRun(): Run | undefined {
    const { concurrency } = this.#parts;
    if (this.#running >= concurrency) return undefined;
    let [page] = this.#queue;
    // One request stays free for what somebody waits for.
    if (page === undefined && (this.#running < concurrency - 1 || concurrency === 1))
      [page] = this.#aheadQueue;
    if (page === undefined) return undefined;
    const isQueued = (number: number): boolean => this.#queue.has(number) || this.#aheadQueue.has(number);
    let first = page;
    let end = page + 1;
    while (end - first < this.#runMax && isQueued(end)) end++;
    while (end - first < this.#runMax && isQueued(first - 1)) first--;
    for (let number = first; number < end; number++) {
      this.#queue.delete(number);
      this.#aheadQueue.delete(number);
    }
    return { first, count: end - first };
  }

  #lengthOf({ first, count }: Run): number {
    const { source, pageSize } = this.#parts;
    return Math.min(count * pageSize, source.size - first * pageSize);
  }

  async #fetch(run: Run): Promise<void> {
    const { pageSize, stats, kept } = this.#parts;
    const pages = Array.from({ length: run.count }, (_, index) => run.first + index);
    const depth = this.#depth + 1;
    stats.roundTrips = Math.max(stats.roundTrips, depth);
    this.#running++;
    try {
      const bytes = await this.#request(run);
      if (this.#isClosed) return;
      for (const [index, page] of pages.entries()) {
        const part = bytes.slice(index * pageSize, (index + 1) * pageSize);
        this.#receiver.arrived(page, part);
        kept?.put(page, part);
      }
    } catch (error) {
      if (this.#isClosed) return;
      for (const page of pages) {
        const { isAsked = false, reads = 0 } = this.#wanted.get(page) ?? {};
        if (isAsked) this.#receiver.failed(page, error, Math.max(1, reads));
      }
    } finally {
      this.#running--;
      this.#depth = Math.max(this.#depth, depth);
    }
    this.#settle(pages);
    this.#pump();
  }

  async #request(run: Run): Promise<Uint8Array> {
    const { source, name, pageSize, patience, clock, stats } = this.#parts;
    const length = this.#lengthOf(run);
    const controller = new AbortController();
    this.#requests.add(controller);
    const request = retrying({
      name,
      patience,
      length,
      clock,
      signal: controller.signal,
      attempt: async (signal) => {
        stats.requests++;
        const bytes: unknown = await source.read(run.first * pageSize, length, signal);
        if (!isBytes(bytes)) throw new Error(`the source gave ${shown(bytes)}, not a Uint8Array`);
        stats.bytes += bytes.length;
        if (bytes.length === length) return bytes;
        throw new TransientError(`the source gave ${bytes.length} bytes for ${length}`);
      },
      onRetry: () => {
        stats.retries++;
      },
    });
    return request.finally(() => this.#requests.delete(controller));
  }

  /** These pages are not on their way any more. */
  #settle(pages: readonly number[]): void {
    let wasAwaited = false;
    for (const page of pages) {
      if (this.#wanted.get(page)?.isAsked) {
        this.#askedCount--;
        wasAwaited = true;
      }
      this.#wanted.delete(page);
    }
    if (!wasAwaited) return;
    this.#round++;
    this.#receiver.settled();
  }
}

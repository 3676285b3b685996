/**
 * Fetches pages of a source: pages that are asked for in one go, and lie beside each other, in one request; no page
 * twice at a time; no more requests at a time than allowed, and those that somebody waits for first.
 */
import { DocteurError } from "../../errors.js";
import type { RangeSource } from "../range-source.js";
import type { Clock } from "./clock.js";
import { PageRun, type Run } from "./page-run.js";
import { type Patience, retrying } from "./retry.js";
import type { RemoteStats } from "./statistics.js";

/**
 * Bytes of one request at the most, where a page is not larger; and of one that only fetches ahead, from a source that
 * gives bytes as they come.
 */
const REQUEST_MAX = 1 << 20;
const STREAM_MAX = 4 << 20;

/** Pages that outlive the process. No method rejects. */
export interface KeptPages {
  /** Times that a page could not be kept, or was damaged. */
  readonly failures: number;
  get(page: number): Promise<Uint8Array | undefined>;
  /** Keeps a page, sooner or later. The bytes are copied at once. */
  put(page: number, bytes: Uint8Array): void;
  /** Resolves when all that was put is kept, or has failed to be. */
  settled(): Promise<void>;
}

/** Takes what comes. */
export interface PageReceiver {
  /** Memory for a page of so many bytes: what it holds does not matter. */
  obtain(length: number): Uint8Array;
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

export class PageLoader {
  readonly #parts: LoaderParts;
  readonly #receiver: PageReceiver;
  /** Requests that run. Each has a signal of its own: engines warn of a signal that many listen to. */
  readonly #requests = new Set<AbortController>();
  #isClosed = false;
  readonly #runMax: number;
  readonly #streamMax: number;
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
    const { source, pageSize } = parts;
    this.#runMax = Math.max(1, Math.floor(REQUEST_MAX / pageSize));
    this.#streamMax =
      source.readParts === undefined ? this.#runMax : Math.max(1, Math.floor(STREAM_MAX / pageSize));
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
    const { source, pageSize } = this.#parts;
    if (bytes?.length !== Math.min(pageSize, source.size - page * pageSize)) return;
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
    const most = this.#queue.has(page) ? this.#runMax : this.#streamMax;
    let first = page;
    let end = page + 1;
    while (end - first < most && isQueued(end)) end++;
    while (end - first < most && isQueued(first - 1)) first--;
    for (let number = first; number < end; number++) {
      this.#queue.delete(number);
      this.#aheadQueue.delete(number);
    }
    return { first, count: end - first };
  }

  async #fetch(run: Run): Promise<void> {
    const { source, pageSize, stats } = this.#parts;
    const depth = this.#depth + 1;
    stats.roundTrips = Math.max(stats.roundTrips, depth);
    this.#running++;
    const pages = new PageRun(run, {
      source,
      pageSize,
      obtain: (length) => this.#receiver.obtain(length),
      arrived: (page, bytes) => {
        this.#depth = Math.max(this.#depth, depth);
        this.#arrive(page, bytes);
      },
      count: (bytes) => {
        stats.bytes += bytes;
      },
    });
    try {
      await this.#request(pages);
    } catch (error) {
      if (this.#isClosed) return;
      for (const page of pages.left) {
        const { isAsked = false, reads = 0 } = this.#wanted.get(page) ?? {};
        if (isAsked) this.#receiver.failed(page, error, Math.max(1, reads));
      }
    } finally {
      this.#running--;
      this.#depth = Math.max(this.#depth, depth);
    }
    this.#settle(pages.left);
    this.#pump();
  }

  #arrive(page: number, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#receiver.arrived(page, bytes);
    this.#parts.kept?.put(page, bytes);
    this.#settle([page]);
  }

  async #request(pages: PageRun): Promise<void> {
    const { name, patience, clock, stats } = this.#parts;
    const controller = new AbortController();
    this.#requests.add(controller);
    const request = retrying({
      name,
      patience,
      length: pages.step,
      clock,
      signal: controller.signal,
      attempt: async (signal, advance) => {
        stats.requests++;
        await pages.request(signal, advance);
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

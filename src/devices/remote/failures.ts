/**
 * Pages that could not be had, until everybody who waits for them has been told. Later reads ask for them anew.
 */
import type { Clock } from "./clock.js";

/**
 * Milliseconds after which a failure is forgotten that nobody asked about: who waited for the page has given up,
 * and a later read must not be told of it.
 */
const KEPT_MS = 5000;

interface Failure {
  error: unknown;
  /** Reads that are still to be told. */
  left: number;
  /** When it is forgotten. */
  until: number;
}

export class Failures {
  readonly #clock: Clock;
  readonly #failures = new Map<number, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param reads how many wait for the page */
  add(page: number, error: unknown, reads: number): void {
    const now = this.#clock.now();
    for (const [other, { until }] of this.#failures) if (until <= now) this.#failures.delete(other);
    this.#failures.set(page, { error, left: reads, until: now + KEPT_MS });
  }

  /** Tells one read of a page why it failed, if it did. */
  take(page: number): { error: unknown } | undefined {
    const failure = this.#failures.get(page);
    if (failure === undefined) return undefined;
    const isOver = failure.until <= this.#clock.now();
    if (isOver || --failure.left <= 0) this.#failures.delete(page);
    return isOver ? undefined : { error: failure.error };
  }

  clear(): void {
    this.#failures.clear();
  }
}

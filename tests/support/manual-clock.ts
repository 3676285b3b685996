/** A clock that stands until it is told to go on. */
import type { Clock } from "../../src/devices/remote/clock.js";

interface Timer {
  at: number;
  callback: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();
  readonly #isEager: boolean;
  /** Every delay that was asked for, in milliseconds. */
  readonly pauses: number[] = [];

  /** @param options with `isEager`, pauses between tries pass at once; time limits, which are longer, never come */
  constructor({ isEager = false } = {}) {
    this.#isEager = isEager;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  after(delay: number, callback: () => void): () => void {
    this.pauses.push(delay);
    const timer = { at: this.#now + delay, callback };
    this.#timers.add(timer);
    if (this.#isEager && delay < 20_000)
      setImmediate(() => {
        if (this.#timers.delete(timer)) callback();
      });
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that have not been called off. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  /** Lets time pass, timer by timer, until a promise settles. Between them, the event loop turns. */
  async runUntil(promise: Promise<unknown>): Promise<void> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    while (!isSettled) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const first = Math.min(...[...this.#timers].map(({ at }) => at));
      if (Number.isFinite(first)) this.advance(first - this.#now);
    }
    await settled;
  }
}

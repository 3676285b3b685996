/** Lets long work on the main thread yield to other events. */
import { setImmediate } from "node:timers/promises";

/**
 * Yields to timers, signals and input from time to time. Most system calls of the maker are synchronous: on
 * small files these are several times as fast.
 */
export class Breath {
  readonly #signal: AbortSignal | undefined;
  #last = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether `take` would yield: for work so small that even an await counts. */
  isDue(): boolean {
    return performance.now() - this.#last >= 20;
  }

  /**
   * Call it between small pieces of work.
   * @throws the signal's reason
   */
  async take(): Promise<void> {
    if (!this.isDue()) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#last = performance.now();
  }
}

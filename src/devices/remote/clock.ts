/** Time and chance, as far as devices need them. Tests have clocks of their own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /**
   * Calls back once, later.
   * @param delay milliseconds
   * @returns calls it off
   */
  after(delay: number, callback: () => void): () => void;
  /** A number from 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/**
 * Waits.
 * @param delay milliseconds
 * @returns rejects with the signal's reason once it is aborted
 */
export function sleep(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = (): void => {
      callOff();
      reject(signal.reason);
    };
    const callOff = clock.after(delay, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}

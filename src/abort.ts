/** Waits that an `AbortSignal` ends. */

/** @throws the reason of the first signal that has been aborted */
export function throwIfAborted(signals: readonly AbortSignal[]): void {
  for (const signal of signals) if (signal.aborted) throw signal.reason;
}

/**
 * Waits for a promise, or until a signal is aborted.
 * @returns the promise's value; rejects with its error, or with the reason of the signal
 */
export function abortable<T>(promise: PromiseLike<T>, signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      for (const signal of signals) signal.removeEventListener("abort", stop);
    };
    const stop = (): void => {
      clear();
      reject(signals.find(({ aborted }) => aborted)?.reason);
    };
    for (const signal of signals) signal.addEventListener("abort", stop);
    promise.then(
      (value) => {
        clear();
        resolve(value);
      },
      (error: unknown) => {
        clear();
        reject(error);
      },
    );
    if (signals.some(({ aborted }) => aborted)) stop();
  });
}

/** Lets the event loop turn once, so that timers and signals take effect. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

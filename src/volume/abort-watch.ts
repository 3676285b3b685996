/** Listens to signals that many operations share, with one listener for each signal. */

/** Work that a signal can end. */
export interface Abortable {
  readonly signals: readonly AbortSignal[];
  /** Called once one of the signals has been aborted. */
  abort(reason: unknown): void;
}

interface Watched {
  readonly items: Set<Abortable>;
  readonly listener: () => void;
}

export class AbortWatch {
  readonly #watched = new Map<AbortSignal, Watched>();

  add(item: Abortable): void {
    for (const signal of item.signals) (this.#watched.get(signal) ?? this.#watch(signal)).items.add(item);
  }

  delete(item: Abortable): void {
    for (const signal of item.signals) {
      const watched = this.#watched.get(signal);
      watched?.items.delete(item);
      if (watched?.items.size !== 0) continue;
      signal.removeEventListener("abort", watched.listener);
      this.#watched.delete(signal);
    }
  }

  #watch(signal: AbortSignal): Watched {
    const items = new Set<Abortable>();
    const listener = (): void => {
      for (const item of [...items]) item.abort(signal.reason);
    };
    const watched = { items, listener };
    this.#watched.set(signal, watched);
    signal.addEventListener("abort", listener);
    return watched;
  }
}

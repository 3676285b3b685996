/** A bounded map that drops what was not used for longest. */

/** A map whose values have weights. Their sum stays within a bound. */
export class Lru<V> {
  readonly #bound: number;
  readonly #entries = new Map<string, { value: V; weight: number }>();
  #weight = 0;

  /** @param bound the greatest sum of weights; 0 keeps nothing */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** The sum of weights. */
  get weight(): number {
    return this.#weight;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A `Map` keeps the order in which keys were added: the last one is the newest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, unless it alone is beyond the bound. */
  set(key: string, value: V, weight: number): void {
    this.#drop(key);
    if (weight > this.#bound) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#bound) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }
}

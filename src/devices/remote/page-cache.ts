/** Pages that have left the cache, and whose memory serves the next ones. */
const SPARE_MAX = 16;

/** Pages in memory: the ones that were used last, up to a number of them. */
export class PageCache {
  /** By number, the one that was used last at the end. */
  readonly #pages = new Map<number, Uint8Array>();
  #most: number;
  readonly #spare: Uint8Array[] = [];

  /** @param most pages that are kept at the most */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#pages.size;
  }

  /** Makes room for this many pages at least: those that one read needs at once. */
  grow(most: number): void {
    this.#most = Math.max(this.#most, most);
  }

  has(page: number): boolean {
    return this.#pages.has(page);
  }

  /** A page, which counts as used. */
  get(page: number): Uint8Array | undefined {
    const bytes = this.#pages.get(page);
    if (bytes === undefined) return undefined;
    this.#pages.delete(page);
    this.#pages.set(page, bytes);
    return bytes;
  }

  set(page: number, bytes: Uint8Array): void {
    this.#pages.delete(page);
    this.#pages.set(page, bytes);
    for (const [oldest, old] of this.#pages) {
      if (this.#pages.size <= this.#most) break;
      this.#pages.delete(oldest);
      // A part of other memory may be somebody's.
      if (this.#spare.length < SPARE_MAX && old.length === old.buffer.byteLength) this.#spare.push(old);
    }
  }

  /** Memory for a page, with anything in it: that of a page which has left the cache, where there is one of that size. */
  obtain(length: number): Uint8Array {
    const spare = this.#spare.pop();
    return spare?.length === length ? spare : new Uint8Array(length);
  }

  clear(): void {
    this.#pages.clear();
    this.#spare.length = 0;
  }
}

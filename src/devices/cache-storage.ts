/** Pages in the Cache Storage of browsers, which tabs and workers of one origin share. */
import type { PageStore } from "./remote/kept-pages.js";

/** Requests that stand for pages. Nothing is ever sent there. */
const ORIGIN = "https://pages.docteur.invalid/";
/** The part of the size that is left after a removal. */
const KEPT_PART = 0.9;

export class CacheStorageStore implements PageStore {
  readonly #opening: Promise<Cache>;
  readonly #most: number;
  /** URLs of pages that were used since this store was opened. */
  readonly #used = new Set<string>();
  /** Bytes of all pages, as far as is known; undefined before the first look. */
  #size: number | undefined;
  #removing: Promise<void> | undefined;

  /**
   * @param name the cache's, among those of the origin
   * @param most bytes that its pages may take
   */
  constructor(name: string, most: number) {
    this.#opening = caches.open(name);
    // It is told to whoever asks for a page.
    this.#opening.catch(() => undefined);
    this.#most = most;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const url = ORIGIN + key;
    const response = await (await this.#opening).match(url);
    if (response === undefined) return undefined;
    this.#used.add(url);
    return new Uint8Array(await response.arrayBuffer());
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const url = ORIGIN + key;
    const cache = await this.#opening;
    await cache.put(url, new Response(new Uint8Array(bytes)));
    this.#used.add(url);
    this.#size = (this.#size ?? this.#most) + bytes.length;
    if (this.#size <= this.#most) return;
    this.#removing ??= this.#remove(cache).finally(() => {
      this.#removing = undefined;
    });
    await this.#removing;
  }

  async delete(key: string): Promise<void> {
    await (await this.#opening).delete(ORIGIN + key);
  }

  /** Counts what is there, and removes what is too much: first what was not used, the oldest first. */
  async #remove(cache: Cache): Promise<void> {
    const urls = (await cache.keys()).map(({ url }) => url);
    let size = urls.reduce((sum, url) => sum + sizeOf(url), 0);
    if (size > this.#most) {
      const unused = urls.filter((url) => !this.#used.has(url));
      for (const url of [...unused, ...urls.filter((one) => this.#used.has(one))]) {
        if (size <= this.#most * KEPT_PART) break;
        await cache.delete(url);
        this.#used.delete(url);
        size -= sizeOf(url);
      }
    }
    this.#size = size;
  }
}

/** Bytes of the page that a URL stands for, at the most: its key names them. */
function sizeOf(url: string): number {
  return Number(/-([0-9]+)\/[0-9]+$/.exec(url)?.[1] ?? 0);
}

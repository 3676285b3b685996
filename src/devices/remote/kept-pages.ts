/**
 * Pages that outlive the process: kept in a store under the identity of their source, each with a checksum. What a
 * store gives that does not match is no page.
 */
import type { Clock } from "./clock.js";
import type { KeptPages } from "./page-loader.js";

/**
 * Keeps bytes under keys. It may forget any of them at any time. Several processes may use it at once.
 * Implementations: `devices/folder-store`, `devices/cache-storage`.
 */
export interface PageStore {
  /** @returns the bytes; undefined where there are none */
  get(key: string): Promise<Uint8Array | undefined>;
  /** @param key a word of letters, digits and dashes, a slash, and a number */
  set(key: string, bytes: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Pages that wait to be written at the most; more are not kept. */
const PENDING_MAX = 256;
/** Failures in a row after which nothing is kept for some milliseconds: a full disk stays full for a while. */
const FAILURES_MAX = 4;
const PAUSE_MS = 30_000;
/** Bytes of a SHA-256. */
const DIGEST = 32;

const encoder = new TextEncoder();

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class CheckedPages implements KeptPages {
  readonly #store: PageStore;
  readonly #subtle: SubtleCrypto;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<void>>();
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #failedInARow = 0;
  failures = 0;

  private constructor(store: PageStore, subtle: SubtleCrypto, prefix: string, clock: Clock) {
    this.#store = store;
    this.#subtle = subtle;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /**
   * The pages of a source.
   * @param identity the source's
   * @returns undefined where there is nothing to compute checksums with: in pages that are not served securely
   */
  static async of(
    store: PageStore,
    identity: string,
    pageSize: number,
    clock: Clock,
  ): Promise<CheckedPages | undefined> {
    const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
    if (subtle === undefined) return undefined;
    const digest = await subtle.digest("SHA-256", encoder.encode(identity));
    const prefix = `${hex(new Uint8Array(digest))}-${pageSize}`;
    return new CheckedPages(store, subtle, prefix, clock);
  }

  async get(page: number): Promise<Uint8Array | undefined> {
    const key = `${this.#prefix}/${page}`;
    try {
      const kept = await this.#store.get(key);
      if (kept === undefined) return undefined;
      const bytes = kept.subarray(DIGEST);
      const digest = await this.#digest(key, bytes);
      if (digest.every((byte, index) => byte === kept[index])) return bytes;
      this.failures++;
      await this.#store.delete(key);
    } catch {
      this.failures++;
    }
    return undefined;
  }

  put(page: number, bytes: Uint8Array): void {
    if (this.#pending.size >= PENDING_MAX || this.#clock.now() < this.#pausedUntil) return;
    const write = this.#tryToWrite(`${this.#prefix}/${page}`, bytes);
    this.#pending.add(write);
    void write.finally(() => this.#pending.delete(write));
  }

  async #tryToWrite(key: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#write(key, bytes);
      this.#failedInARow = 0;
    } catch {
      this.failures++;
      if (++this.#failedInARow % FAILURES_MAX === 0) this.#pausedUntil = this.#clock.now() + PAUSE_MS;
    }
  }

  async #write(key: string, bytes: Uint8Array): Promise<void> {
    // Before anything is waited for: the memory of a page may soon hold another one.
    const kept = new Uint8Array(DIGEST + bytes.length);
    kept.set(bytes, DIGEST);
    kept.set(await this.#digest(key, bytes));
    await this.#store.set(key, kept);
  }

  /** The checksum of a page: of its place, too, so that no page stands for another. */
  async #digest(key: string, bytes: Uint8Array): Promise<Uint8Array> {
    const name = encoder.encode(`${key}\0`);
    const all = new Uint8Array(name.length + bytes.length);
    all.set(name);
    all.set(bytes, name.length);
    return new Uint8Array(await this.#subtle.digest("SHA-256", all));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}

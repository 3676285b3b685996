/** Trees in memory, many to a page: an array for each would take more memory than most trees. */
import type { TreeStore } from "./base/content.js";

const PAGE_LEN = 1 << 20;

/** See the file's head. */
export class MemoryTrees implements TreeStore {
  readonly #pages: Uint8Array[] = [];
  /** Bytes used in the last page. */
  #taken = 0;

  /**
   * @returns the page times `PAGE_LEN`, plus the offset of the content in it, which is below `PAGE_LEN`:
   *   larger contents have their own page
   */
  keep(content: Uint8Array): number {
    const page = this.#pages.at(-1);
    if (page === undefined || content.length > page.length - this.#taken) {
      this.#pages.push(new Uint8Array(Math.max(PAGE_LEN, content.length)));
      this.#taken = 0;
    }
    const start = this.#taken;
    this.#pages.at(-1)!.set(content, start);
    this.#taken += content.length;
    return (this.#pages.length - 1) * PAGE_LEN + Math.min(start, PAGE_LEN - 1);
  }

  at(offset: number, size: number): Uint8Array {
    const start = offset % PAGE_LEN;
    // A copy: a message with a view of a page would carry the whole page.
    return this.#pages[Math.floor(offset / PAGE_LEN)]!.slice(start, start + size);
  }
}

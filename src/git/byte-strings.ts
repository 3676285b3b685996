/** Many byte strings ("latin1"), as bytes: what a million of paths takes besides its characters is 12 bytes each. */

/** Bytes that lie together; no string goes over the end of a page. */
const PAGE_LEN = 1 << 20;

/** Strings that there is room for in the beginning. */
const ROWS_MIN = 256;

/** A column with room for more rows: as many as it has. */
export function doubled<T extends Uint8Array | Uint32Array | Float64Array>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(2 * column.length);
  longer.set(column);
  return longer;
}

/** Byte strings, told by the order in which they were added. */
export class ByteStrings {
  /** Of each its page, `PAGE_LEN` times, and where it begins in the page. */
  #starts = new Float64Array(ROWS_MIN);
  /** Bytes of each. */
  #lengths = new Uint32Array(ROWS_MIN);
  readonly #pages: Uint8Array[] = [];
  /** Bytes that are left of the last page. */
  #left = 0;
  count = 0;

  /** @returns its row */
  add(text: string): number {
    const row = this.count++;
    if (row === this.#lengths.length) {
      this.#starts = doubled(this.#starts);
      this.#lengths = doubled(this.#lengths);
    }
    if (text.length > this.#left || this.#pages.length === 0) {
      this.#left = Math.max(PAGE_LEN, text.length);
      this.#pages.push(new Uint8Array(this.#left));
    }
    const page = this.#pages.at(-1)!;
    const start = page.length - this.#left;
    for (let at = 0; at < text.length; at++) page[start + at] = text.charCodeAt(at);
    this.#left -= text.length;
    // What would begin at a page's end has no bytes: any place will do.
    this.#starts[row] = (this.#pages.length - 1) * PAGE_LEN + (text.length === 0 ? 0 : start);
    this.#lengths[row] = text.length;
    return row;
  }

  /** The string itself. */
  text(row: number): string {
    const page = this.#pages[Math.floor(this.#starts[row]! / PAGE_LEN)]!;
    const start = this.#starts[row]! % PAGE_LEN;
    return String.fromCharCode(...page.subarray(start, start + this.#lengths[row]!));
  }
}

/** Many byte strings ("latin1"), stored as bytes: each takes 8 bytes besides its characters, beyond 4 GB of them 12. */

/** Bytes of a page. No string crosses the end of a page. */
const PAGE_LEN = 1 << 20;

/** The number of strings that fit at first. */
const ROWS_MIN = 256;

/** An array with one number, or a fixed count of numbers, for each row. */
export type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array | BigInt64Array;

/** A copy of a column with room for twice as many rows. */
export function doubled<T extends Column>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(2 * column.length);
  longer.set(column as never);
  return longer;
}

/** A copy of some rows of a column, in their order. @param width the count of numbers of a row */
export function rowsOf<T extends Column>(column: T, rows: Uint32Array, width = 1): T {
  const copy = new (column.constructor as new (length: number) => T)(rows.length * width);
  let end = 0;
  for (const row of rows) for (let at = row * width; at < (row + 1) * width; at++) copy[end++] = column[at]!;
  return copy;
}

/** Byte strings, numbered in the order in which they were added. */
export class ByteStrings {
  /** The position of each string: its page times `PAGE_LEN`, plus its offset in the page. */
  #starts: Uint32Array | Float64Array = new Uint32Array(ROWS_MIN);
  /** The length of each string, in bytes. */
  #lengths = new Uint32Array(ROWS_MIN);
  readonly #pages: Uint8Array[] = [];
  /** Bytes that are free in the last page. */
  #left = 0;
  count = 0;

  /** @returns the row of the string */
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
    // A string that would begin at a page's end is empty: its position does not matter.
    const position = (this.#pages.length - 1) * PAGE_LEN + (text.length === 0 ? 0 : start);
    if (position >= 2 ** 32 && this.#starts instanceof Uint32Array)
      this.#starts = Float64Array.from(this.#starts);
    this.#starts[row] = position;
    this.#lengths[row] = text.length;
    return row;
  }

  /** The string itself. */
  text(row: number): string {
    return this.slice(row, 0, this.#lengths[row]!);
  }

  /** A part of a string. */
  slice(row: number, start: number, length: number): string {
    const from = this.#startOf(row) + start;
    const bytes = this.#pageOf(row).subarray(from, from + length);
    // Not spread: that would go through an iterator, and take four times as long.
    return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
  }

  /** One byte of a string. */
  byteAt(row: number, at: number): number {
    return this.#pageOf(row)[this.#startOf(row) + at]!;
  }

  /** The number of bytes that a part of a string shares with the text from `at` on. */
  commonLen(row: number, start: number, length: number, text: string, at: number): number {
    const page = this.#pageOf(row);
    const from = this.#startOf(row) + start;
    const most = Math.min(length, text.length - at);
    let common = 0;
    while (common < most && page[from + common] === text.charCodeAt(at + common)) common++;
    return common;
  }

  #pageOf(row: number): Uint8Array {
    return this.#pages[Math.floor(this.#starts[row]! / PAGE_LEN)]!;
  }

  #startOf(row: number): number {
    return this.#starts[row]! % PAGE_LEN;
  }
}

/** The objects of a pack in the making, in their order: which they are, and their paths. Columns, as there may be a million. */

/** Bytes of paths that lie together; no path goes over the end of a page. */
const PAGE_LEN = 1 << 20;

/** Objects there is room for in the beginning. */
const ROWS_MIN = 256;

/** A column of at least twice the length. */
function doubled<T extends Uint32Array | Float64Array>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(2 * column.length);
  longer.set(column);
  return longer;
}

/** See the file's head. A path is told from others by its place: no object's is kept as a string. */
export class Places {
  /** Of each the page of its path, `PAGE_LEN` times, and where it begins in the page. */
  #starts = new Float64Array(ROWS_MIN);
  /** Bytes of each path. */
  #lengths = new Uint32Array(ROWS_MIN);
  #numbers = new Uint32Array(ROWS_MIN);
  readonly #pages: Uint8Array[] = [];
  /** Bytes that are left of the last page. */
  #left = 0;
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** What `add` was told of each, in order: they last until the next one is added. */
  get numbers(): Uint32Array {
    return this.#numbers.subarray(0, this.#count);
  }

  /**
   * Adds an object.
   * @param number how many were surveyed before it
   * @param path its first path from the root, a byte string ("latin1"): objects of similar names make likely bases
   */
  add(number: number, path: string): void {
    const row = this.#count++;
    if (row === this.#numbers.length) {
      this.#numbers = doubled(this.#numbers);
      this.#starts = doubled(this.#starts);
      this.#lengths = doubled(this.#lengths);
    }
    if (path.length > this.#left || this.#pages.length === 0) {
      this.#left = Math.max(PAGE_LEN, path.length);
      this.#pages.push(new Uint8Array(this.#left));
    }
    const page = this.#pages.at(-1)!;
    const start = page.length - this.#left;
    for (let at = 0; at < path.length; at++) page[start + at] = path.charCodeAt(at);
    this.#left -= path.length;
    // What would begin at a page's end has no bytes: any place will do.
    this.#starts[row] = (this.#pages.length - 1) * PAGE_LEN + (path.length === 0 ? 0 : start);
    this.#lengths[row] = path.length;
    this.#numbers[row] = number;
  }

  /** Below 0 where the path of one object comes before another's, byte by byte; 0 for the same path. */
  comparePaths(left: number, right: number): number {
    const leftPage = this.#pageOf(left);
    const rightPage = this.#pageOf(right);
    const leftStart = this.#starts[left]! % PAGE_LEN;
    const rightStart = this.#starts[right]! % PAGE_LEN;
    const common = Math.min(this.#lengths[left]!, this.#lengths[right]!);
    for (let at = 0; at < common; at++) {
      const difference = leftPage[leftStart + at]! - rightPage[rightStart + at]!;
      if (difference !== 0) return difference;
    }
    return this.#lengths[left]! - this.#lengths[right]!;
  }

  /**
   * A number for a path in which its last characters weigh the most, so that like names come together (git's
   * pack-objects.h).
   */
  nameValue(row: number): number {
    const page = this.#pageOf(row);
    const start = this.#starts[row]! % PAGE_LEN;
    const end = start + this.#lengths[row]!;
    let value = 0;
    for (let at = Math.max(start, end - 32); at < end; at++) {
      const code = page[at]!;
      if (code > 32) value = ((value >>> 2) + code * 0x1000000) >>> 0;
    }
    return value;
  }

  #pageOf(row: number): Uint8Array {
    return this.#pages[Math.floor(this.#starts[row]! / PAGE_LEN)]!;
  }
}

/** The objects of a pack in the making, in their order: which they are, and their paths. */
import { ByteStrings, doubled } from "../byte-strings.js";

/** Bytes at the end of a path that make the value of its name. */
const NAME_LEN = 32;

/** Columns, as there may be a million objects: no path is kept as a string. */
export class Places {
  readonly #paths = new ByteStrings();
  #numbers = new Uint32Array(256);

  /** How many there are. */
  get count(): number {
    return this.#paths.count;
  }

  /** What `add` was told of each, in order: they last until the next one is added. */
  get numbers(): Uint32Array {
    return this.#numbers.subarray(0, this.count);
  }

  /**
   * Adds an object.
   * @param number how many were surveyed before it
   * @param path its first path from the root, a byte string ("latin1"): objects of similar names make likely bases
   */
  add(number: number, path: string): void {
    const row = this.#paths.add(path);
    if (row === this.#numbers.length) this.#numbers = doubled(this.#numbers);
    this.#numbers[row] = number;
  }

  /** Below 0 where the path of one object comes before another's, byte by byte; 0 for the same path. */
  comparePaths(left: number, right: number): number {
    return this.#paths.compare(left, right);
  }

  /**
   * A number for a path in which its last characters weigh the most, so that like names come together (git's
   * pack-objects.h).
   */
  nameValue(row: number): number {
    let value = 0;
    for (const code of this.#paths.bytes(row, NAME_LEN))
      if (code > 32) value = ((value >>> 2) + code * 0x1000000) >>> 0;
    return value;
  }
}

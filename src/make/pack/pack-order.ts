/** The objects of a future pack, in order: their numbers and their names. */
import { doubled } from "../../git/byte-strings.js";
import { nameValue } from "./candidates.js";

/** Columns, as there may be a million objects: no path is kept. */
export class Places {
  #numbers = new Uint32Array(256);
  #names = new Uint32Array(256);
  /** The number of objects. */
  count = 0;

  /** The arguments of `add` for each object, in order; valid until the next object is added. */
  get numbers(): Uint32Array {
    return this.#numbers.subarray(0, this.count);
  }

  /**
   * Adds an object.
   * @param number the number of objects surveyed before it
   * @param path its first path from the root, a byte string ("latin1"), or the last `NAME_LEN` bytes of it: objects of
   *   similar names make likely bases
   */
  add(number: number, path: string): void {
    this.#add(number, nameValue(path));
  }

  /** Appends the objects of another order. @param numbers the new number of each */
  append(other: Places, numbers: Uint32Array): void {
    for (let row = 0; row < other.count; row++) this.#add(numbers[other.#numbers[row]!]!, other.#names[row]!);
  }

  #add(number: number, name: number): void {
    if (this.count === this.#numbers.length) {
      this.#numbers = doubled(this.#numbers);
      this.#names = doubled(this.#names);
    }
    this.#numbers[this.count] = number;
    this.#names[this.count++] = name;
  }

  /**
   * The values of the names (`nameValue`).
   * @param count the number of surveyed objects
   * @returns by number
   */
  names(count: number): Uint32Array {
    const names = new Uint32Array(count);
    for (let row = 0; row < this.count; row++) names[this.#numbers[row]!] = this.#names[row]!;
    return names;
  }
}

/** The parts of a read that have come, so that none comes twice and none is missing. */

/** Parts that do not touch each other, at the most: servers send few, and a hostile one costs no memory. */
const PARTS_MAX = 1024;

/** Counts the bytes of one reply, whatever the order that its chunks come in. */
export class Pieces {
  /** Starts and ends of parts by turns, ascending. */
  readonly #bounds: number[] = [];
  readonly #length: number;

  /** @param length bytes of the whole */
  constructor(length: number) {
    this.#length = length;
  }

  /**
   * Notes that a part has come.
   * @returns whether it lies inside the whole, has a byte at least, and overlaps no earlier part; false, too, where there
   *   are too many parts
   */
  add(start: number, length: number): boolean {
    const end = start + length;
    if (!(start >= 0 && length > 0 && end <= this.#length)) return false;
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && bounds[at]! < start) at++;
    // An odd index is inside of a part, unless that ends here; another part may begin before this one's end.
    const touchesLeft = at % 2 === 1 && bounds[at] === start;
    if (at % 2 === 1 && !touchesLeft) return false;
    const next = touchesLeft ? at + 1 : at;
    if (bounds[next] !== undefined && bounds[next]! < end) return false;
    const touchesRight = bounds[next] === end;
    if (touchesLeft && touchesRight) bounds.splice(at, 2);
    else if (touchesLeft) bounds[at] = end;
    else if (touchesRight) bounds[next] = start;
    else bounds.splice(at, 0, start, end);
    return bounds.length <= 2 * PARTS_MAX;
  }

  /** Whether everything has come. */
  get isWhole(): boolean {
    return this.#bounds.length === 2 && this.#bounds[0] === 0 && this.#bounds[1] === this.#length;
  }
}

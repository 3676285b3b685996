/**
 * The order in which objects are written. An object and all its deltas are a family, which lies together: a reader of one
 * finds its bases near it, mostly before it in the same few kilobytes. Families come in the order of their first members, so
 * that small files of one directory that are stored whole lie together, too.
 */
import { NO_BASE } from "./bases.js";

/** Deltas by base, as lists in columns: the first delta of each base, and the next delta of the same base. */
interface Deltas {
  first: Int32Array;
  next: Int32Array;
}

/** The deltas of each base, in the order of `numbers`. */
function deltasOf(numbers: Uint32Array, bases: Int32Array): Deltas {
  const first = new Int32Array(bases.length).fill(NO_BASE);
  const next = new Int32Array(bases.length).fill(NO_BASE);
  for (let at = numbers.length - 1; at >= 0; at--) {
    const number = numbers[at]!;
    const base = bases[number]!;
    if (base === NO_BASE) continue;
    next[number] = first[base]!;
    first[base] = number;
  }
  return { first, next };
}

/** Places objects one after the other, each once. */
class Placer {
  readonly order: Uint32Array;
  readonly #bases: Int32Array;
  readonly #isPlaced: Uint8Array;
  readonly #stack: number[] = [];
  #end = 0;

  constructor(count: number, bases: Int32Array) {
    this.order = new Uint32Array(count);
    this.#bases = bases;
    this.#isPlaced = new Uint8Array(bases.length);
  }

  #place(number: number): void {
    if (this.#isPlaced[number] === 1) return;
    this.#isPlaced[number] = 1;
    this.order[this.#end++] = number;
  }

  /** Places an object, and before it those of its bases that are not placed. */
  chain(number: number): void {
    for (let at = number; at !== NO_BASE && this.#isPlaced[at] === 0; at = this.#bases[at]!)
      this.#stack.push(at);
    for (let at = this.#stack.pop(); at !== undefined; at = this.#stack.pop()) this.#place(at);
  }

  /** Places the rest of an object's family, each base before its deltas, and each delta before the next of its base. */
  family(number: number, { first, next }: Deltas): void {
    if (this.#isPlaced[number] === 1) return;
    let top = number;
    for (let up = this.#bases[top]!; up !== NO_BASE && this.#isPlaced[up] === 0; up = this.#bases[up]!)
      top = up;
    this.#place(top);
    this.#push(first[top]!);
    for (let at = this.#stack.pop(); at !== undefined; at = this.#stack.pop()) {
      this.#place(at);
      this.#push(next[at]!);
      this.#push(first[at]!);
    }
  }

  #push(number: number): void {
    if (number !== NO_BASE) this.#stack.push(number);
  }
}

/**
 * Orders objects for writing: first those that are named, with their bases, then all others by families.
 * @param numbers the objects of the pack, each once, in the order of their paths
 * @param bases the base of each object, by number, or `NO_BASE`; undefined if all are whole
 * @param hot numbers of objects that come first; an object may be named more than once
 * @returns all numbers: every base comes before its deltas
 */
export function emissionOrder(
  numbers: Uint32Array,
  bases: Int32Array | undefined,
  hot: readonly number[] = [],
): Uint32Array {
  if (bases === undefined && hot.length === 0) return numbers;
  let most = 0;
  for (const number of numbers) most = Math.max(most, number);
  const known = bases ?? new Int32Array(most + 1).fill(NO_BASE);
  const placer = new Placer(numbers.length, known);
  const deltas = deltasOf(numbers, known);
  for (const number of hot) placer.chain(number);
  for (const number of numbers) placer.family(number, deltas);
  return placer.order;
}

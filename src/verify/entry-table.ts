/** The entries of a PACK as columns in shared memory, a row each, in the PACK's order. */

import { KIND, OID } from "../git/entry.js";
import { sharedBytes } from "./shared-bytes.js";

/** A row's `states`: these, or the status of its error. */
export const STATE = { pending: 0, ok: 1 } as const;

/** The value in `bases` of a row without a base, or with an unknown one. */
export const BASE = { none: -1, unknown: -2 } as const;

/** The columns in the form that can be posted to a thread. */
export interface Rows {
  readonly count: number;
  /** From the PACK's start; entries end where the next begins, the last one at `end`. */
  readonly offsets: Float64Array;
  end: number;
  /** Kinds as they are stored: deltas are deltas. */
  readonly kinds: Uint8Array;
  /** The row of a delta's base. */
  readonly bases: Int32Array;
  readonly crcs: Uint32Array;
  /** The results of resolving an object: whether it went well, its kind, its bytes and its id. */
  readonly states: Uint8Array;
  readonly types: Uint8Array;
  readonly sizes: Float64Array;
  readonly oids: Uint8Array;
  /** 1 if the object is part of a SHA-1 collision attack. */
  readonly collisions: Uint8Array;
  /** The forest of deltas: a row's first child, its next sibling; -1 for none. The child with most below it comes last. */
  readonly firstChild: Int32Array;
  readonly nextChild: Int32Array;
}

/** Empty columns. */
export function createRows(count: number): Rows {
  const bytes = (width: number): SharedArrayBuffer | ArrayBuffer => sharedBytes(count * width);
  return {
    count,
    offsets: new Float64Array(bytes(8)),
    end: 0,
    kinds: new Uint8Array(bytes(1)),
    bases: new Int32Array(bytes(4)),
    crcs: new Uint32Array(bytes(4)),
    states: new Uint8Array(bytes(1)),
    types: new Uint8Array(bytes(1)),
    sizes: new Float64Array(bytes(8)),
    oids: new Uint8Array(bytes(OID)),
    collisions: new Uint8Array(bytes(1)),
    firstChild: new Int32Array(bytes(4)),
    nextChild: new Int32Array(bytes(4)),
  };
}

/** The end of a row's entry. */
export function endOf(rows: Rows, row: number): number {
  return row + 1 < rows.count ? rows.offsets[row + 1]! : rows.end;
}

/** The row of the entry that begins at an offset, or -1. */
export function rowAt(rows: Rows, offset: number, count = rows.count): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows.offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low < count && rows.offsets[low] === offset ? low : -1;
}

/** Whether a stored kind is a delta. */
export function isDelta(kind: number): boolean {
  return kind >= KIND.ofsDelta;
}

/** Roots of the forest in the PACK's order, in groups of about the same work. */
export interface Forest {
  readonly roots: Int32Array;
  /** The start of each group in `roots`, and the end. */
  readonly groups: Int32Array;
}

/** Compressed bytes of a group, about. */
const GROUP_LEN = 1 << 17;

/**
 * Links rows to their bases.
 * @param isRoot which roots' trees are wanted
 */
export function plantForest(rows: Rows, isRoot: (row: number) => boolean): Forest {
  const { count, bases, firstChild, nextChild, kinds } = rows;
  firstChild.fill(-1);
  nextChild.fill(-1);
  const roots: number[] = [];
  for (let row = count - 1; row >= 0; row--) {
    const base = bases[row]!;
    if (base >= 0) {
      nextChild[row] = firstChild[base]!;
      firstChild[base] = row;
    } else if (!isDelta(kinds[row]!) && isRoot(row)) roots.push(row);
  }
  roots.reverse();
  const weights = weigh(rows, roots);
  for (let row = 0; row < count; row++) heaviestLast(rows, weights, row);
  const groups = [0];
  let length = 0;
  roots.forEach((root, index) => {
    length += weights[root]!;
    if (length < GROUP_LEN) return;
    groups.push(index + 1);
    length = 0;
  });
  if (groups.at(-1) !== roots.length) groups.push(roots.length);
  return { roots: shared(roots), groups: shared(groups) };
}

function shared(values: readonly number[]): Int32Array {
  const array = new Int32Array(sharedBytes(values.length * 4));
  array.set(values);
  return array;
}

/** Compressed bytes of each row's tree. */
function weigh(rows: Rows, roots: readonly number[]): Float64Array {
  const { firstChild, nextChild, bases, offsets } = rows;
  const order: number[] = [...roots];
  for (let index = 0; index < order.length; index++)
    for (let child = firstChild[order[index]!]!; child >= 0; child = nextChild[child]!) order.push(child);
  const weights = new Float64Array(rows.count);
  for (let index = order.length - 1; index >= 0; index--) {
    const row = order[index]!;
    weights[row]! += endOf(rows, row) - offsets[row]!;
    if (bases[row]! >= 0) weights[bases[row]!]! += weights[row]!;
  }
  return weights;
}

/** Bases are held for their children: with the largest tree last, few are at a time. */
function heaviestLast({ firstChild, nextChild }: Rows, weights: Float64Array, row: number): void {
  const first = firstChild[row]!;
  if (first < 0 || nextChild[first]! < 0) return;
  let heaviest = first;
  let last = first;
  for (let child = first; child >= 0; child = nextChild[child]!) {
    if (weights[child]! > weights[heaviest]!) heaviest = child;
    last = child;
  }
  if (heaviest === last) return;
  if (heaviest === first) firstChild[row] = nextChild[first]!;
  else {
    let before = first;
    while (nextChild[before] !== heaviest) before = nextChild[before]!;
    nextChild[before] = nextChild[heaviest]!;
  }
  nextChild[last] = heaviest;
  nextChild[heaviest] = -1;
}

/**
 * Candidate bases by name alone: for the few new objects of a pack whose other objects come from an earlier image, and
 * were not read for their likeness.
 */
import { NO_BASE } from "./bases.js";
import type { Pairs, PlanObjects } from "./plan.js";

/** Neighbours by name and size, on each side. */
const REACH = 4;
/** Objects outside these sizes, in bytes, have no deltas. */
const SIZE_MIN = 50;
const SIZE_MAX = 64 << 20;
/** Neighbours whose sizes differ by more than this save nothing. */
const RATIO = 8;

/** Pairs as numbers: both are below 2^26. */
const SHIFT = 2 ** 26;

/** Places are below this: with a key of 32 bits before one, it is an exact double. */
const PLACES = 2 ** 21;

/** Sorts pairs, and takes each once. */
function sorted(keys: Float64Array): Pairs {
  keys.sort();
  const ids: number[] = [];
  for (const [at, key] of keys.entries())
    if (at === 0 || key !== keys[at - 1]) ids.push(Math.floor(key / SHIFT), key % SHIFT);
  return { ids: Uint32Array.from(ids) };
}

/**
 * Finds pairs of an object that needs a base, and another of its kind with a similar name and size.
 * @param names by number (`nameValue`)
 * @param chosen `NO_BASE` for objects that need a base
 */
export function pairsByName(
  { order, kinds, sizes }: PlanObjects,
  names: Uint32Array,
  chosen: Int32Array,
): Pairs {
  const pairs: number[] = [];
  for (const kind of kindsOf(kinds, order, chosen)) {
    const ids = byName(fitting(order, kinds, sizes, kind), names, sizes);
    for (let at = 0; at < ids.length; at++) {
      const target = ids[at]!;
      if (chosen[target] !== NO_BASE) continue;
      for (let near = Math.max(0, at - REACH); near <= at + REACH && near < ids.length; near++) {
        const base = ids[near]!;
        const isNear = sizes[base]! <= RATIO * sizes[target]! && sizes[target]! <= RATIO * sizes[base]!;
        if (near !== at && isNear) pairs.push(base * SHIFT + target);
      }
    }
  }
  return sorted(Float64Array.from(pairs));
}

/** The kinds of objects that need a base. */
function kindsOf(kinds: Uint8Array, order: Uint32Array, chosen: Int32Array): Set<number> {
  const found = new Set<number>();
  for (let at = 0; at < order.length; at++) if (chosen[order[at]!] === NO_BASE) found.add(kinds[order[at]!]!);
  return found;
}

/** The objects of a kind that may have deltas. */
function fitting(order: Uint32Array, kinds: Uint8Array, sizes: Float64Array, kind: number): Uint32Array {
  const ids = new Uint32Array(Math.min(order.length, PLACES));
  let count = 0;
  for (let at = 0; at < order.length && count < ids.length; at++) {
    const id = order[at]!;
    if (kinds[id] === kind && sizes[id]! >= SIZE_MIN && sizes[id]! <= SIZE_MAX) ids[count++] = id;
  }
  return ids.subarray(0, count);
}

/** Sorts objects by name, those of one name by size, and those of one size by number; without calls of a comparison. */
function byName(ids: Uint32Array, names: Uint32Array, sizes: Float64Array): Uint32Array {
  return sortedBy(sortedBy(ids.slice().sort(), sizes), names);
}

/** Sorts numbers by a key below 2^32; equals keep their order. */
function sortedBy(ids: Uint32Array, keys: Uint32Array | Float64Array): Uint32Array {
  const places = new Float64Array(ids.length);
  for (let place = 0; place < ids.length; place++) places[place] = keys[ids[place]!]! * PLACES + place;
  places.sort();
  const result = new Uint32Array(ids.length);
  for (let at = 0; at < ids.length; at++) result[at] = ids[places[at]! % PLACES]!;
  return result;
}
/** The pairs of both, each once, in the order of their bases. */
export function joinPairs(left: Pairs, right: Pairs): Pairs {
  const keys = new Float64Array((left.ids.length + right.ids.length) / 2);
  let end = 0;
  for (const { ids } of [left, right])
    for (let at = 0; at < ids.length; at += 2) keys[end++] = ids[at]! * SHIFT + ids[at + 1]!;
  return sorted(keys);
}

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
  const isFit = (id: number): boolean => sizes[id]! >= SIZE_MIN && sizes[id]! <= SIZE_MAX;
  const ids = order.filter(isFit);
  ids.sort((a, b) => kinds[a]! - kinds[b]! || names[a]! - names[b]! || sizes[a]! - sizes[b]! || a - b);
  const keys: number[] = [];
  for (const [at, target] of ids.entries()) {
    if (chosen[target] !== NO_BASE) continue;
    for (let near = Math.max(0, at - REACH); near <= at + REACH && near < ids.length; near++) {
      const base = ids[near]!;
      const isNear = sizes[base]! <= RATIO * sizes[target]! && sizes[target]! <= RATIO * sizes[base]!;
      if (near !== at && kinds[base] === kinds[target] && isNear) keys.push(base * SHIFT + target);
    }
  }
  return sorted(Float64Array.from(keys));
}

/** The pairs of both, each once, in the order of their bases. */
export function joinPairs(left: Pairs, right: Pairs): Pairs {
  const keys = new Float64Array((left.ids.length + right.ids.length) / 2);
  let end = 0;
  for (const { ids } of [left, right])
    for (let at = 0; at < ids.length; at += 2) keys[end++] = ids[at]! * SHIFT + ids[at + 1]!;
  return sorted(keys);
}

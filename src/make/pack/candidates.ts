/**
 * Finds candidate bases by similar contents and names. Pure: equal objects in equal order give equal pairs.
 *
 * Two rounds find more than one round with twice the candidates. In the first, the many versions of one file
 * find only each other. In the second, only objects that are still stored whole look for a base, among
 * similar ones: one file of each family stands for all of it.
 */

import type { Effort } from "../base/effort.js";
import { Scratch } from "./column-arena.js";
import { FEATURE_COUNT, type Likeness, type Pairs, type PlanObjects } from "./plan.js";

/** Objects outside these sizes, in bytes, have no deltas: they would save nothing, or not fit in memory. */
const SIZE_MIN = 50;
const SIZE_MAX = 64 * 1024 * 1024;

/**
 * Candidates of an object by content. Large objects have more: they are measured by samples, and save more. Twice as
 * many save less than a per cent.
 */
const SIMILAR = [
  { size: 0, first: 4, further: 3 },
  { size: 1 << 16, first: 5, further: 4 },
  { size: 1 << 19, first: 6, further: 6 },
] as const;
/** These candidates, times so many, by effort. */
const SHARES = { fast: 0.5, default: 1, small: 4 } as const;
/** All objects together have no more candidates than this, so that plans of a million objects fit in memory. */
const SIMILAR_TOTAL = 3_000_000;
/** The number of neighbours on each side that objects with a common feature compare. */
const REACH = 4;
/** Neighbours with an equal or similar name, on each side. */
const NAMED = 1;
/** Neighbours by name whose sizes differ by more than this save nothing. */
const NAMED_RATIO = 32;

/** Places are below this: with 32 bits before one, it is an exact double. */
const PLACES = 2 ** 21;

const NONE = 0xffffffff;

/** Bytes at the end of a path that make the value of its name. */
export const NAME_LEN = 32;

/**
 * A number for a path in which the last characters weigh the most, so that similar names are near each other
 * (git's pack-objects.h).
 * @param path a byte string ("latin1")
 */
export function nameValue(path: string): number {
  let value = 0;
  for (let at = Math.max(0, path.length - NAME_LEN); at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code > 32) value = ((value >>> 2) + code * 0x1000000) >>> 0;
  }
  return value;
}

/** The numbers of the objects that take part, in their order. An object's position here is its place. */
function participants({ order, sizes }: PlanObjects, chosen: Int32Array | undefined): Uint32Array {
  const isWanted = (id: number): boolean =>
    sizes[id]! >= SIZE_MIN && sizes[id]! <= SIZE_MAX && (chosen === undefined || chosen[id]! < 0);
  // Not `filter`: it would first make a list of all objects.
  const ids = new Uint32Array(Math.min(order.length, PLACES));
  let count = 0;
  for (const id of order) if (count < ids.length && isWanted(id)) ids[count++] = id;
  return ids.subarray(0, count);
}

/** One round, with all objects by place. Its columns live as long as it does. */
class Search {
  readonly #objects: PlanObjects;
  readonly #likeness: Likeness;
  readonly #ids: Uint32Array;
  /** Places, the smallest object's first. */
  readonly #bySize: Uint32Array;
  /** The start of each object's candidates, the best first; one more for the end. */
  readonly #starts: Uint32Array;
  readonly #bases: Uint32Array;
  /** Bytes of the target that the base probably lacks; infinite if there is no base yet. */
  readonly #scores: Float32Array;
  /** The keys by which neighbours are found. */
  readonly #keys: Float64Array;
  /** The order of bases, by place, and each place's position in it. */
  readonly #ranks: Uint32Array;
  readonly #ranked: Uint32Array;

  constructor(objects: PlanObjects, likeness: Likeness, chosen: Int32Array | undefined, effort: Effort) {
    const { sizes } = objects;
    const ids = participants(objects, chosen);
    const count = ids.length;
    const room = (place: number): number => {
      const level = SIMILAR.findLast(({ size }) => sizes[ids[place]!]! >= size)!;
      const most = Math.max(2, Math.floor(SIMILAR_TOTAL / count));
      const wanted = chosen === undefined ? level.first : level.further;
      return Math.min(Math.floor(wanted * SHARES[effort]), most);
    };
    let total = 0;
    for (let place = 0; place < count; place++) total += room(place);
    const scratch = new Scratch(total + 3 * count + 8);
    this.#objects = objects;
    this.#likeness = likeness;
    this.#ids = ids;
    this.#keys = scratch.float64(count);
    this.#starts = scratch.uint32(count + 1);
    for (let place = 0; place < count; place++) this.#starts[place + 1] = this.#starts[place]! + room(place);
    this.#bases = scratch.uint32(total).fill(NONE);
    this.#scores = scratch.float32(total).fill(Number.POSITIVE_INFINITY);
    this.#ranks = scratch.uint32(count).fill(NONE);
    this.#ranked = scratch.uint32(count);
    this.#bySize = scratch.uint32(count);
    for (let place = 0; place < count; place++) this.#bySize[place] = place;
    this.#bySize.sort((a, b) => sizes[ids[a]!]! - sizes[ids[b]!]! || a - b);
  }

  /** Finds the candidates. */
  run(): void {
    const { features, featureRows } = this.#likeness;
    for (let feature = 0; feature < FEATURE_COUNT; feature++)
      // Of the many objects that share a feature, those of similar size are compared, or those near in the
      // tree.
      this.#visitNeighbours(
        feature % 2 === 0 ? this.#bySize : undefined,
        (id) => features[featureRows[id]! * FEATURE_COUNT + feature]!,
        REACH,
        (a, b) => this.#weigh(a, b),
      );
    this.#rank();
  }

  /** The pairs, each once. */
  pairs(): Pairs {
    let room = 2 * NAMED * this.#ids.length;
    for (const base of this.#bases) if (base !== NONE) room++;
    const pairs = new Float64Array(room);
    const ranks = this.#ranks;
    let count = 0;
    for (let target = 0; target < this.#ids.length; target++)
      for (let at = this.#starts[target]!; at < this.#starts[target + 1]!; at++) {
        const base = this.#bases[at]!;
        if (base !== NONE) pairs[count++] = ranks[base]! * PLACES + ranks[target]!;
      }
    const sizeOf = (place: number): number => this.#objects.sizes[this.#ids[place]!]!;
    const addNamed = (a: number, b: number): void => {
      if (sizeOf(a) * NAMED_RATIO < sizeOf(b) || sizeOf(b) * NAMED_RATIO < sizeOf(a)) return;
      pairs[count++] = ranks[a]! * PLACES + ranks[b]!;
      pairs[count++] = ranks[b]! * PLACES + ranks[a]!;
    };
    this.#visitNeighbours(this.#bySize, (id) => this.#likeness.names[id]!, NAMED, addNamed, true);
    return this.#numbered(pairs.subarray(0, count));
  }

  /** Turns pairs of ranks into pairs of numbers, sorted, in place. */
  #numbered(pairs: Float64Array): Pairs {
    pairs.sort();
    const ids = new Uint32Array(pairs.buffer);
    let end = 0;
    let last = -1;
    for (const pair of pairs) {
      if (pair === last) continue;
      last = pair;
      ids[end++] = this.#ranked[Math.floor(pair / PLACES)]!;
      ids[end++] = this.#ranked[pair % PLACES]!;
    }
    return { ids: ids.subarray(0, end) };
  }

  /**
   * Calls `visit` for places of objects of one kind whose keys have equal upper parts, up to `reach` apart.
   * @param order all places; by default in ascending order
   * @param upperPart of an object's number
   */
  #visitNeighbours(
    order: Uint32Array | undefined,
    upperPart: (id: number) => number,
    reach: number,
    visit: (a: number, b: number) => void,
    isLoose = false,
  ): void {
    const { kinds } = this.#objects;
    const ids = this.#ids;
    const keys = this.#keys;
    const placeOf = (at: number): number => (order === undefined ? at : order[at]!);
    for (let at = 0; at < keys.length; at++) keys[at] = upperPart(ids[placeOf(at)]!) * PLACES + at;
    keys.sort();
    for (let at = 0; at < keys.length; at++) {
      const value = Math.floor(keys[at]! / PLACES);
      const a = placeOf(keys[at]! % PLACES);
      for (let next = at + 1; next <= at + reach && next < keys.length; next++) {
        if (!isLoose && Math.floor(keys[next]! / PLACES) !== value) break;
        const b = placeOf(keys[next]! % PLACES);
        if (kinds[ids[a]!] === kinds[ids[b]!]) visit(a, b);
      }
    }
  }

  /** Weighs two objects as each other's base. */
  #weigh(a: number, b: number): void {
    const { sizes } = this.#objects;
    const sizeA = sizes[this.#ids[a]!]!;
    const sizeB = sizes[this.#ids[b]!]!;
    // This share of the union is in both, which gives the number of common bytes.
    const share = this.#sharedFeatures(this.#ids[a]!, this.#ids[b]!) / FEATURE_COUNT;
    const common = Math.min((share * (sizeA + sizeB)) / (1 + share), sizeA, sizeB);
    // Among equals, the base of the nearest size wins.
    const apart = Math.abs(sizeA - sizeB) / 64;
    this.#keep(a, b, Math.fround(sizeA - common + apart));
    this.#keep(b, a, Math.fround(sizeB - common + apart));
  }

  /** The number of features that the sketches of two objects share. */
  #sharedFeatures(a: number, b: number): number {
    const { features, featureRows } = this.#likeness;
    let shared = 0;
    let at = featureRows[a]! * FEATURE_COUNT;
    for (let other = featureRows[b]! * FEATURE_COUNT, end = at + FEATURE_COUNT; at < end; at++, other++)
      if (features[at] === features[other]) shared++;
    return shared;
  }

  /** Keeps a base among the best of its target. */
  #keep(target: number, base: number, score: number): void {
    const bases = this.#bases;
    const scores = this.#scores;
    const start = this.#starts[target]!;
    let at = this.#starts[target + 1]! - 1;
    if (score >= scores[at]!) return;
    for (let known = start; known <= at; known++) if (bases[known] === base) return;
    for (; at > start && scores[at - 1]! > score; at--) {
      scores[at] = scores[at - 1]!;
      bases[at] = bases[at - 1]!;
    }
    scores[at] = score;
    bases[at] = base;
  }

  /**
   * An order of bases in which each follows a similar one, if there is one: from each object in turn, depth
   * first along the candidates.
   */
  #rank(): void {
    const ranks = this.#ranks;
    const stack: number[] = [];
    let next = 0;
    for (let first = 0; first < ranks.length; first++) {
      stack.push(first);
      for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
        if (ranks[place] !== NONE) continue;
        this.#ranked[next] = this.#ids[place]!;
        ranks[place] = next++;
        for (let at = this.#starts[place + 1]! - 1; at >= this.#starts[place]!; at--) {
          const base = this.#bases[at]!;
          if (base !== NONE && ranks[base] === NONE) stack.push(base);
        }
      }
    }
  }
}

/**
 * Finds pairs of objects that are worth measuring.
 * @param chosen the result of `chooseBases` for the first round, in the second one: objects with a base take
 *   no part
 * @returns at most about 3 million pairs by content, and 2 for each object by name
 */
export function candidatePairs(
  objects: PlanObjects,
  likeness: Likeness,
  chosen?: Int32Array,
  effort: Effort = "default",
): Pairs {
  const search = new Search(objects, likeness, chosen, effort);
  search.run();
  return search.pairs();
}

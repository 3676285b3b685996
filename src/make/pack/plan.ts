/**
 * Plans which objects become deltas, and of which: candidate bases by what contents and names have in common, and the
 * choice among them once their deltas have been measured. Pure: the same objects give the same plan, in whatever order
 * they come.
 *
 * Two rounds find more than one of twice the candidates. In the first the many versions of one file find each other, and
 * nothing else; in the second only what is still stored whole looks for a base, among its like: one file of each such
 * family stands for all of it.
 */

import type { Places } from "./places.js";

/** Features of a sketch (`contentSketch` in asm/pack/sketch.ts). */
export const FEATURE_COUNT = 16;

/** Objects outside these sizes, in bytes, have no deltas: nothing is to be gained, or memory has no room. */
const SIZE_MIN = 50;
const SIZE_MAX = 64 * 1024 * 1024;

/** Candidates of an object by content: more for large ones, which are measured by samples and are worth more. */
const SIMILAR = [
  { size: 0, first: 4, further: 3 },
  { size: 1 << 16, first: 5, further: 4 },
  { size: 1 << 19, first: 6, further: 6 },
] as const;
/** All objects together have no more candidates than this, so that plans of a million objects fit in memory. */
const SIMILAR_TOTAL = 4_000_000;
/** Objects with one feature in common look at so many of them on each side. */
const REACH = 4;
/** Neighbours of the same or a similar name, on each side. */
const NAMED = 1;
/** Neighbours by name that differ in size by more than that have nothing to give. */
const NAMED_RATIO = 32;

/** A key holds a place below this: with 32 bits before it, it is an exact double. */
const PLACES = 2 ** 21;
/** What finding its base takes in a delta's entry: the offset, mostly of 2 or 3 bytes. */
const OFFSET_LEN = 3;
/** Where a base costs little more than the best one and has a much shorter chain, it is taken: share and bytes. */
const SHALLOW = { share: 1 / 64, bytes: 2, levels: 3 } as const;
/** Rounds of looking for better bases than the first choice. */
const IMPROVEMENTS = 4;

/** The objects of a pack, by column: index `i` in each is one object. */
export interface PlanObjects {
  count: number;
  /** Numbers of kinds: only objects of one kind are paired. */
  kinds: Uint8Array;
  /** Bytes. */
  sizes: Float64Array;
  /** The first path of each: no two are the same; and its number, which may be the place of another one here. */
  places: Places;
  /** `FEATURE_COUNT` of each, by number. */
  features: Uint32Array;
  /** Bytes that the object takes when it is stored whole. */
  wholeCosts: Float64Array;
}

/** Pairs to measure: those of one base follow each other, and bases that have targets in common are near each other. */
export interface Pairs {
  bases: Uint32Array;
  targets: Uint32Array;
}

/** Pairs, measured. */
export interface MeasuredPairs extends Pairs {
  /** Bytes that each target takes as a delta of its base; `0xffffffff` where that is of no use. */
  costs: Uint32Array;
}

const NONE = 0xffffffff;

/** The best candidates of each object, the best first. */
interface Candidates {
  /** Where those of an object begin; one more for the end. */
  starts: Uint32Array;
  bases: Uint32Array;
  /** Bytes of the target that the base is expected not to have; infinite where there is none yet. */
  scores: Float32Array;
}

/** Indices of the objects that take part, in the order of their paths: what does not depend on the order of the input. */
function participants(objects: PlanObjects, chosen: Int32Array | undefined): Uint32Array {
  const { count, sizes, places } = objects;
  const ids = new Uint32Array(count);
  let taken = 0;
  for (let i = 0; i < count && taken < PLACES; i++)
    if (sizes[i]! >= SIZE_MIN && sizes[i]! <= SIZE_MAX && (chosen === undefined || chosen[i]! < 0))
      ids[taken++] = i;
  const order = ids.subarray(0, taken);
  let isSorted = true;
  for (let at = 1; at < taken && isSorted; at++)
    isSorted = places.comparePaths(order[at - 1]!, order[at]!) < 0;
  return isSorted ? order : order.sort((a, b) => places.comparePaths(a, b));
}

/** Room for the candidates of each participant, by its size. */
function makeCandidates(objects: PlanObjects, order: Uint32Array, isFirst: boolean): Candidates {
  const { count, sizes } = objects;
  const most = Math.max(2, Math.floor(SIMILAR_TOTAL / Math.max(1, order.length)));
  const starts = new Uint32Array(count + 1);
  for (const id of order) {
    const level = SIMILAR.findLast(({ size }) => sizes[id]! >= size)!;
    starts[id + 1] = Math.min(isFirst ? level.first : level.further, most);
  }
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  const bases = new Uint32Array(starts[count]!).fill(NONE);
  return { starts, bases, scores: new Float32Array(bases.length).fill(Number.POSITIVE_INFINITY) };
}

/** Keeps a base among the best of its target. */
function keep(candidates: Candidates, target: number, base: number, score: number): void {
  const { starts, bases, scores } = candidates;
  const start = starts[target]!;
  let at = starts[target + 1]! - 1;
  if (score >= scores[at]!) return;
  for (let known = start; known <= at; known++) if (bases[known] === base) return;
  for (; at > start && scores[at - 1]! > score; at--) {
    scores[at] = scores[at - 1]!;
    bases[at] = bases[at - 1]!;
  }
  scores[at] = score;
  bases[at] = base;
}

/** How many features two sketches share. */
function sharedFeatures(features: Uint32Array, a: number, b: number): number {
  let shared = 0;
  let at = a * FEATURE_COUNT;
  for (let other = b * FEATURE_COUNT, end = at + FEATURE_COUNT; at < end; at++, other++)
    if (features[at] === features[other]) shared++;
  return shared;
}

/** Weighs two objects as each other's base. */
function weigh(objects: PlanObjects, candidates: Candidates, a: number, b: number): void {
  const { sizes, features, places } = objects;
  const { numbers } = places;
  const sizeA = sizes[a]!;
  const sizeB = sizes[b]!;
  // Of what both have together that share is in either: so much do both have.
  const share = sharedFeatures(features, numbers[a]!, numbers[b]!) / FEATURE_COUNT;
  const common = Math.min((share * (sizeA + sizeB)) / (1 + share), sizeA, sizeB);
  // Among equals, the one of the nearest size.
  const apart = Math.abs(sizeA - sizeB) / 64;
  keep(candidates, a, b, Math.fround(sizeA - common + apart));
  keep(candidates, b, a, Math.fround(sizeB - common + apart));
}

/** Calls `visit` for pairs of objects of a kind that have the same upper part of their keys, up to `reach` apart. */
function visitNeighbours(
  objects: PlanObjects,
  order: Uint32Array,
  upperPart: (id: number) => number,
  reach: number,
  visit: (a: number, b: number) => void,
  isLoose = false,
): void {
  const { kinds } = objects;
  const keys = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) keys[place] = upperPart(order[place]!) * PLACES + place;
  keys.sort();
  for (let at = 0; at < keys.length; at++) {
    const value = Math.floor(keys[at]! / PLACES);
    const a = order[keys[at]! % PLACES]!;
    for (let next = at + 1; next <= at + reach && next < keys.length; next++) {
      if (!isLoose && Math.floor(keys[next]! / PLACES) !== value) break;
      const b = order[keys[next]! % PLACES]!;
      if (kinds[a] === kinds[b]) visit(a, b);
    }
  }
}

/**
 * An order of bases in which each follows one that it is like, where there is one: from each object in the order of
 * paths, depth first along the candidates.
 */
function jobOrder(objects: PlanObjects, order: Uint32Array, candidates: Candidates): Uint32Array {
  const places = new Uint32Array(objects.count).fill(NONE);
  const stack: number[] = [];
  let next = 0;
  for (const first of order) {
    stack.push(first);
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (places[id] !== NONE) continue;
      places[id] = next++;
      for (let at = candidates.starts[id + 1]! - 1; at >= candidates.starts[id]!; at--) {
        const base = candidates.bases[at]!;
        if (base !== NONE && places[base] === NONE) stack.push(base);
      }
    }
  }
  return places;
}

/** Sorts pairs, as keys of the places of base and target, and leaves out what comes twice. */
function pairsOf(keys: Float64Array, places: Uint32Array): Pairs {
  const ids = new Uint32Array(places.length);
  for (let id = 0; id < places.length; id++) if (places[id] !== NONE) ids[places[id]!] = id;
  keys.sort();
  let count = 0;
  for (let at = 0; at < keys.length; at++)
    if (at === 0 || keys[at] !== keys[at - 1]) keys[count++] = keys[at]!;
  // Loops: `from` would make a list of all values first.
  const bases = new Uint32Array(count);
  const targets = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    bases[at] = ids[Math.floor(keys[at]! / PLACES)]!;
    targets[at] = ids[keys[at]! % PLACES]!;
  }
  return { bases, targets };
}

/**
 * Finds pairs of objects that are worth measuring.
 * @param chosen what `chooseBases` made of the pairs of the first round, for the second one: objects that have a base by
 *   it take no part
 * @returns at most some 4 million pairs by content, and 2 of each object by name
 */
export function candidatePairs(objects: PlanObjects, chosen?: Int32Array): Pairs {
  const {
    sizes,
    places: { numbers },
    features,
  } = objects;
  const isFirst = chosen === undefined;
  const byPath = participants(objects, chosen);
  const bySize = byPath.slice();
  const ranks = new Uint32Array(objects.count);
  for (let place = 0; place < byPath.length; place++) ranks[byPath[place]!] = place;
  bySize.sort((a, b) => sizes[a]! - sizes[b]! || ranks[a]! - ranks[b]!);
  const candidates = makeCandidates(objects, byPath, isFirst);
  for (let feature = 0; feature < FEATURE_COUNT; feature++)
    // Of the many that share a feature, those of like size are looked at, or those that lie near in the tree.
    visitNeighbours(
      objects,
      feature % 2 === 0 ? bySize : byPath,
      (id) => features[numbers[id]! * FEATURE_COUNT + feature]!,
      REACH,
      (a, b) => weigh(objects, candidates, a, b),
    );
  const places = jobOrder(objects, byPath, candidates);
  const keys = new Float64Array(candidates.bases.length + 2 * NAMED * byPath.length);
  let count = 0;
  for (const target of byPath)
    for (let at = candidates.starts[target]!; at < candidates.starts[target + 1]!; at++) {
      const base = candidates.bases[at]!;
      if (base !== NONE) keys[count++] = places[base]! * PLACES + places[target]!;
    }
  const addNamed = (a: number, b: number): void => {
    if (sizes[a]! * NAMED_RATIO < sizes[b]! || sizes[b]! * NAMED_RATIO < sizes[a]!) return;
    keys[count++] = places[a]! * PLACES + places[b]!;
    keys[count++] = places[b]! * PLACES + places[a]!;
  };
  visitNeighbours(objects, bySize, (id) => objects.places.nameValue(id), NAMED, addNamed, true);
  return pairsOf(keys.subarray(0, count), places);
}

/** A forest of objects: who is a delta of whom. */
class Forest {
  /** The base of each, or -1. */
  readonly bases: Int32Array;
  /** At least how many deltas hang below each other under an object. */
  readonly #heights: Uint16Array;
  readonly #depth: number;

  constructor(count: number, depth: number) {
    this.bases = new Int32Array(count).fill(-1);
    this.#heights = new Uint16Array(count);
    this.#depth = depth;
  }

  levelOf(id: number): number {
    let level = 0;
    for (let up = this.bases[id]!; up >= 0; up = this.bases[up]!) level++;
    return level;
  }

  /** Whether `target` may hang under `base`: no cycle, no chain too long. */
  #mayHang(target: number, base: number): boolean {
    let level = 0;
    for (let up = base; up >= 0; up = this.bases[up]!, level++) if (up === target) return false;
    return level + this.#heights[target]! <= this.#depth;
  }

  /** Hangs `target` under `base`, if it may. */
  hang(target: number, base: number): boolean {
    if (!this.#mayHang(target, base)) return false;
    this.bases[target] = base;
    this.#raise(target);
    return true;
  }

  #raise(id: number): void {
    let height = this.#heights[id]! + 1;
    for (let up = this.bases[id]!; up >= 0 && this.#heights[up]! < height; up = this.bases[up]!, height++)
      this.#heights[up] = height;
  }

  /** Forgets heights of what no longer hangs there. */
  measure(): void {
    this.#heights.fill(0);
    for (let id = 0; id < this.bases.length; id++) this.#raise(id);
  }
}

/** Bytes that a delta saves, the offset to its base being counted. */
function savingOf(objects: PlanObjects, { targets, costs }: MeasuredPairs, pair: number): number {
  return Math.floor(objects.wholeCosts[targets[pair]!]! - costs[pair]! - OFFSET_LEN);
}

/** The pairs that save something, as they come: to `chooseBases` the others are nothing, but they take memory. */
export function worthwhile(objects: PlanObjects, pairs: MeasuredPairs): MeasuredPairs {
  const { bases, targets, costs } = pairs;
  let count = 0;
  for (let pair = 0; pair < costs.length; pair++) {
    if (savingOf(objects, pairs, pair) <= 0) continue;
    bases[count] = bases[pair]!;
    targets[count] = targets[pair]!;
    costs[count++] = costs[pair]!;
  }
  return { bases: bases.slice(0, count), targets: targets.slice(0, count), costs: costs.slice(0, count) };
}

/** Savings are below 2^28, and pairs below this: together they make an exact double. */
const PAIRS = 2 ** 25;

/**
 * The pairs that save something, the greatest saving first; among equals, as they come.
 * @returns indices into the rounds, one after the other
 */
function bySaving(objects: PlanObjects, rounds: readonly MeasuredPairs[]): Uint32Array {
  const keys = new Float64Array(rounds.reduce((sum, { costs }) => sum + costs.length, 0));
  let index = 0;
  let count = 0;
  for (const round of rounds)
    for (let pair = 0; pair < round.costs.length; pair++, index++) {
      const saving = savingOf(objects, round, pair);
      if (saving > 0) keys[count++] = -saving * PAIRS + index;
    }
  keys.subarray(0, count).sort();
  const order = new Uint32Array(count);
  for (let at = 0; at < count; at++) order[at] = ((keys[at]! % PAIRS) + PAIRS) % PAIRS;
  return order;
}

/**
 * Chooses bases so that the pack gets small: by the greatest saving first, as Kruskal has it, then better ones wherever
 * the forest that has grown allows for it, then shorter chains where they cost next to nothing.
 * @param rounds the measured pairs of one or more rounds
 * @param depth the most deltas between an object and what is stored whole, 0 to 4095
 * @returns for each object its base, or -1 for none: no cycles
 */
export function chooseBases(
  objects: PlanObjects,
  rounds: readonly MeasuredPairs[],
  depth: number,
): Int32Array {
  const forest = new Forest(objects.count, depth);
  const costs = objects.wholeCosts.slice();
  const order = bySaving(objects, rounds);
  const tryAll = (isWorth: (target: number, base: number, cost: number) => boolean): boolean => {
    let isChanged = false;
    for (const index of order) {
      let pair = index;
      let round = 0;
      for (; pair >= rounds[round]!.costs.length; round++) pair -= rounds[round]!.costs.length;
      const target = rounds[round]!.targets[pair]!;
      const base = rounds[round]!.bases[pair]!;
      const cost = rounds[round]!.costs[pair]! + OFFSET_LEN;
      if (!isWorth(target, base, cost) || !forest.hang(target, base)) continue;
      costs[target] = cost;
      isChanged = true;
    }
    forest.measure();
    return isChanged;
  };
  tryAll((target) => forest.bases[target]! < 0);
  const isBetter = (target: number, _: number, cost: number): boolean => cost < costs[target]!;
  for (let left = IMPROVEMENTS; left > 0 && tryAll(isBetter); left--);
  tryAll(
    (target, base, cost) =>
      cost <= costs[target]! * (1 + SHALLOW.share) + SHALLOW.bytes &&
      forest.bases[target]! >= 0 &&
      forest.levelOf(base) + 1 + SHALLOW.levels <= forest.levelOf(target),
  );
  return forest.bases;
}

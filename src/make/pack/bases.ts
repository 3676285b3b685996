/**
 * Chooses which objects become deltas of which, once the deltas of pairs have been measured. Pure: the same pairs in the
 * same order give the same choice.
 */
import type { MeasuredPairs, PlanObjects } from "./plan.js";

/** What finding its base takes in a delta's entry: the offset, mostly of 2 or 3 bytes. */
const OFFSET_LEN = 3;
/** Where a base costs little more than the best one and has a much shorter chain, it is taken: share and bytes. */
const SHALLOW = { share: 1 / 64, bytes: 2, levels: 3 } as const;
/** Rounds of looking for better bases than the first choice. */
const IMPROVEMENTS = 4;

/** An object without a base. */
export const NO_BASE = -1;

/** What is to be known of the objects. */
type Objects = Pick<PlanObjects, "wholeCosts">;

/** A forest of objects: who is a delta of whom. */
class Forest {
  /** The base of each, or `NO_BASE`. */
  readonly bases: Int32Array;
  /** At least how many deltas hang below each other under an object. */
  readonly #heights: Uint16Array;
  readonly #depth: number;

  constructor(count: number, depth: number) {
    this.bases = new Int32Array(count).fill(NO_BASE);
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
function savingOf({ wholeCosts }: Objects, { ids, costs }: MeasuredPairs, pair: number): number {
  return wholeCosts[ids[2 * pair + 1]!]! - costs[pair]! - OFFSET_LEN;
}

/** The pairs that save something, as they come: to `chooseBases` the others are nothing, but they take memory. */
export function worthwhile(objects: Objects, pairs: MeasuredPairs): MeasuredPairs {
  const { ids, costs } = pairs;
  let count = 0;
  for (let pair = 0; pair < costs.length; pair++) {
    if (savingOf(objects, pairs, pair) <= 0) continue;
    ids[2 * count] = ids[2 * pair]!;
    ids[2 * count + 1] = ids[2 * pair + 1]!;
    costs[count++] = costs[pair]!;
  }
  // Copies, so that the room of the others is given back; but not where that is little.
  const keep = (column: Uint32Array, end: number): Uint32Array =>
    end < column.length / 2 ? column.slice(0, end) : column.subarray(0, end);
  return { ids: keep(ids, 2 * count), costs: keep(costs, count) };
}

/** Savings are below 2^28, and pairs below this: together they make an exact double. */
const PAIRS = 2 ** 25;

/**
 * The pairs that save something, the greatest saving first; among equals, as they come.
 * @returns indices into the rounds, one after the other
 */
function bySaving(objects: Objects, rounds: readonly MeasuredPairs[]): Uint32Array {
  const keys = new Float64Array(rounds.reduce((sum, { costs }) => sum + costs.length, 0));
  let index = 0;
  let count = 0;
  for (const round of rounds)
    for (let pair = 0; pair < round.costs.length; pair++, index++) {
      const saving = savingOf(objects, round, pair);
      if (saving > 0) keys[count++] = -saving * PAIRS + index;
    }
  keys.subarray(0, count).sort();
  // In the same memory: each takes half of its key.
  const order = new Uint32Array(keys.buffer, 0, count);
  for (let at = 0; at < count; at++) order[at] = ((keys[at]! % PAIRS) + PAIRS) % PAIRS;
  return order;
}

/**
 * Chooses bases so that the pack gets small: by the greatest saving first, as Kruskal has it, then better ones wherever
 * the forest that has grown allows for it, then shorter chains where they cost next to nothing.
 * @param rounds the measured pairs of one or more rounds
 * @param depth the most deltas between an object and what is stored whole, 0 to 4095
 * @returns for each object, by number, its base, or `NO_BASE`: no cycles
 */
export function chooseBases(objects: Objects, rounds: readonly MeasuredPairs[], depth: number): Int32Array {
  const forest = new Forest(objects.wholeCosts.length, depth);
  const costs = objects.wholeCosts.slice();
  const order = bySaving(objects, rounds);
  const tryAll = (isWorth: (target: number, base: number, cost: number) => boolean): boolean => {
    let isChanged = false;
    for (const index of order) {
      let pair = index;
      let round = 0;
      for (; pair >= rounds[round]!.costs.length; round++) pair -= rounds[round]!.costs.length;
      const base = rounds[round]!.ids[2 * pair]!;
      const target = rounds[round]!.ids[2 * pair + 1]!;
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

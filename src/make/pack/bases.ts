/**
 * Chooses the base of each object, once the deltas of pairs have been measured. Pure: equal pairs in equal
 * order give equal choices.
 */
import type { MeasuredPairs, PlanObjects } from "./plan.js";

/** Bytes of the offset to the base in a delta's entry: usually 2 or 3. */
const OFFSET_LEN = 3;
/**
 * A base with a much shorter chain is preferred if it costs little more than the best one: share and bytes.
 */
const SHALLOW = { share: 1 / 64, bytes: 2, levels: 3 } as const;
/** Rounds of looking for better bases than the first choice. */
const IMPROVEMENTS = 4;

/** An object without a base. */
export const NO_BASE = -1;

/** The facts about the objects that the choice needs. */
type Objects = Pick<PlanObjects, "wholeCosts">;

/** A forest of objects: each delta hangs under its base. */
class Forest {
  /** The base of each, or `NO_BASE`. */
  readonly bases: Int32Array;
  /** At least the length of the longest chain of deltas under an object. */
  readonly #heights: Uint16Array;
  readonly #depth: number;

  /** @param fixed bases that stay as they are, and `NO_BASE` for all others */
  constructor(count: number, depth: number, fixed: Int32Array | undefined) {
    this.bases = fixed?.slice() ?? new Int32Array(count).fill(NO_BASE);
    this.#heights = new Uint16Array(count);
    this.#depth = depth;
    if (fixed !== undefined) this.measure();
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

  /** Recomputes all heights: moved objects leave them too large. */
  measure(): void {
    this.#heights.fill(0);
    for (let id = 0; id < this.bases.length; id++) this.#raise(id);
  }
}

/** Bytes that a delta saves, with the offset to its base as a cost. */
function savingOf({ wholeCosts }: Objects, { ids, costs }: MeasuredPairs, pair: number): number {
  return wholeCosts[ids[2 * pair + 1]!]! - costs[pair]! - OFFSET_LEN;
}

/** The pairs that save bytes, in their order. `chooseBases` ignores the others, and they would take memory. */
export function worthwhile(objects: Objects, pairs: MeasuredPairs): MeasuredPairs {
  const { ids, costs } = pairs;
  let count = 0;
  for (let pair = 0; pair < costs.length; pair++) {
    if (savingOf(objects, pairs, pair) <= 0) continue;
    ids[2 * count] = ids[2 * pair]!;
    ids[2 * count + 1] = ids[2 * pair + 1]!;
    costs[count++] = costs[pair]!;
  }
  // Copies, to free the memory of the others, unless that is little.
  const keep = (column: Uint32Array, end: number): Uint32Array =>
    end < column.length / 2 ? column.slice(0, end) : column.subarray(0, end);
  return { ids: keep(ids, 2 * count), costs: keep(costs, count) };
}

/** Savings are below 2^28, and pairs below this: together they make an exact double. */
const PAIRS = 2 ** 25;

/**
 * The pairs that save bytes, the greatest saving first; equals keep their order.
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
  // The indices reuse the memory of the keys: each takes half of its key.
  const order = new Uint32Array(keys.buffer, 0, count);
  for (let at = 0; at < count; at++) order[at] = ((keys[at]! % PAIRS) + PAIRS) % PAIRS;
  return order;
}

/**
 * Chooses bases so that the pack gets small: first by the greatest saving, as in Kruskal's algorithm, then
 * better ones if the forest allows them, then shorter chains if they cost almost nothing.
 * @param rounds the measured pairs of one or more rounds
 * @param depth the most deltas between an object and a whole object, 0 to 4095
 * @param fixed bases that are chosen already, by number, and `NO_BASE`; no pair has a target with such a base
 * @returns for each object, by number, its base, or `NO_BASE`; there are no cycles
 */
export function chooseBases(
  objects: Objects,
  rounds: readonly MeasuredPairs[],
  depth: number,
  fixed?: Int32Array,
): Int32Array {
  const forest = new Forest(objects.wholeCosts.length, depth, fixed);
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

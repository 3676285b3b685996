/** The data of plans of deltas: the objects, and pairs of them. Numbers are those of the survey. */

/** Features of a sketch (`contentSketch` in asm/delta/sketch.ts). */
export const FEATURE_COUNT = 16;

/** The objects of a pack: columns by number, as there may be a million. */
export interface PlanObjects {
  /** The numbers of the objects in the pack, in its order: objects near in the tree are near here. */
  order: Uint32Array;
  /** Numbers of kinds: only objects of one kind are paired. */
  kinds: Uint8Array;
  /** Bytes. */
  sizes: Float64Array;
  /** Bytes that the object takes when it is stored whole. */
  wholeCosts: Uint32Array;
}

/**
 * The data for finding similar objects, by number. It takes much memory, and is useless once there are pairs.
 */
export interface Likeness {
  /** Equal for equal names, near for similar names (`nameValue`). */
  names: Uint32Array;
  /** `FEATURE_COUNT` in a row, and the row of each object. */
  features: Uint32Array;
  featureRows: Uint32Array;
}

/**
 * Pairs to measure. Those of one base follow each other, and bases with common targets are near each other.
 */
export interface Pairs {
  /** Numbers: a base, its target, the next base, and so on. */
  ids: Uint32Array;
}

/** Pairs, measured. */
export interface MeasuredPairs extends Pairs {
  /** Bytes that each target takes as a delta of its base; `0xffffffff` if the delta is useless. */
  costs: Uint32Array;
}

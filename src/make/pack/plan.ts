/** What plans of deltas are made of: the objects, and pairs of them. Numbers are those of the survey. */

/** Features of a sketch (`contentSketch` in asm/delta/sketch.ts). */
export const FEATURE_COUNT = 16;

/** The objects of a pack: columns by number, as there may be a million. */
export interface PlanObjects {
  /** The numbers of those that are in the pack, in its order: what is near in the tree is near here. */
  order: Uint32Array;
  /** Numbers of kinds: only objects of one kind are paired. */
  kinds: Uint8Array;
  /** Bytes. */
  sizes: Float64Array;
  /** Bytes that the object takes when it is stored whole. */
  wholeCosts: Uint32Array;
}

/** What tells which objects are alike, by number: it takes much memory, and is of no use once there are pairs. */
export interface Likeness {
  /** The same for the same name, near for like names (`nameValue`). */
  names: Uint32Array;
  /** `FEATURE_COUNT` of each object. */
  features: Uint32Array;
}

/** Pairs to measure: those of one base follow each other, and bases that have targets in common are near each other. */
export interface Pairs {
  /** Numbers: a base, its target, the next base, and so on. */
  ids: Uint32Array;
}

/** Pairs, measured. */
export interface MeasuredPairs extends Pairs {
  /** Bytes that each target takes as a delta of its base; `0xffffffff` where that is of no use. */
  costs: Uint32Array;
}

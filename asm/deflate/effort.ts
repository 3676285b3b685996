/** How thoroughly the encoder looks for a short encoding: three efforts, between time and size. */

/** The efforts' numbers; any other one is the default. */
export const FAST: u32 = 0;
export const SMALL: u32 = 2;

/** What the default effort has. */
const DEPTH: u32 = 14;
const NICE: u32 = 48;
const PASSES: u32 = 1;

/** Matches are looked for in hash chains, which are quick, instead of binary trees. */
export let usesChains: bool = false;
/** Steps down a binary tree, at most. It is less than `MATCHES_EACH`. */
export let treeDepth: u32 = DEPTH;
/** A match that long is taken at once, and the positions that it spans are not searched. */
export let niceLength: u32 = NICE;
/** Times that a block is parsed with the costs that the parse before has shown, at most. */
export let passes: u32 = PASSES;

/** Sets the effort of the calls that follow. */
export function setDeflateEffort(effort: u32): void {
  usesChains = effort == FAST;
  treeDepth = effort == SMALL ? 56 : DEPTH;
  niceLength = effort == SMALL ? 200 : effort == FAST ? 32 : NICE;
  passes = effort == SMALL ? 6 : PASSES;
}

/**
 * The memory that the encoder works in: one allocation, made when it is first needed and kept.
 *
 *     │ heads, 4 bytes │ heads, 3 bytes │ heads, 7 bytes │ nodes │ items, twice │ costs │ match starts │ matches │
 *
 * The heads and nodes hold positions, which count on from call to call: what an earlier call left is below
 * where the present one begins, and so nothing is cleared between them.
 */
import { heapAlloc } from "../base/heap";
import { WINDOW } from "./symbols";

/** Entries of the hash tables, as powers of two. */
export const HASH4_BITS: u32 = 16;
export const HASH3_BITS: u32 = 14;
export const HASH7_BITS: u32 = 15;

/** Bytes of content that are parsed at a time, at most. */
export const SPAN_MAX: u32 = 96 << 10;
/** Matches that are found in them, at most; and of one position. */
export const MATCHES: u32 = 5 * SPAN_MAX;
export const MATCHES_EACH: u32 = 64;

const HEADS4: usize = 0;
const HEADS3: usize = HEADS4 + (4 << HASH4_BITS);
const HEADS7: usize = HEADS3 + (4 << HASH3_BITS);
const NODES: usize = HEADS7 + (4 << HASH7_BITS);
const ITEMS: usize = NODES + 8 * WINDOW;
const SPARE_ITEMS: usize = ITEMS + 4 * SPAN_MAX;
const COSTS: usize = SPARE_ITEMS + 4 * SPAN_MAX;
const STARTS: usize = COSTS + 4 * (SPAN_MAX + 1);
const MATCH_LIST: usize = STARTS + 4 * (SPAN_MAX + 1);
const SIZE: usize = MATCH_LIST + 4 * MATCHES;

let workspace: usize = 0;

/** Allocates the workspace. @returns whether there is one */
export function prepareWorkspace(): bool {
  if (workspace) return true;
  workspace = heapAlloc(SIZE);
  if (!workspace) return false;
  clearTables();
  return true;
}

/** A hash is shifted right by this many bits: the rest is the index of a head. */
export let hashShift: u32 = 32 - HASH4_BITS;

/** Sets how many heads are used: few for short content, which the processor's cache then holds. */
export function sizeTables(len: u32): void {
  hashShift = max<u32>(32 - HASH4_BITS, clz(len | 255));
}

/** Makes the match finder forget everything. */
export function clearTables(): void {
  memory.fill(workspace, 0, ITEMS);
}

/** Heads by the hash of four bytes: u32 each, the last position. */
// @ts-ignore: decorator
@inline
export function heads4(): usize {
  return workspace + HEADS4;
}

// @ts-ignore: decorator
@inline
export function heads3(): usize {
  return workspace + HEADS3;
}

// @ts-ignore: decorator
@inline
export function heads7(): usize {
  return workspace + HEADS7;
}

/** Bytes of the links of one chain: the nodes' memory has two, one after the other. */
export const CHAIN_LINKS: usize = 4 * WINDOW;

/** By position modulo `WINDOW`: two children of a binary tree. */
// @ts-ignore: decorator
@inline
export function nodes(): usize {
  return workspace + NODES;
}

/** A parse: the item of each position where one begins. */
// @ts-ignore: decorator
@inline
export function items(): usize {
  return workspace + ITEMS;
}

/** Another parse, of the same layout. */
// @ts-ignore: decorator
@inline
export function spareItems(): usize {
  return workspace + SPARE_ITEMS;
}

/** The least cost from each position to the end. */
// @ts-ignore: decorator
@inline
export function costs(): usize {
  return workspace + COSTS;
}

/** For each position and the one after the last, the address of its first match. */
// @ts-ignore: decorator
@inline
export function matchStarts(): usize {
  return workspace + STARTS;
}

/** Items: each position's matches, longer and longer. */
// @ts-ignore: decorator
@inline
export function matchList(): usize {
  return workspace + MATCH_LIST;
}

/** Huffman codes of limited length: optimal code lengths, and the canonical codes (RFC 1951, 3.2.2). */
import { CODE_BITS, LITERAL_SYMBOLS } from "./symbols";

const LEAVES: u32 = LITERAL_SYMBOLS;
const NODES: u32 = 2 * LEAVES;

/** Leaves in order: frequency << 9 | symbol. Then weights, parents and depths of the tree's nodes. */
const leaves: usize = memory.data(4 * 286, 4);
const weights: usize = memory.data(4 * 572, 4);
const parents: usize = memory.data(2 * 572, 2);
const depths: usize = memory.data(572);
/** The weights of the list that package-merge has come to. */
const packages: usize = memory.data(4 * 572, 4);
/** For each length and each place of its list, whether a package is there. */
const isPackage: usize = memory.data(15 * 572);
const SYMBOL_BITS: u32 = 9;

/** Shell sort, each gap 4/9 of the one before. */
function sortLeaves(count: u32): void {
  for (let gap: u32 = 132; gap; gap = (gap << 2) / 9) {
    for (let i = gap; i < count; i++) {
      const leaf = load<u32>(leaves + (i << 2));
      let to = i;
      while (to >= gap && load<u32>(leaves + ((to - gap) << 2)) > leaf) {
        store<u32>(leaves + (to << 2), load<u32>(leaves + ((to - gap) << 2)));
        to -= gap;
      }
      store<u32>(leaves + (to << 2), leaf);
    }
  }
}

/**
 * Huffman's tree over sorted leaves: both kinds of node come up in the order of their weights.
 * @returns its depth
 */
function growTree(count: u32): u32 {
  let leaf: u32 = 0;
  let node = count;
  const nodeCount: u32 = 2 * count - 1;
  for (let made = count; made < nodeCount; made++) {
    let weight: u32 = 0;
    for (let side = 0; side < 2; side++) {
      let child = node;
      if (
        leaf < count &&
        (node == made || load<u32>(weights + (leaf << 2)) <= load<u32>(weights + (node << 2)))
      )
        child = leaf++;
      else node++;
      weight += load<u32>(weights + (child << 2));
      store<u16>(parents + (child << 1), <u16>made);
    }
    store<u32>(weights + (made << 2), weight);
  }
  store<u8>(depths + nodeCount - 1, 0);
  let deepest: u32 = 0;
  for (let i = <i32>nodeCount - 2; i >= 0; i--) {
    const depth: u32 = load<u8>(depths + load<u16>(parents + (i << 1))) + 1;
    store<u8>(depths + i, <u8>min<u32>(depth, 255));
    deepest = max(deepest, depth);
  }
  return deepest;
}

/**
 * Package-merge (Larmore and Hirschberg 1990): the list of each length is the leaves merged with the pairs of
 * the list before; of the last list the first 2·count − 2 are taken, and a leaf's depth is the number of
 * lists in which it is.
 */
function limitDepths(count: u32, limit: u32): void {
  let length = 0;
  for (let level: u32 = 0; level < limit; level++) {
    const flags = isPackage + level * NODES;
    const pairs: u32 = length >> 1;
    for (let i: u32 = 0; i < pairs; i++) {
      const first = load<u32>(packages + (i << 3)) + load<u32>(packages + (i << 3), 4);
      store<u32>(packages + (i << 2), first);
    }
    // From the back, so that the pairs can stay where they are: they move up by the leaves still to come.
    length = count + pairs;
    let leaf = <i32>count - 1;
    let pair = <i32>pairs - 1;
    for (let to = <i32>length - 1; to >= 0; to--) {
      const isPair =
        pair >= 0 && (leaf < 0 || load<u32>(packages + (pair << 2)) >= load<u32>(weights + (leaf << 2)));
      store<u32>(
        packages + (to << 2),
        isPair ? load<u32>(packages + (pair << 2)) : load<u32>(weights + (leaf << 2)),
      );
      store<u8>(flags + to, isPair ? 1 : 0);
      if (isPair) pair--;
      else leaf--;
    }
  }
  memory.fill(depths, 0, count);
  let taken: u32 = 2 * count - 2;
  for (let level = <i32>limit - 1; level >= 0; level--) {
    const flags = isPackage + level * NODES;
    let pairs: u32 = 0;
    for (let i: u32 = 0; i < taken; i++) pairs += load<u8>(flags + i);
    const own: u32 = taken - pairs;
    for (let i: u32 = 0; i < own; i++) store<u8>(depths + i, load<u8>(depths + i) + 1);
    taken = 2 * pairs;
  }
}

/**
 * Optimal code lengths of at most `limit` bits. One symbol alone gets one bit, as deflate wants it.
 * @param frequencies u32 each, below 2^23
 * @param lengths u8 each: 0 for a symbol that does not occur
 * @returns how many symbols occur
 */
export function buildLengths(frequencies: usize, symbols: u32, limit: u32, lengths: usize): u32 {
  let count: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(frequencies + (symbol << 2));
    if (frequency) store<u32>(leaves + (count++ << 2), (frequency << SYMBOL_BITS) | symbol);
  }
  memory.fill(lengths, 0, symbols);
  if (count < 2) {
    if (count) store<u8>(lengths + (load<u32>(leaves) & ((1 << SYMBOL_BITS) - 1)), 1);
    return count;
  }
  sortLeaves(count);
  for (let i: u32 = 0; i < count; i++)
    store<u32>(weights + (i << 2), load<u32>(leaves + (i << 2)) >> SYMBOL_BITS);
  if (growTree(count) > limit) limitDepths(count, limit);
  for (let i: u32 = 0; i < count; i++) {
    const symbol = load<u32>(leaves + (i << 2)) & ((1 << SYMBOL_BITS) - 1);
    store<u8>(lengths + symbol, load<u8>(depths + i));
  }
  return count;
}

/** How many codes there are of each length, then the first code of each. */
const nextCodes: usize = memory.data(4 * 16, 4);

function reverse(code: u32, length: u32): u32 {
  code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333);
  code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f);
  code = ((code & 0x00ff) << 8) | (code >> 8);
  return code >> (16 - length);
}

/**
 * The canonical codes, with their bits in the order in which they are written.
 * @param codes u32 each: length << 16 | code
 */
export function buildCodes(lengths: usize, symbols: u32, codes: usize): void {
  memory.fill(nextCodes, 0, 4 * 16);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const at = nextCodes + ((<u32>load<u8>(lengths + symbol)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let code: u32 = 0;
  store<u32>(nextCodes, 0);
  for (let length: u32 = 1; length <= CODE_BITS; length++) {
    const count = load<u32>(nextCodes + (length << 2));
    store<u32>(nextCodes + (length << 2), code);
    code = (code + count) << 1;
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length: u32 = load<u8>(lengths + symbol);
    const at = nextCodes + (length << 2);
    const next = load<u32>(at);
    if (length) store<u32>(at, next + 1);
    store<u32>(codes + (symbol << 2), length ? (length << 16) | reverse(next, length) : 0);
  }
}

/**
 * Inner nodes and leaves of the adaptive radix tree (Leis, Kemper, Neumann: "The Adaptive Radix Tree", ICDE 2013), as
 * they lie in memory. A node is as long as what it holds: the four kinds say how a child is found, the size follows
 * the count, and a node that gains a child moves to a block of the next size.
 *
 *     inner node, 4-byte aligned
 *     ┌ u24 ─────────────────────────────────────────┬ prefix, whole ──┬ body ┬ stop, if hasStop ────────┐
 *     │ 13 prefixLen │ 2 kind │ 1 hasStop │ 8 count-1 │ prefixLen bytes │      │ leaf u32 │ prefix to u16 │
 *     └──────────────────────────────────────────────┴─────────────────┴──────┴──────────────────────────┘
 *     body
 *     ┌───────────────────────────────────────────────────────────────────────────────────┐
 *     │ Node4, Node16: bytes, ascending, 1 × count, their children u32 × count            │
 *     │ Node48:  bitmap of 256 bits, the children of the bytes in it u32 × count          │
 *     │ Node256: children u32 × 256, 0 for none                                           │
 *     └───────────────────────────────────────────────────────────────────────────────────┘
 *     leaf, 4-byte aligned; a child pointer to it has bit 0 set
 *     ┌ u16 ──────────────────┬ value ────────────┬ suffix ─────────────────────┐
 *     │ 13 rest │ 3 width - 1 │ width bytes, LE   │ rest - 1 bytes (0 if rest 0) │
 *     └───────────────────────┴───────────────────┴──────────────────────────────┘
 *
 * Every key ends in an implicit NUL, which no key holds, so no key is a prefix of another. `rest` counts what of the key
 * is behind the leaf's branch, that NUL included: 0 where the branch itself was the NUL. The prefix is stored whole
 * ("pessimistic"), which spares the leaf a copy of the key.
 *
 * Node48 finds a child by the rank of its byte in the bitmap: the paper's index of 256 bytes would take most of a node
 * and a cache line more on each lookup.
 *
 * A stop is a key that ends inside of a prefix: mostly a directory's, before the slash that all in it have behind its
 * name. Without, each directory would take a node more, of NUL and slash, on the way to what it holds. The stop stands
 * at the node's end, where who passes by need not know of it.
 */
import { slabAlloc, slabFree } from "./slab";

export const LEAF: usize = 1;

export const NODE4: u32 = 0;
export const NODE16: u32 = 1;
export const NODE48: u32 = 2;
export const NODE256: u32 = 3;

const HEADER: u32 = 3;
const LEN_MASK: u32 = 0x1fff;
const HAS_STOP: u32 = 0x8000;
const STOP: u32 = 6;
const BITMAP: u32 = 32;

// @ts-ignore: decorator
@inline
export function prefixLenOf(header: u32): u32 {
  return header & LEN_MASK;
}

// @ts-ignore: decorator
@inline
export function kindOf(header: u32): u32 {
  return (header >> 13) & 3;
}

// @ts-ignore: decorator
@inline
export function countOf(header: u32): u32 {
  return ((header >> 16) & 0xff) + 1;
}

/** The node's first four bytes; the last is not the header's. */
// @ts-ignore: decorator
@inline
export function headerOf(node: usize): u32 {
  return load<u32>(node);
}

// @ts-ignore: decorator
@inline
export function prefixOf(node: usize): usize {
  return node + HEADER;
}

// @ts-ignore: decorator
@inline
export function bodyOf(node: usize, header: u32): usize {
  return node + HEADER + prefixLenOf(header);
}

function putHeader(node: usize, prefixLen: u32, kind: u32, count: u32, stop: u32): void {
  store<u16>(node, <u16>(prefixLen | (kind << 13) | stop));
  store<u8>(node, <u8>(count - 1), 2);
}

/** Bytes of what stands before the children of a Node4, Node16 or Node48. */
function indexSize(kind: u32, count: u32): u32 {
  return kind <= NODE16 ? count : BITMAP;
}

function bodySize(kind: u32, count: u32): u32 {
  return kind == NODE256 ? 1024 : indexSize(kind, count) + (count << 2);
}

/** Bytes of an inner node without its stop. */
function trunkSize(header: u32): u32 {
  return HEADER + prefixLenOf(header) + bodySize(kindOf(header), countOf(header));
}

/** Bytes of an inner node. */
export function nodeSize(header: u32): u32 {
  return trunkSize(header) + (header & HAS_STOP ? STOP : 0);
}

/** The address of the pointer to the stop's leaf, or 0 for a node without a stop. */
export function stopOf(node: usize): usize {
  const header = headerOf(node);
  return header & HAS_STOP ? node + trunkSize(header) : 0;
}

/** Bytes of the prefix that belong to the key of the stop: fewer than all. */
export function stopLen(stop: usize): u32 {
  return load<u16>(stop, 4);
}

/** The address of the pointer to the leaf of the key that ends `len` bytes into the prefix, or 0 for none. */
export function stopAt(node: usize, len: u32): usize {
  const stop = stopOf(node);
  return stop && stopLen(stop) == len ? stop : 0;
}

function putStop(stop: usize, leaf: usize, len: u32): void {
  store<u32>(stop, <u32>leaf);
  store<u16>(stop, <u16>len, 4);
}

/** The index of `byte` among at most sixteen ascending keys, or `count` and more. Reads sixteen bytes with SIMD. */
// @ts-ignore: decorator
@inline
function indexOf(keys: usize, count: u32, byte: u32): u32 {
  if (ASC_FEATURE_SIMD) {
    return ctz(i8x16.bitmask(i8x16.eq(v128.load(keys), i8x16.splat(<i8>byte))));
  }
  // The lowest zero byte: borrows may mark bytes above it, never below.
  const pattern = <u64>byte * 0x0101010101010101;
  let differ = load<u64>(keys) ^ pattern;
  let zero = (differ - 0x0101010101010101) & ~differ & 0x8080808080808080;
  if (zero || count <= 8) return <u32>(ctz(zero) >> 3);
  differ = load<u64>(keys, 8) ^ pattern;
  zero = (differ - 0x0101010101010101) & ~differ & 0x8080808080808080;
  return 8 + <u32>(ctz(zero) >> 3);
}

/** How many bytes of a bitmap are below `byte`. */
// @ts-ignore: decorator
@inline
function rankOf(bitmap: usize, byte: u32): u32 {
  const last = bitmap + ((byte >> 6) << 3);
  let rank = popcnt(load<u64>(last) & ((<u64>1 << byte) - 1));
  while (bitmap < last) {
    rank += popcnt(load<u64>(bitmap));
    bitmap += 8;
  }
  return <u32>rank;
}

function putBit(bitmap: usize, byte: u32): void {
  const at = bitmap + (byte >> 3);
  store<u8>(at, <u32>load<u8>(at) | (1 << (byte & 7)));
}

/**
 * The address of the pointer to the node's child under `byte`.
 * @returns the address of the child pointer (in a Node256 that pointer may be 0), or 0 for none
 */
export function slotOf(node: usize, byte: u32): usize {
  const header = headerOf(node);
  const body = bodyOf(node, header);
  const kind = kindOf(header);
  if (kind <= NODE16) {
    const count = countOf(header);
    const index = indexOf(body, count, byte);
    return index < count ? body + count + (index << 2) : 0;
  }
  if (kind == NODE256) return body + (byte << 2);
  if (!((<u32>load<u8>(body + (byte >> 3)) >> (byte & 7)) & 1)) return 0;
  return body + BITMAP + (rankOf(body, byte) << 2);
}

/**
 * A Node4 of two children.
 * @returns the node, or 0 where memory is out
 */
export function nodePair(prefix: usize, prefixLen: u32, byteA: u32, a: usize, byteB: u32, b: usize): usize {
  const node = slabAlloc(HEADER + prefixLen + bodySize(NODE4, 2));
  if (!node) return 0;
  putHeader(node, prefixLen, NODE4, 2, 0);
  memory.copy(prefixOf(node), prefix, prefixLen);
  const body = prefixOf(node) + prefixLen;
  const swap = byteA > byteB;
  store<u8>(body, <u8>(swap ? byteB : byteA));
  store<u8>(body, <u8>(swap ? byteA : byteB), 1);
  store<u32>(body, <u32>(swap ? b : a), 2);
  store<u32>(body, <u32>(swap ? a : b), 6);
  return node;
}

/**
 * A copy of `node` with another prefix: the `frontLen` bytes at `front`, and its own from `cut` on. The node stays.
 * @param leaf of a stop, 0 for none
 * @param len bytes of the new prefix that belong to the stop's key
 * @returns the copy, or 0 where memory is out
 */
function nodeCopy(node: usize, front: usize, frontLen: u32, cut: u32, leaf: usize, len: u32): usize {
  const header = headerOf(node);
  const trunk = trunkSize(header) + frontLen - cut;
  const copy = slabAlloc(trunk + (leaf ? STOP : 0));
  if (!copy) return 0;
  const prefixLen = prefixLenOf(header) + frontLen - cut;
  putHeader(copy, prefixLen, kindOf(header), countOf(header), leaf ? HAS_STOP : 0);
  memory.copy(prefixOf(copy), front, frontLen);
  memory.copy(prefixOf(copy) + frontLen, prefixOf(node) + cut, trunk - HEADER - frontLen);
  if (leaf) putStop(copy + trunk, leaf, len);
  return copy;
}

/** A copy of `node` without the first `cut` bytes of its prefix, nor a stop in them, or 0 where memory is out. */
export function nodeCut(node: usize, cut: u32): usize {
  const stop = stopOf(node);
  if (!stop || stopLen(stop) < cut) return nodeCopy(node, 0, 0, cut, 0, 0);
  return nodeCopy(node, 0, 0, cut, load<u32>(stop), stopLen(stop) - cut);
}

/**
 * Adds a leaf for the key that ends `len` bytes into the prefix, or at its end, which none does yet. A node whose
 * prefix another key ends in takes none but at its end.
 * @returns the node, which has moved, or 0 where memory is out (and nothing has changed)
 */
export function nodeEnd(node: usize, leaf: usize, len: u32): usize {
  if (len == prefixLenOf(headerOf(node))) return nodeAdd(node, 0, leaf);
  const copy = nodeCopy(node, 0, 0, 0, leaf, len);
  if (copy) nodeFree(node);
  return copy;
}

/**
 * Joins a node whose only children are the leaf under NUL and an inner node with the latter: the leaf becomes a stop.
 * @returns the joint node, in place of both, or the first where they are not so, or have a stop, or memory is out
 */
export function nodeJoin(node: usize): usize {
  const header = headerOf(node);
  const body = bodyOf(node, header);
  if (countOf(header) != 2 || header & HAS_STOP || load<u8>(body)) return node;
  const child: usize = load<u32>(body, 6);
  if (child & LEAF || headerOf(child) & HAS_STOP) return node;
  // The branch, which stands behind that of NUL, makes one string with the prefix in its place.
  store<u8>(body, load<u8>(body, 1));
  const len = prefixLenOf(header);
  const joint = nodeCopy(child, prefixOf(node), len + 1, 0, load<u32>(body, 2), len);
  if (!joint) {
    store<u8>(body, 0);
    return node;
  }
  nodeFree(child);
  nodeFree(node);
  return joint;
}

export function nodeFree(node: usize): void {
  slabFree(node, nodeSize(headerOf(node)));
}

/** Writes `count` items of `1 << shift` bytes with room for one more among them, before the one of that index. */
function spread(to: usize, from: usize, count: u32, index: u32, shift: u32): void {
  const before = index << shift;
  memory.copy(to, from, before);
  memory.copy(to + before + (1 << shift), from + before, (count - index) << shift);
}

/** Node48 to Node256. */
function spread256(to: usize, from: usize): void {
  let child = from + BITMAP;
  for (let byte: u32 = 0; byte < 256; byte++) {
    const is = (<u32>load<u8>(from + (byte >> 3)) >> (byte & 7)) & 1;
    store<u32>(to + (byte << 2), is ? load<u32>(child) : 0);
    child += is << 2;
  }
}

/** Writes the body of a node of the next size, which is no Node256: with `byte` besides the `count` of another. */
function insertSorted(
  to: usize, kind: u32, from: usize, oldKind: u32, count: u32, byte: u32, child: usize,
): void {
  let index: u32 = 0;
  if (oldKind == NODE48) {
    index = rankOf(from, byte);
    memory.copy(to, from, BITMAP);
  } else {
    while (index < count && <u32>load<u8>(from + index) < byte) index++;
  }
  if (kind == NODE48) {
    if (oldKind != NODE48) {
      memory.fill(to, 0, BITMAP);
      for (let i: u32 = 0; i < count; i++) putBit(to, load<u8>(from + i));
    }
    putBit(to, byte);
  } else {
    spread(to, from, count, index, 0);
    store<u8>(to + index, <u8>byte);
  }
  to += indexSize(kind, count + 1);
  spread(to, from + indexSize(oldKind, count), count, index, 2);
  store<u32>(to + (index << 2), <u32>child);
}

/**
 * Adds a child under a byte that has none.
 * @returns the node, which has moved if it had to grow, or 0 where memory is out (and nothing has changed)
 */
export function nodeAdd(node: usize, byte: u32, child: usize): usize {
  const header = headerOf(node);
  const prefixLen = prefixLenOf(header);
  const oldKind = kindOf(header);
  const count = countOf(header);
  const kind = count < 4 ? NODE4 : count < 16 ? NODE16 : count < 48 ? NODE48 : NODE256;
  let grown = node;
  if (oldKind != NODE256) {
    const trunk = HEADER + prefixLen + bodySize(kind, count + 1);
    const stop = stopOf(node);
    grown = slabAlloc(trunk + (stop ? STOP : 0));
    if (!grown) return 0;
    memory.copy(prefixOf(grown), prefixOf(node), prefixLen);
    const from = prefixOf(node) + prefixLen;
    const to = prefixOf(grown) + prefixLen;
    if (kind == NODE256) spread256(to, from);
    else insertSorted(to, kind, from, oldKind, count, byte, child);
    if (stop) putStop(grown + trunk, load<u32>(stop), stopLen(stop));
    nodeFree(node);
  }
  if (kind == NODE256) store<u32>(prefixOf(grown) + prefixLen + (byte << 2), <u32>child);
  putHeader(grown, prefixLen, kind, count + 1, header & HAS_STOP);
  return grown;
}

// @ts-ignore: decorator
@inline
export function leafRest(leaf: usize): u32 {
  return <u32>load<u16>(leaf - LEAF) & LEN_MASK;
}

// @ts-ignore: decorator
@inline
function leafWidth(leaf: usize): u32 {
  return (<u32>load<u16>(leaf - LEAF) >> 13) + 1;
}

// @ts-ignore: decorator
@inline
export function leafSuffix(leaf: usize): usize {
  return leaf + leafWidth(leaf) + (2 - LEAF);
}

/** Bytes of a suffix: what is left of the key but its implicit NUL. */
// @ts-ignore: decorator
@inline
export function suffixLenOf(rest: u32): u32 {
  return rest - u32(rest != 0);
}

// @ts-ignore: decorator
@inline
export function leafValue(leaf: usize): u64 {
  // May read past the block: slabs are padded for it.
  return load<u64>(leaf + (2 - LEAF)) & (~<u64>0 >> (64 - (<u64>leafWidth(leaf) << 3)));
}

/** Bytes of a leaf. */
export function leafSize(leaf: usize): u32 {
  return 2 + leafWidth(leaf) + suffixLenOf(leafRest(leaf));
}

function widthOf(value: u64): u32 {
  return <u32>((71 - clz(value | 1)) >> 3);
}

/**
 * @param suffix what of the key is behind the branch
 * @param rest its bytes and the implicit NUL, or 0 where the branch was that NUL
 * @returns the tagged pointer of a new leaf, or 0 where memory is out
 */
export function leafNew(suffix: usize, rest: u32, value: u64): usize {
  const width = widthOf(value);
  const suffixLen = suffixLenOf(rest);
  const block = slabAlloc(2 + width + suffixLen);
  if (!block) return 0;
  store<u16>(block, <u16>(rest | ((width - 1) << 13)));
  putValue(block + 2, width, value);
  // A suffix of none may begin past the end of memory, which even an empty copy may not.
  if (suffixLen) memory.copy(block + 2 + width, suffix, suffixLen);
  return block | LEAF;
}

function putValue(ptr: usize, width: u32, value: u64): void {
  for (let i: u32 = 0; i < width; i++, value >>= 8) store<u8>(ptr + i, <u8>value);
}

/** Gives the leaf another value, if it is one of the same width. */
export function leafPut(leaf: usize, value: u64): bool {
  const width = leafWidth(leaf);
  if (widthOf(value) != width) return false;
  putValue(leaf + (2 - LEAF), width, value);
  return true;
}

export function leafFree(leaf: usize): void {
  slabFree(leaf - LEAF, leafSize(leaf));
}

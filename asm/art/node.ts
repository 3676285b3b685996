/**
 * Inner nodes and leaves of the adaptive radix tree (Leis, Kemper, Neumann: "The Adaptive Radix Tree", ICDE 2013), as
 * they lie in memory. A node is as long as what it holds: the four kinds say how a child is found, the size follows
 * the count, and a node that gains a child moves to a block of the next size.
 *
 *     inner node, 4-byte aligned                                  body
 *     ┌ u24 ─────────────────────────────┬ prefix, whole ─┬────────────────────────────────────────────┐
 *     │ 13 prefixLen │ 2 kind │ count-1  │ prefixLen bytes │ Node4, Node16: keys, ascending, 1 × count  │
 *     └──────────────────────────────────┴────────────────┤                children u32 × count        │
 *                                                          │ Node48:  slot + 1 of each byte, or 0, 256  │
 *                                                          │          children u32 × count, up to 4n    │
 *                                                          │ Node256: children u32 × 256, 0 for none    │
 *                                                          └────────────────────────────────────────────┘
 *     leaf, 4-byte aligned; a child pointer to it has bit 0 set
 *     ┌ u16 ──────────────────┬ value ────────────┬ suffix ─────────────────────┐
 *     │ 13 rest │ 3 width - 1 │ width bytes, LE   │ rest - 1 bytes (0 if rest 0) │
 *     └───────────────────────┴───────────────────┴──────────────────────────────┘
 *
 * Every key ends in an implicit NUL, which no key holds, so no key is a prefix of another. `rest` counts what of the key
 * is behind the leaf's branch, that NUL included: 0 where the branch itself was the NUL. The prefix is stored whole
 * ("pessimistic"), which spares the leaf a copy of the key.
 */
import { slabAlloc, slabFree } from "./slab";

export const LEAF: usize = 1;

export const NODE4: u32 = 0;
export const NODE16: u32 = 1;
export const NODE48: u32 = 2;
export const NODE256: u32 = 3;

const HEADER: u32 = 3;
const LEN_MASK: u32 = 0x1fff;

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

function putHeader(node: usize, prefixLen: u32, kind: u32, count: u32): void {
  store<u16>(node, <u16>(prefixLen | (kind << 13)));
  store<u8>(node, <u8>(count - 1), 2);
}

function bodySize(kind: u32, count: u32): u32 {
  if (kind <= NODE16) return 5 * count;
  return kind == NODE48 ? 256 + (((count + 3) & ~3) << 2) : 1024;
}

/** Bytes of an inner node. */
export function nodeSize(header: u32): u32 {
  return HEADER + prefixLenOf(header) + bodySize(kindOf(header), countOf(header));
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

/**
 * Where the node's child under `byte` is stored.
 * @returns the address of the child pointer (in a Node256 that pointer may be 0), or 0 for none
 */
// @ts-ignore: decorator
@inline
export function findSlot(body: usize, header: u32, byte: u32): usize {
  const kind = kindOf(header);
  if (kind <= NODE16) {
    const count = countOf(header);
    const index = indexOf(body, count, byte);
    return index < count ? body + count + (index << 2) : 0;
  }
  if (kind == NODE256) return body + (byte << 2);
  const slot = <u32>load<u8>(body + byte);
  return slot ? body + 252 + (slot << 2) : 0;
}

/** The child under `byte`, 0 for none. */
export function childOf(node: usize, byte: u32): usize {
  const header = headerOf(node);
  const slot = findSlot(bodyOf(node, header), header, byte);
  return slot ? load<u32>(slot) : 0;
}

/** The leaf of the key that ends at this node, 0 for none. NUL sorts first. */
// @ts-ignore: decorator
@inline
export function endOf(body: usize, header: u32): usize {
  const kind = kindOf(header);
  if (kind <= NODE16) return load<u8>(body) ? 0 : load<u32>(body + countOf(header));
  if (kind == NODE256) return load<u32>(body);
  const slot = <u32>load<u8>(body);
  return slot ? load<u32>(body + 252 + (slot << 2)) : 0;
}

/** The smallest byte from `byte` on that has a child, or 256. */
export function nextByte(node: usize, byte: u32): u32 {
  const header = headerOf(node);
  const body = bodyOf(node, header);
  const kind = kindOf(header);
  if (kind <= NODE16) {
    const count = countOf(header);
    for (let i: u32 = 0; i < count; i++) {
      const key = <u32>load<u8>(body + i);
      if (key >= byte) return key;
    }
    return 256;
  }
  if (kind == NODE48) {
    while (byte < 256 && !load<u8>(body + byte)) byte++;
  } else {
    while (byte < 256 && !load<u32>(body + (byte << 2))) byte++;
  }
  return byte;
}

/**
 * A Node4 of two children.
 * @returns the node, or 0 where memory is out
 */
export function nodePair(prefix: usize, prefixLen: u32, byteA: u32, a: usize, byteB: u32, b: usize): usize {
  const node = slabAlloc(HEADER + prefixLen + bodySize(NODE4, 2));
  if (!node) return 0;
  putHeader(node, prefixLen, NODE4, 2);
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
 * A copy of `node` without the first `cut` bytes of its prefix. The node itself stays.
 * @returns the copy, or 0 where memory is out
 */
export function nodeCut(node: usize, cut: u32): usize {
  const header = headerOf(node);
  const size = nodeSize(header) - cut;
  const copy = slabAlloc(size);
  if (!copy) return 0;
  putHeader(copy, prefixLenOf(header) - cut, kindOf(header), countOf(header));
  memory.copy(prefixOf(copy), prefixOf(node) + cut, size - HEADER);
  return copy;
}

export function nodeFree(node: usize): void {
  slabFree(node, nodeSize(headerOf(node)));
}

/** Writes the body of a Node4 or Node16 that has `byte` besides the `count` keys of another. */
function insertSorted(to: usize, from: usize, count: u32, byte: u32, child: usize): void {
  let at: u32 = 0;
  while (at < count && <u32>load<u8>(from + at) < byte) at++;
  memory.copy(to, from, at);
  store<u8>(to + at, <u8>byte);
  memory.copy(to + at + 1, from + at, count - at);
  const fromChildren = from + count;
  const toChildren = to + count + 1;
  memory.copy(toChildren, fromChildren, at << 2);
  store<u32>(toChildren + (at << 2), <u32>child);
  memory.copy(toChildren + (at << 2) + 4, fromChildren + (at << 2), (count - at) << 2);
}

/** Node16 to Node48. */
function spread48(to: usize, from: usize, count: u32): void {
  memory.fill(to, 0, 256);
  for (let i: u32 = 0; i < count; i++) store<u8>(to + load<u8>(from + i), <u8>(i + 1));
  memory.copy(to + 256, from + count, count << 2);
}

/** Node48 to Node256. */
function spread256(to: usize, from: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    const slot = <u32>load<u8>(from + byte);
    store<u32>(to + (byte << 2), slot ? load<u32>(from + 252 + (slot << 2)) : 0);
  }
}

/** Adds a child to a Node48 or Node256 that has room for it. */
function putChild(body: usize, kind: u32, count: u32, byte: u32, child: usize): void {
  if (kind == NODE256) {
    store<u32>(body + (byte << 2), <u32>child);
  } else {
    store<u8>(body + byte, <u8>(count + 1));
    store<u32>(body + 256 + (count << 2), <u32>child);
  }
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
  const size = HEADER + prefixLen + bodySize(kind, count + 1);
  let grown = node;
  if (size != nodeSize(header)) {
    grown = slabAlloc(size);
    if (!grown) return 0;
    memory.copy(prefixOf(grown), prefixOf(node), prefixLen);
    const from = prefixOf(node) + prefixLen;
    const to = prefixOf(grown) + prefixLen;
    if (kind <= NODE16) insertSorted(to, from, count, byte, child);
    else if (oldKind == kind) memory.copy(to, from, bodySize(kind, count));
    else if (kind == NODE48) spread48(to, from, count);
    else spread256(to, from);
    nodeFree(node);
  }
  if (kind > NODE16) putChild(prefixOf(grown) + prefixLen, kind, count, byte, child);
  putHeader(grown, prefixLen, kind, count + 1);
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

/**
 * The index of paths: an adaptive radix tree from byte strings to u64 values, after Leis, Kemper, Neumann: "The
 * Adaptive Radix Tree" (ICDE 2013), with path compression and lazy expansion. `node.ts` draws the memory.
 *
 * Keys are any bytes but NUL, 0 to `Limit.PATH` of them; one may be a prefix of another. A byte string with a NUL can
 * be asked for and is never found. A value whose high bytes are 0 takes fewer bytes: put flags in the low bits.
 *
 * Invariants: an inner node has at least two children; the child under NUL is a leaf; the bytes from the root to a
 * leaf, prefixes, branches and suffix, are its key and the implicit NUL. A stop, a leaf within a node's prefix, has the
 * bytes before it for its key.
 */
import { LOOKUP_CACHES } from "../base/features";
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { commonLen, equalPadded, lengthToNul, PAD } from "./compare";
import {
  headerOf,
  LEAF,
  leafFree,
  leafNew,
  leafPut,
  leafRest,
  leafSuffix,
  leafValue,
  nodeAdd,
  nodeCut,
  nodeEnd,
  nodeFree,
  nodeJoin,
  nodePair,
  prefixLenOf,
  prefixOf,
  slotOf,
  stopAt,
  stopLen,
  stopOf,
  suffixLenOf,
} from "./node";
import {
  directoryLen,
  hasShortcuts,
  shortcutDepth,
  shortcutInit,
  shortcutNode,
  shortcutOf,
  shortcutPut,
  shortcutReset,
  shortcutStale,
} from "./directory-cache";
import { slabBytes, slabInit, slabReset } from "./slab";

/** Holds the root's pointer, so that it is a slot like any other. */
const root: usize = memory.data(4, 4);
/** For keys at the very end of memory. */
const scratch: usize = memory.data(4096 + 2 * 16, 16);
let count: u32 = 0;

/** The value that the last successful find or longest-prefix search met. */
export let artValue: u64 = 0;

/**
 * Starts empty, on a heap that has just been initialised: what an earlier tree held there is forgotten, not freed.
 * @param maxBytes the most memory that the tree may take of the heap, its shortcuts included
 */
export function artInit(maxBytes: usize): void {
  slabInit(maxBytes);
  if (LOOKUP_CACHES) shortcutInit();
  store<u32>(root, 0);
  count = 0;
}

/** Forgets all keys and gives the memory back to the heap. */
export function artReset(): void {
  if (LOOKUP_CACHES) shortcutReset();
  slabReset();
  store<u32>(root, 0);
  count = 0;
}

/** Keys in the tree. */
export function artCount(): u32 {
  return count;
}

/** Bytes that the tree holds of the heap, those it has in reserve included. */
export function artBytes(): usize {
  return slabBytes();
}

/** The root: 0, a node, or a leaf with its tag. For tests. */
export function artRoot(): usize {
  return load<u32>(root);
}

/** A copy of the key that can be read past its end. */
function padded(keyPtr: usize, keyLen: u32): usize {
  memory.copy(scratch, keyPtr, keyLen);
  return scratch;
}

/** The key's byte at `depth`, or the NUL behind it. */
// @ts-ignore: decorator
@inline
function byteAt(keyPtr: usize, keyLen: u32, depth: u32): u32 {
  return depth < keyLen ? <u32>load<u8>(keyPtr + depth) : 0;
}

/** Finds the key whose last `len` bytes are a part of the node's prefix. */
function findStop(node: usize, keyPtr: usize, len: u32): bool {
  const stop = stopAt(node, len);
  if (!stop || commonLen(prefixOf(node), keyPtr, len) < len) return false;
  artValue = leafValue(load<u32>(stop));
  return true;
}

/**
 * Looks a key up.
 * @returns whether it is there; `artValue` is then its value
 */
export function artFind(keyPtr: usize, keyLen: u32): bool {
  if (keyLen > Limit.PATH) return false;
  let at: usize = load<u32>(root);
  if (!at) return false;
  // The key is read past its end, which must not be past the memory's.
  if (<u64>keyPtr + keyLen + 2 * PAD > (<u64>memory.size() << 16)) keyPtr = padded(keyPtr, keyLen);
  let depth: u32 = 0;
  let entry: usize = 0;
  let mark: usize = 0;
  let markDepth: u32 = 0;
  const directory = LOOKUP_CACHES && hasShortcuts(count) ? directoryLen(keyPtr, keyLen) : 0;
  if (LOOKUP_CACHES && directory) {
    entry = shortcutOf(keyPtr, directory);
    const node = shortcutNode(entry, keyPtr, directory);
    if (node) {
      at = node;
      depth = shortcutDepth(entry);
      entry = 0;
    }
  }
  while (!(at & LEAF)) {
    if (LOOKUP_CACHES && entry && depth <= directory) {
      mark = at;
      markDepth = depth;
    }
    const header = headerOf(at);
    const prefixLen = prefixLenOf(header);
    if (prefixLen > keyLen - depth) return findStop(at, keyPtr + depth, keyLen - depth);
    if (!equalPadded(prefixOf(at), keyPtr + depth, prefixLen)) return false;
    depth += prefixLen;
    const byte = select<u32>(load<u8>(keyPtr + depth), 0, depth < keyLen);
    const slot = slotOf(at, byte);
    if (!slot) return false;
    at = load<u32>(slot);
    if (!at) return false;
    depth++;
  }
  if (LOOKUP_CACHES && mark) shortcutPut(entry, mark, markDepth, keyPtr, directory);
  const rest = leafRest(at);
  if (depth + rest != keyLen + 1) return false;
  if (!equalPadded(leafSuffix(at), keyPtr + depth, suffixLenOf(rest))) return false;
  artValue = leafValue(at);
  return true;
}

/**
 * The longest stored key that is a path prefix of the given one: equal to it, or followed in it by a slash, or empty.
 * It is sought from the longest on: mostly the key itself or its directory is there, and found by a shortcut.
 * @returns its length in bytes, with its value in `artValue`, or -1 where there is none
 */
export function artLongest(keyPtr: usize, keyLen: u32): i32 {
  let len = keyLen;
  while (!artFind(keyPtr, len)) {
    if (!len || keyLen > Limit.PATH) return -1;
    do len--;
    while (len && load<u8>(keyPtr + len) != 0x2f);
  }
  return len;
}

/** Puts a value in place of the leaf's. */
function replace(slot: usize, leaf: usize, value: u64): i32 {
  if (leafPut(leaf, value)) return Status.OK;
  const fresh = leafNew(leafSuffix(leaf), leafRest(leaf), value);
  if (!fresh) return Status.OUT_OF_MEMORY;
  store<u32>(slot, <u32>fresh);
  leafFree(leaf);
  return Status.OK;
}

/**
 * Branches where the key leaves a leaf's suffix, `common` bytes behind `depth`.
 * @param fresh the leaf of the key
 * @returns what takes the leaf's place, or 0 where memory is out (and nothing has changed); so does `splitPrefix`
 */
function splitLeaf(leaf: usize, common: u32, keyPtr: usize, keyLen: u32, depth: u32, fresh: usize): usize {
  const suffix = leafSuffix(leaf);
  const suffixLen = suffixLenOf(leafRest(leaf));
  const old = leafNew(suffix + common + 1, suffixLen - common, leafValue(leaf));
  if (!old) return 0;
  const oldByte = byteAt(suffix, suffixLen, common);
  const node = nodePair(keyPtr + depth, common, oldByte, old, byteAt(keyPtr, keyLen, depth + common), fresh);
  leafFree(node ? leaf : old);
  return node;
}

/** Branches where the key leaves a node's prefix, `common` bytes behind `depth`. */
function splitPrefix(node: usize, common: u32, keyPtr: usize, keyLen: u32, depth: u32, fresh: usize): usize {
  const branch = depth + common;
  const stop = stopOf(node);
  if (!stop && branch == keyLen) return nodeEnd(node, fresh, common);
  const lower = nodeCut(node, common + 1);
  if (!lower) return 0;
  const lowerByte = <u32>load<u8>(prefixOf(node) + common);
  const pair = nodePair(keyPtr + depth, common, lowerByte, lower, byteAt(keyPtr, keyLen, branch), fresh);
  let upper = pair;
  if (pair && stop && stopLen(stop) <= common) {
    upper = nodeEnd(pair, load<u32>(stop), stopLen(stop));
    if (!upper) nodeFree(pair);
  }
  nodeFree(upper ? node : lower);
  return upper;
}

/**
 * Stores a value under a key, in place of the one that is there.
 * @returns `OK`; `OUT_OF_MEMORY` at the cap or where the heap has no more, `PATH_TOO_LONG` for more than `Limit.PATH`
 *   bytes, `EINVAL` for a key with a NUL: the tree is then as it was
 */
export function artInsert(keyPtr: usize, keyLen: u32, value: u64): i32 {
  if (keyLen > Limit.PATH) return Status.PATH_TOO_LONG;
  if (lengthToNul(keyPtr, keyLen) < keyLen) return Status.EINVAL;
  let above = root;
  let slot = root;
  let at: usize = load<u32>(slot);
  if (!at) {
    at = leafNew(keyPtr, keyLen + 1, value);
    if (!at) return Status.OUT_OF_MEMORY;
    store<u32>(slot, <u32>at);
    count = 1;
    return Status.OK;
  }
  let depth: u32 = 0;
  let common: u32 = 0;
  let len: u32 = 0;
  while (!(at & LEAF)) {
    len = prefixLenOf(headerOf(at));
    common = commonLen(prefixOf(at), keyPtr + depth, min(len, keyLen - depth));
    if (common < len) {
      const stop = depth + common == keyLen ? stopAt(at, common) : 0;
      if (stop) return replace(stop, load<u32>(stop), value);
      break;
    }
    const child = slotOf(at, byteAt(keyPtr, keyLen, depth + len));
    if (!child || !load<u32>(child)) break;
    above = slot;
    slot = child;
    at = load<u32>(slot);
    depth += len + 1;
  }
  if (at & LEAF) {
    // Behind the branch of the implicit NUL there is nothing to compare: the key is the leaf's.
    if (depth > keyLen) return replace(slot, at, value);
    len = suffixLenOf(leafRest(at));
    common = commonLen(leafSuffix(at), keyPtr + depth, min(len, keyLen - depth));
    if (common == len && common == keyLen - depth) return replace(slot, at, value);
  }
  const branch = depth + common;
  const fresh = leafNew(keyPtr + branch + 1, keyLen - branch, value);
  if (!fresh) return Status.OUT_OF_MEMORY;
  let made: usize;
  if (at & LEAF) made = splitLeaf(at, common, keyPtr, keyLen, depth, fresh);
  else if (common < len) made = splitPrefix(at, common, keyPtr, keyLen, depth, fresh);
  else made = nodeAdd(at, byteAt(keyPtr, keyLen, branch), fresh);
  if (!made) {
    leafFree(fresh);
    return Status.OUT_OF_MEMORY;
  }
  store<u32>(slot, <u32>made);
  store<u32>(above, <u32>nodeJoin(load<u32>(above)));
  if (LOOKUP_CACHES) shortcutStale();
  count++;
  return Status.OK;
}

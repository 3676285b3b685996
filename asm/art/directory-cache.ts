/**
 * Shortcuts into the tree: a direct-mapped cache from the directory of a key that was looked up to the deepest node on
 * the way to it, so that a random lookup does not meet every node from the root on. An entry holds the directory's
 * bytes, which are compared: a collision costs a descent, never a wrong answer. An insertion moves nodes, so it makes
 * all entries stale.
 *
 *     entry, a cache line
 *     ┌ node u32 ┬ epoch u32 ┬ depth u8 ┬ len u8 ┬ directory, up to its slash, len bytes ┐
 *     └──────────┴───────────┴──────────┴────────┴───────────────────────────────────────┘
 */
import { heapAlloc, heapFree, heapSizeOf } from "../base/heap";
import { equalPadded, PAD } from "./compare";
import { slabCharge } from "./slab";

const ENTRY: u32 = 64;
const PATH: u32 = 10;
const LEN_MAX: u32 = ENTRY - PATH;
/** Directories that are shorter are as near to the root. */
const LEN_MIN: u32 = 8;
/** A tree of fewer keys does without. */
const COUNT_MIN: u32 = 2048;
/** Keys to an entry: 4 bytes a key. */
const KEYS: u32 = 16;

let block: usize = 0;
let table: usize = 0;
let entries: u32 = 0;
/** Keys in the tree from which on the table is to be made anew. */
let renewAt: u32 = COUNT_MIN;
let epoch: u32 = 1;

/** Bytes of the key up to its last slash, that one included, that an entry has room for; 0 for none worth it. */
// @ts-ignore: decorator
@inline
export function directoryLen(keyPtr: usize, keyLen: u32): u32 {
  let len = min(keyLen, LEN_MAX);
  while (len >= LEN_MIN && load<u8>(keyPtr + len - 1) != 0x2f) len--;
  return len >= LEN_MIN ? len : 0;
}

/** The entry in which the directory belongs. `len` is at least 8. */
// @ts-ignore: decorator
@inline
export function shortcutOf(keyPtr: usize, len: u32): usize {
  let hash = load<u64>(keyPtr + len - 8) * 0x9e3779b97f4a7c15;
  for (let i: u32 = 0; i + 8 < len; i += 8) {
    hash = (rotl<u64>(hash, 29) ^ load<u64>(keyPtr + i)) * 0x9e3779b97f4a7c15;
  }
  return table + <usize>(((hash >> 32) * entries) >> 32) * ENTRY;
}

/** The node that the entry leads to, if it is this directory's; 0 otherwise. */
// @ts-ignore: decorator
@inline
export function shortcutNode(entry: usize, keyPtr: usize, len: u32): usize {
  if (load<u32>(entry, 4) != epoch || load<u8>(entry, 9) != len) return 0;
  return equalPadded(entry + PATH, keyPtr, len) ? <usize>load<u32>(entry) : 0;
}

/** Bytes of the key on the way to the entry's node. */
// @ts-ignore: decorator
@inline
export function shortcutDepth(entry: usize): u32 {
  return load<u8>(entry, 8);
}

/** Makes the entry lead to `node`, which is entered at `depth`, at most `len`. */
export function shortcutPut(entry: usize, node: usize, depth: u32, keyPtr: usize, len: u32): void {
  store<u32>(entry, <u32>node);
  store<u32>(entry, epoch, 4);
  store<u8>(entry, <u8>depth, 8);
  store<u8>(entry, <u8>len, 9);
  memory.copy(entry + PATH, keyPtr, len);
}

/** To be called after every change of the tree. */
export function shortcutStale(): void {
  epoch++;
  if (epoch) return;
  // Come round: entries of long ago must not look fresh.
  epoch = 1;
  if (entries) memory.fill(table, 0, entries * ENTRY);
}

/** Forgets the table without freeing it. */
export function shortcutInit(): void {
  block = 0;
  entries = 0;
  renewAt = COUNT_MIN;
  epoch = 1;
}

/** Gives the table back to the heap. */
export function shortcutReset(): void {
  if (block) {
    slabCharge(-<isize>heapSizeOf(block));
    heapFree(block);
  }
  shortcutInit();
}

/** Makes a table for a tree of `count` keys, where memory allows. */
function renew(count: u32): void {
  shortcutReset();
  // Not before the tree has doubled, whether this succeeds or not.
  renewAt = count << 1;
  const wanted = count / KEYS;
  // Lines are aligned.
  const size = wanted * ENTRY + ENTRY + PAD;
  block = heapAlloc(size);
  if (!block) return;
  if (!slabCharge(heapSizeOf(block))) {
    heapFree(block);
    block = 0;
    return;
  }
  table = (block + (ENTRY - 1)) & ~<usize>(ENTRY - 1);
  entries = wanted;
  memory.fill(block, 0, size);
}

/** Whether there is a table. Makes one for a tree that has outgrown the last. */
// @ts-ignore: decorator
@inline
export function hasShortcuts(count: u32): bool {
  if (count >= renewAt) renew(count);
  return entries != 0;
}

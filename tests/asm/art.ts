/** The tree's entry for its tests: the interface, a checker of its invariants, and loops that measure it. */
export { heapAlloc, heapFree, heapInit, heapUsed } from "../../asm/base/heap";
export { artBytes, artCount, artFind, artInit, artInsert, artLongest, artReset, artValue } from "../../asm/art/art";
export { slabUnused } from "../../asm/art/slab";
import { artFind, artInsert, artRoot } from "../../asm/art/art";
import { bodyOf, countOf, headerOf, kindOf, LEAF, leafRest, leafSize, NODE16, NODE256, NODE4, NODE48, nodeSize, prefixLenOf, slotOf, stopLen, stopOf, suffixLenOf } from "../../asm/art/node";

/** Nodes of each kind, leaves, bytes of blocks, bytes of names, the number of the first broken invariant. */
const counts: usize = memory.data(8 * 4, 8);
const NAME_BYTES: usize = 6 * 4;
const BLOCK_BYTES: usize = 5 * 4;

function tally(offset: usize, add: u32): void {
  store<u32>(counts + offset, load<u32>(counts + offset) + add);
}

function checkLeaf(leaf: usize, byte: u32, isRoot: bool): i32 {
  const rest = leafRest(leaf);
  // Only the branch of the implicit NUL leaves nothing, not even that NUL, to the leaf.
  if (!isRoot && (rest == 0) != (byte == 0)) return 1;
  if (isRoot && !rest) return 2;
  tally(4 * 4, 1);
  tally(BLOCK_BYTES, leafSize(leaf));
  tally(NAME_BYTES, suffixLenOf(rest));
  return 0;
}

function checkNode(at: usize, byte: u32, isRoot: bool): i32 {
  if (at & LEAF) return checkLeaf(at, byte, isRoot);
  if (at & 3) return 3;
  if (!isRoot && !byte) return 4;
  const header = headerOf(at);
  const kind = kindOf(header);
  const count = countOf(header);
  const least: u32 = kind == NODE4 ? 2 : kind == NODE16 ? 5 : kind == NODE48 ? 17 : 49;
  const most: u32 = kind == NODE4 ? 4 : kind == NODE16 ? 16 : kind == NODE48 ? 48 : 256;
  if (count < least || count > most) return 5;
  if (kind <= NODE16) {
    const body = bodyOf(at, header);
    for (let i: u32 = 1; i < count; i++) if (load<u8>(body + i - 1) >= load<u8>(body + i)) return 6;
  }
  tally(kind << 2, 1);
  tally(BLOCK_BYTES, nodeSize(header));
  tally(NAME_BYTES, prefixLenOf(header));
  const stop = stopOf(at);
  if (stop) {
    if (stopLen(stop) >= prefixLenOf(header) || !(load<u32>(stop) & LEAF)) return 8;
    const broken = checkLeaf(load<u32>(stop), 0, false);
    if (broken) return broken;
  }
  let met: u32 = 0;
  for (let key: u32 = 0; key < 256; key++) {
    const slot = slotOf(at, key);
    const child: usize = slot ? load<u32>(slot) : 0;
    if (!child) continue;
    if (key) tally(NAME_BYTES, 1);
    const broken = checkNode(child, key, false);
    if (broken) return broken;
    met++;
  }
  return met == count ? 0 : 7;
}

/**
 * Walks the whole tree.
 * @returns eight u32: Node4s, Node16s, Node48s, Node256s, leaves, bytes of all blocks, bytes of names as stored
 *   (prefixes, branches, suffixes), and the number of the invariant that does not hold, or 0
 */
export function inspect(): usize {
  memory.fill(counts, 0, 8 * 4);
  const root = artRoot();
  if (root) store<i32>(counts, checkNode(root, 1, true), 7 * 4);
  return counts;
}

/**
 * Inserts `count` keys, each a u16 length and its bytes; values are like offsets in a pack, 1 KiB apart, and flags.
 * @returns the index of the first that fails, or -1
 */
export function insertAll(keys: usize, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const len = <u32>load<u16>(keys);
    if (artInsert(keys + 2, len, <u64>i << 15 | 1)) return i;
    keys += 2 + len;
  }
  return -1;
}

/** Looks up the keys that `count` pointers lead to, and says how many are there. */
export function findAll(pointers: usize, count: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const key: usize = load<u32>(pointers + (i << 2));
    found += u32(artFind(key + 2, load<u16>(key)));
  }
  return found;
}

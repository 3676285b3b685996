/** Entries of a tree object: mode in octal, a space, the name, NUL, 20 bytes of id. */
import { Limit } from "../base/limits";
import { Status } from "../base/status";

/** Kinds of a tree's entries. */
export namespace Entry {
  export const TREE: u32 = 1;
  export const FILE: u32 = 2;
  export const EXECUTABLE: u32 = 3;
  export const SYMLINK: u32 = 4;
  export const SUBMODULE: u32 = 5;
}

/** The entry that `treeNext` has read. Pointers lie in the tree's data. */
export let treeKind: u32 = 0;
export let treeName: usize = 0;
export let treeNameLen: u32 = 0;
export let treeOid: usize = 0;
/** The next entry. */
export let treeRest: usize = 0;
/** The entry that `treeFind` found. */
export let treeStart: usize = 0;

/**
 * The kind that a mode stands for, as git's `canon_mode` has it: permissions other than the owner's execution bit do not
 * matter, and a mode without a type that git knows is a submodule's.
 */
function kindOf(mode: u32): u32 {
  switch ((mode >> 12) & 0o17) {
    case 0o04:
      return Entry.TREE;
    case 0o10:
      return mode & 0o100 ? Entry.EXECUTABLE : Entry.FILE;
    case 0o12:
      return Entry.SYMLINK;
    default:
      return Entry.SUBMODULE;
  }
}

/** The canonical mode of a kind, as git writes it. */
export function modeOf(kind: u32): u32 {
  switch (kind) {
    case Entry.TREE:
      return 0o040000;
    case Entry.FILE:
      return 0o100644;
    case Entry.EXECUTABLE:
      return 0o100755;
    case Entry.SYMLINK:
      return 0o120000;
    default:
      return 0o160000;
  }
}

/**
 * The first NUL or slash from `ptr` on. Objects end in slack that holds one: the search ends there at the
 * latest.
 */
function nameEnd(ptr: usize): usize {
  while (true) {
    const word = load<u64>(ptr);
    const slashes = word ^ 0x2f2f2f2f2f2f2f2f;
    // The lowest byte that is zero has its upper bit set, in either.
    const found =
      (((word - 0x0101010101010101) & ~word) | ((slashes - 0x0101010101010101) & ~slashes)) & 0x8080808080808080;
    if (found) return ptr + <usize>(ctz(found) >> 3);
    ptr += 8;
  }
}

/** Whether the name is `.` or `..`, which no path can hold. */
function isDots(): bool {
  if (treeNameLen > 2 || load<u8>(treeName) != 0x2e) return false;
  return treeNameLen == 1 || load<u8>(treeName, 1) == 0x2e;
}

/**
 * Reads the entry at `ptr`, which lies before `end`.
 * @returns OK or BAD_TREE
 */
export function treeNext(ptr: usize, end: usize): i32 {
  let mode: u32 = 0;
  const digits = ptr;
  while (true) {
    if (ptr == end) return Status.BAD_TREE;
    const char: u32 = load<u8>(ptr++);
    if (char == 0x20) break;
    if (char < 0x30 || char > 0x37) return Status.BAD_TREE;
    mode = (mode << 3) | (char & 7);
  }
  if (ptr - digits == 1) return Status.BAD_TREE;
  treeKind = kindOf(mode);
  treeName = ptr;
  ptr = nameEnd(ptr);
  treeNameLen = <u32>(ptr - treeName);
  if (ptr >= end || end - ptr < 21 || load<u8>(ptr)) return Status.BAD_TREE;
  if (treeNameLen == 0 || treeNameLen > Limit.NAME || isDots()) return Status.BAD_TREE;
  treeOid = ptr + 1;
  treeRest = ptr + 21;
  return Status.OK;
}

/**
 * Compares two entries in git's order, which takes a directory's name as if it ended in a slash.
 * @returns below 0, above 0, or 0 where both have one name and either both or neither are directories
 */
export function treeOrder(a: usize, aLen: u32, aTree: bool, b: usize, bLen: u32, bTree: bool): i32 {
  const common = min<u32>(aLen, bLen);
  const order = memory.compare(a, b, common);
  if (order) return order;
  const x: u32 = common < aLen ? load<u8>(a + common) : aTree ? 0x2f : 0;
  const y: u32 = common < bLen ? load<u8>(b + common) : bTree ? 0x2f : 0;
  return <i32>x - <i32>y;
}

/**
 * Reads the entry at `ptr`, which must come behind another one in git's order.
 * @param before where that one begins, or 0 for none
 * @returns OK or BAD_TREE
 */
export function treeNextAfter(before: usize, ptr: usize, end: usize): i32 {
  if (!before) return treeNext(ptr, end);
  treeNext(before, end);
  const name = treeName;
  const nameLen = treeNameLen;
  const isTree = treeKind == Entry.TREE;
  const status = treeNext(ptr, end);
  if (status != Status.OK) return status;
  const order = treeOrder(name, nameLen, isTree, treeName, treeNameLen, treeKind == Entry.TREE);
  return order < 0 ? Status.OK : Status.BAD_TREE;
}

/**
 * Compares the well-formed entry at `ptr` with a name in git's order: below 0 if it comes before, 0 if it is the
 * entry of that name.
 * @param isTree whether a directory of that name is meant
 */
export function treeCompare(ptr: usize, end: usize, name: usize, nameLen: u32, isTree: bool): i32 {
  treeNext(ptr, end);
  return treeOrder(treeName, treeNameLen, treeKind == Entry.TREE, name, nameLen, isTree);
}

/**
 * Finds the first entry of a name by walking.
 * @param ptr where an entry begins, or `end`
 * @returns OK with the entry and `treeStart`, NOT_FOUND or BAD_TREE
 */
export function treeFind(ptr: usize, end: usize, name: usize, nameLen: u32): i32 {
  while (ptr < end) {
    const status = treeNext(ptr, end);
    if (status != Status.OK) return status;
    treeStart = ptr;
    if (treeNameLen == nameLen && memory.compare(treeName, name, nameLen) == 0) return Status.OK;
    ptr = treeRest;
  }
  return Status.NOT_FOUND;
}

/**
 * A quick look at a tree: most trees are sound and plain, and pass. A tree that may be unsound is left to
 * `src/git/examine-tree.ts`, which has the rules and names the defect.
 */
import { Status } from "../base/status";
import { Entry, treeKind, treeName, treeNameLen, treeNext, treeOid, treeOrder, treeRest } from "../git/tree";
import { rankOf } from "./id-table";

/** Names of files that may come again as a directory's: each is the beginning of all names behind it. */
const PREFIXES: u32 = 32;
const prefixes: usize = memory.data(32 * 8, 8);

/** Whether a mode is written as git writes it. */
function isCanonical(mode: usize, len: u32, kind: u32): bool {
  if (kind == Entry.TREE) return len == 5 && load<u32>(mode) == 0x30303034; // "4000"
  const rest = load<u16>(mode, 4);
  const first = load<u32>(mode);
  if (len != 6) return false;
  if (kind == Entry.FILE) return first == 0x36303031 && rest == 0x3434; // "100644"
  if (kind == Entry.EXECUTABLE) return first == 0x37303031 && rest == 0x3535; // "100755"
  if (kind == Entry.SYMLINK) return first == 0x30303231 && rest == 0x3030; // "120000"
  return first == 0x30303631 && rest == 0x3030; // "160000"
}

/**
 * Whether `src/git/examine-tree.ts` must judge the name: some file system could take it for `.git`, or git reads
 * settings from a file of that name.
 */
function isDoubtful(name: usize, len: u32, kind: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    const char: u32 = load<u8>(name + i);
    if (char >= 0x80 || char == 0x7e || char == 0x5c) return true;
  }
  if (len < 4) return false;
  const isFile = kind == Entry.FILE || kind == Entry.EXECUTABLE;
  const start = load<u32>(name) | 0x20202020;
  // Files such as `.gitignore` are common, and sound.
  if (start == 0x7469672e) return len == 4 || (<u32>load<u8>(name, 4) | 0x20) - 0x61 > 25 || !isFile; // ".git"
  return start == 0x69616d2e && kind == Entry.SYMLINK; // ".mai"
}

/** Whether an id of 20 bytes is all zeros. */
function isNullId(oid: usize): bool {
  return !(load<u64>(oid) | load<u64>(oid, 8) | <u64>load<u32>(oid, 16));
}

/**
 * Reads a tree of `size` bytes and a zero behind them.
 * @param edges room for `size / 23` words: for each entry, the rank of its object in the table times 8 (0x1fffffff
 *   for an object that is not in it), plus its kind (`Entry`)
 * @returns the number of entries, or -1 for a tree that must be examined more closely
 */
export function treeScan(ptr: usize, size: u32, edges: usize): i32 {
  const end = ptr + size;
  let count: i32 = 0;
  let last: usize = 0;
  let lastLen: u32 = 0;
  let lastIsTree = false;
  let depth: u32 = 0;
  while (ptr < end) {
    if (treeNext(ptr, end) != Status.OK) return -1;
    const name = treeName;
    const len = treeNameLen;
    const kind = treeKind;
    const isTree = kind == Entry.TREE;
    if (!isCanonical(ptr, <u32>(name - ptr) - 1, kind) || isDoubtful(name, len, kind)) return -1;
    if (last && treeOrder(last, lastLen, lastIsTree, name, len, isTree) >= 0) return -1;
    // Between a file and a directory of one name stand only names that begin with it.
    while (depth > 0) {
      const slot = prefixes + (depth - 1) * 8;
      const prefixLen = load<u32>(slot, 4);
      if (prefixLen <= len && memory.compare(load<u32>(slot), name, prefixLen) == 0) {
        if (prefixLen == len) return -1;
        break;
      }
      depth--;
    }
    if (!isTree) {
      if (depth == PREFIXES) return -1;
      store<u32>(prefixes + depth * 8, <u32>name);
      store<u32>(prefixes + depth * 8, len, 4);
      depth++;
    }
    if (kind == Entry.SUBMODULE && isNullId(treeOid)) return -1;
    const rank = kind == Entry.SUBMODULE ? -1 : rankOf(treeOid);
    store<u32>(edges + (<usize>count << 2), (<u32>rank << 3) | kind);
    count++;
    last = name;
    lastLen = len;
    lastIsTree = isTree;
    ptr = treeRest;
  }
  return count;
}

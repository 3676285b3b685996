/**
 * Finds names in a tree object. A large tree gets an index on its first search, so that the search halves the tree
 * instead of walking it. The index holds the position of an entry about every `STEP` bytes:
 *
 *     │ count u32 │ position u32 × count, ascending: bytes from the start of the tree's data │
 *
 * Only a tree that is well-formed and in git's order throughout is indexed. Any other tree is walked.
 */
import { LOOKUP_CACHES } from "../base/features";
import { heapFree } from "../base/heap";
import { Status } from "../base/status";
import { treeCompare, treeFind, treeName, treeNameLen, treeNext, treeNextAfter, treeRest, treeStart } from "../git/tree";
import { GitObject, NO_INDEX, cacheAlloc, keepIndex } from "./cache";

/** Bytes between indexed entries, at least. */
const STEP: u32 = 1024;
/** A smaller tree is walked: an index would cost more than it saves. */
const INDEX_MIN: u32 = 4 * STEP;

/**
 * Finds the first entry of a name.
 * @param tree held by the caller
 * @param name `nameLen` bytes, at least one
 * @returns OK with what `treeNext` sets for the entry; NOT_FOUND; BAD_TREE
 */
export function treeSearch(tree: GitObject, name: usize, nameLen: u32): i32 {
  const data = tree.data;
  const end = data + tree.size;
  if (!LOOKUP_CACHES) return treeFind(data, end, name, nameLen);
  if (isNext(tree, end, name, nameLen)) return Status.OK;
  if (tree.size >= INDEX_MIN && tree.index != NO_INDEX && (tree.hasIndex || build(tree))) {
    // A file sorts before a directory of its name.
    return halve(tree, name, nameLen, false) || halve(tree, name, nameLen, true) ? Status.OK : Status.NOT_FOUND;
  }
  const status = treeFind(data, end, name, nameLen);
  if (status == Status.OK) tree.found = <u32>(treeStart - data);
  return status;
}

/** Whether the entry that was found last, or the next one, has the name: a reader in order wants the next. */
function isNext(tree: GitObject, end: usize, name: usize, nameLen: u32): bool {
  let at = tree.data + tree.found;
  for (let i = 0; i < 2 && at < end; i++) {
    if (treeNext(at, end) != Status.OK) return false;
    if (treeNameLen == nameLen && memory.compare(treeName, name, nameLen) == 0) {
      tree.found = <u32>(at - tree.data);
      return true;
    }
    at = treeRest;
  }
  return false;
}

/** Indexes a tree, in one walk. @returns whether it has an index now */
function build(tree: GitObject): bool {
  const index = cacheAlloc(4 + ((tree.size / STEP + 1) << 2));
  if (!index) return false;
  const data = tree.data;
  const end = data + tree.size;
  let count: u32 = 0;
  let next = data;
  let before: usize = 0;
  for (let at = data; at < end; at = treeRest) {
    if (treeNextAfter(before, at, end) != Status.OK) {
      heapFree(index);
      tree.index = NO_INDEX;
      return false;
    }
    before = at;
    if (at >= next) {
      count++;
      store<u32>(index + (count << 2), <u32>(at - data));
      next = at + STEP;
    }
  }
  store<u32>(index, count);
  keepIndex(tree, index);
  return true;
}

/** Finds an entry by halving the index and walking from the indexed entry before it. */
function halve(tree: GitObject, name: usize, nameLen: u32, isTree: bool): bool {
  const index = <usize>tree.index;
  const data = tree.data;
  const end = data + tree.size;
  // The entry is not before that of `low`, unless that is the first one, and before that of `high`.
  let low: u32 = 1;
  let high = load<u32>(index) + 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (treeCompare(data + load<u32>(index + (middle << 2)), end, name, nameLen, isTree) > 0) high = middle;
    else low = middle;
  }
  for (let at = data + load<u32>(index + (low << 2)); at < end; at = treeRest) {
    const order = treeCompare(at, end, name, nameLen, isTree);
    if (order > 0) return false;
    if (order) continue;
    tree.found = <u32>(at - data);
    return true;
  }
  return false;
}

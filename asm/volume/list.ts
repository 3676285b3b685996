/**
 * Listings: the entries of a tree in the order of their names' bytes. Git sorts a directory as if its name
 * ended in a slash, so that only directories stand elsewhere: each moves up over the names that begin with
 * its own.
 */
import { GitObject, cacheAlloc } from "../objects/cache";
import { idxFind, idxOffset } from "../git/idx";
import { headSize, objectErrorOffset, objectHead } from "../objects/load";
import { PACK_START } from "../git/entry";
import { provesOid } from "../objects/proof";
import { Entry, treeKind, treeName, treeNameLen, treeNext, treeOid, treeRest } from "../git/tree";
import { blockRelease, blockRequest } from "../device/sector-cache";
import { copyOid } from "../base/bytes";
import { heapFree } from "../base/heap";
import { proveBlob, provenSize, readErrorOffset } from "./read";
import { Status } from "../base/status";

/**
 * The listing: pointers to the tree's entries, as they stand in the tree, u32 each; and, where asked for,
 * their sizes, u64 each.
 */
export let listEntries: usize = 0;
export let listCount: u32 = 0;
export let listSizes: usize = 0;
/**
 * Where an error was met: an entry's offset from the PACK's start, or 0; and the id of an object that is
 * missing.
 */
export let listErrorOffset: u64 = 0;
export const listErrorOid: usize = memory.data(20, 8);
export let listErrorOidKnown: bool = false;

/** Entries that are asked for ahead of the one that a slow device holds up; and bytes of each that is proven. */
const AHEAD: u32 = 16;
const AHEAD_BYTES: u64 = 2048;

/** How many sizes have been found. */
let sized: u32 = 0;

export function listInit(): void {
  listEntries = listSizes = 0;
}

/** Gives the last listing back. */
export function listRelease(): void {
  heapFree(listEntries);
  heapFree(listSizes);
  listEntries = listSizes = 0;
  listErrorOidKnown = false;
  sized = 0;
}

/**
 * Orders two entries of a tree by git's rule; 0 where both have the same name and are, or are not,
 * directories.
 */
function compareEntries(a: usize, aLen: u32, aTree: bool, b: usize, bLen: u32, bTree: bool): i32 {
  const common = min<u32>(aLen, bLen);
  const order = memory.compare(a, b, common);
  if (order) return order;
  const x: u32 = common < aLen ? load<u8>(a + common) : aTree ? 0x2f : 0;
  const y: u32 = common < bLen ? load<u8>(b + common) : bTree ? 0x2f : 0;
  return <i32>x - <i32>y;
}

/** Counts a tree's entries and proves their order. */
function count(tree: GitObject): i32 {
  listCount = 0;
  const end = tree.data + tree.size;
  let name: usize = 0;
  let nameLen: u32 = 0;
  let isTree = false;
  for (let ptr = tree.data; ptr < end; ptr = treeRest) {
    const status = treeNext(ptr, end);
    if (status != Status.OK) return status;
    const nextTree = treeKind == Entry.TREE;
    const order = listCount ? compareEntries(name, nameLen, isTree, treeName, treeNameLen, nextTree) : -1;
    if (order >= 0) return Status.BAD_TREE;
    name = treeName;
    nameLen = treeNameLen;
    isTree = nextTree;
    listCount++;
  }
  return Status.OK;
}

/** Whether the entry at `ptr` has a name that begins with these bytes. */
function beginsWith(ptr: usize, end: usize, name: usize, nameLen: u32): bool {
  treeNext(ptr, end);
  return treeNameLen >= nameLen && memory.compare(treeName, name, nameLen) == 0;
}

/**
 * Where the names that begin with these bytes start among the entries before `last`: they are the last ones. By bisection,
 * as very many long names may begin with those of very many directories.
 */
function firstWith(last: usize, end: usize, name: usize, nameLen: u32): usize {
  let low = listEntries;
  let high = last;
  let middle = last - 4;
  while (low < high) {
    if (beginsWith(load<u32>(middle), end, name, nameLen)) high = middle;
    else low = middle + 4;
    middle = low + (((high - low) >> 3) << 2);
  }
  return low;
}

/**
 * Lists a tree, which the caller holds as long as the listing is used.
 * @returns OK, BAD_TREE where the tree is malformed, out of order, or holds a name twice; OUT_OF_MEMORY
 */
export function listBegin(tree: GitObject): i32 {
  listRelease();
  const status = count(tree);
  if (status != Status.OK) return status;
  listEntries = cacheAlloc(max<u32>(listCount, 1) << 2);
  if (!listEntries) return Status.OUT_OF_MEMORY;
  const end = tree.data + tree.size;
  let last = listEntries;
  for (let ptr = tree.data; ptr < end; last += 4) {
    treeNext(ptr, end);
    const next = treeRest;
    let at = last;
    if (treeKind == Entry.TREE) {
      const name = treeName;
      const nameLen = treeNameLen;
      at = firstWith(last, end, name, nameLen);
      // A file and a directory of one name: git's order lets them stand apart.
      if (at < last && beginsWith(load<u32>(at), end, name, nameLen) && treeNameLen == nameLen)
        return Status.BAD_TREE;
      memory.copy(at + 4, at, last - at);
    }
    store<u32>(at, <u32>ptr);
    ptr = next;
  }
  return Status.OK;
}

/**
 * Finds the sizes of a listing's blobs; 0 stands for what is none. After AGAIN it goes on where it stopped.
 * @returns OK with `listSizes`, AGAIN, or an error
 */
export function listSize(tree: GitObject): i32 {
  if (!listSizes) {
    listSizes = cacheAlloc(max<u32>(listCount, 1) << 3);
    if (!listSizes) return Status.OUT_OF_MEMORY;
  }
  const end = tree.data + tree.size;
  for (; sized < listCount; sized++) {
    treeNext(load<u32>(listEntries + (sized << 2)), end);
    let size: u64 = 0;
    if (treeKind != Entry.TREE && treeKind != Entry.SUBMODULE) {
      const status = sizeOf(treeOid);
      if (status == Status.AGAIN) requestAhead(sized + 1, end);
      if (status != Status.OK) return status;
      size = provesOid() ? provenSize : headSize;
    }
    store<u64>(listSizes + (sized << 3), size);
    blockRelease();
  }
  return Status.OK;
}

/** While the device is slow to answer: asks for what the next entries need, too. */
function requestAhead(index: u32, end: usize): void {
  const stop = min<u32>(listCount, index + AHEAD);
  for (; index < stop; index++) {
    treeNext(load<u32>(listEntries + (index << 2)), end);
    if (treeKind == Entry.TREE || treeKind == Entry.SUBMODULE) continue;
    // A proof that is under way would be lost to another: its bytes alone are asked for.
    if (!provesOid()) sizeOf(treeOid);
    else if (idxFind(treeOid) == Status.OK) blockRequest(idxOffset + PACK_START, AHEAD_BYTES);
  }
}

/** Finds a blob's size, from its header, or, where objects are proven, from what is hashed. */
function sizeOf(oid: usize): i32 {
  let status = idxFind(oid);
  if (status == Status.OK) {
    if (!provesOid()) {
      status = objectHead(idxOffset);
      listErrorOffset = objectErrorOffset;
      return status;
    }
    status = proveBlob(idxOffset, oid);
    if (status == Status.OK) return status;
    listErrorOffset = readErrorOffset;
    copyOid(listErrorOid, oid);
    listErrorOidKnown = true;
  } else {
    listErrorOffset = 0;
    copyOid(listErrorOid, oid);
    listErrorOidKnown = true;
  }
  return status;
}

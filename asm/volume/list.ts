/**
 * Listings: the entries of a tree in the order of their names' bytes. Git sorts a directory as if its name
 * ended in a slash, so that only directories stand elsewhere: each moves up over the names that begin with
 * its own. A listing comes in pages: each page begins behind a name.
 */
import { faultAt, faultOf } from "../base/fault";
import { LAYOUT } from "../base/features";
import { Layout } from "../layout/footer";
import { BAD_PAGE } from "../layout/pages";
import { GitObject, cacheAlloc, keepOrder } from "../objects/cache";
import { findEntry } from "../objects/index";
import { idxOffset } from "../git/idx";
import { headSize, objectAhead, objectHead } from "../objects/load";
import { PACK_START } from "../git/entry";
import { provesOid } from "../objects/proof";
import { Entry, treeKind, treeName, treeNameLen, treeNext, treeOid, treeOrder, treeRest } from "../git/tree";
import { blockRelease, blockRequest } from "../device/sector-cache";
import { heapFree } from "../base/heap";
import { recordKind, recordSize } from "../layout/records";
import { entryName, entryNameLen, layoutList, layoutNext } from "../layout/search";
import { layoutBind, layoutState } from "./layout";
import { resolveLose } from "./lookup";
import { here } from "./operation";
import { proveBlob, provenSize } from "./read";
import { Status } from "../base/status";

/** Entries that are asked for ahead while a device is slow; and bytes of each one, if objects are proven. */
const AHEAD: u32 = 16;
const AHEAD_BYTES: u64 = 2048;

/** The results of `count`. */
let counted: u32 = 0;

/** Counts a tree's entries and proves their order. */
function count(tree: GitObject): i32 {
  counted = 0;
  const end = tree.data + tree.size;
  let name: usize = 0;
  let nameLen: u32 = 0;
  let isTree = false;
  for (let ptr = tree.data; ptr < end; ptr = treeRest) {
    const status = treeNext(ptr, end);
    if (status != Status.OK) return status;
    const nextTree = treeKind == Entry.TREE;
    const order = counted ? treeOrder(name, nameLen, isTree, treeName, treeNameLen, nextTree) : -1;
    if (order >= 0) return Status.BAD_TREE;
    name = treeName;
    nameLen = treeNameLen;
    isTree = nextTree;
    counted++;
  }
  return Status.OK;
}

/** Whether the entry at `ptr` has a name that begins with these bytes. */
function beginsWith(ptr: usize, end: usize, name: usize, nameLen: u32): bool {
  treeNext(ptr, end);
  return treeNameLen >= nameLen && memory.compare(treeName, name, nameLen) == 0;
}

/** Whether the entry at `ptr` has a name that comes after these bytes. */
function isAfter(ptr: usize, end: usize, name: usize, nameLen: u32): bool {
  treeNext(ptr, end);
  const order = memory.compare(treeName, name, min<u32>(treeNameLen, nameLen));
  return order ? order > 0 : treeNameLen > nameLen;
}

/**
 * The first of the sorted entries whose name begins with these bytes, or comes after them; so do all entries from
 * there to `last`. It is found by bisection, as very many long names may begin with those of very many directories.
 */
function firstOf(low: usize, last: usize, end: usize, name: usize, nameLen: u32, after: bool): usize {
  let high = last;
  while (low < high) {
    const middle = low + (((high - low) >> 3) << 2);
    const entry: usize = load<u32>(middle);
    if (after ? isAfter(entry, end, name, nameLen) : beginsWith(entry, end, name, nameLen)) high = middle;
    else low = middle + 4;
  }
  return low;
}

/**
 * Sorts a tree's entries by the bytes of their names. They are kept with the tree, as further pages want them.
 * @returns OK; BAD_TREE where the tree is malformed, out of order, or holds a name twice; OUT_OF_MEMORY
 */
function sort(tree: GitObject): i32 {
  const status = count(tree);
  if (status != Status.OK) return status;
  const order = cacheAlloc((counted + 1) << 2);
  if (!order) return Status.OUT_OF_MEMORY;
  const end = tree.data + tree.size;
  let last = order + 4;
  for (let ptr = tree.data; ptr < end; last += 4) {
    treeNext(ptr, end);
    const next = treeRest;
    let at = last;
    if (treeKind == Entry.TREE) {
      const name = treeName;
      const nameLen = treeNameLen;
      // Names that begin with the directory's name stand last, if there are any.
      if (last > order + 4 && beginsWith(load<u32>(last - 4), end, name, nameLen))
        at = firstOf(order + 4, last, end, name, nameLen, false);
      // A file and a directory may have one name: git's order lets them stand apart.
      if (at < last && beginsWith(load<u32>(at), end, name, nameLen) && treeNameLen == nameLen) {
        heapFree(order);
        return Status.BAD_TREE;
      }
      memory.copy(at + 4, at, last - at);
    }
    store<u32>(at, <u32>ptr);
    ptr = next;
  }
  store<u32>(order, counted);
  keepOrder(tree, order);
  return Status.OK;
}

/**
 * Lists a page of a tree: puts pointers to the entries, as they stand in the tree, into the operation's result. The
 * caller holds the tree as long as the page is used.
 * @param after the name that the page begins behind; no bytes for the first page
 * @param limit the most entries; 0 for all
 * @returns OK; BAD_TREE where the tree is malformed, out of order, or holds a name twice; OUT_OF_MEMORY
 */
export function listPage(tree: GitObject, after: usize, afterLen: u32, limit: u32): i32 {
  if (!tree.order) {
    const status = sort(tree);
    if (status != Status.OK) return status;
  }
  const result = here().result;
  const order: usize = tree.order + 4;
  const last = order + (load<u32>(tree.order) << 2);
  const first = afterLen ? firstOf(order, last, tree.data + tree.size, after, afterLen, true) : order;
  const left = <u32>(last - first) >> 2;
  const count = limit ? min<u32>(limit, left) : left;
  result.data = <u32>first;
  result.count = count;
  result.left = left - count;
  return Status.OK;
}

/** Finds the sizes of a page's entries in the layout section. @returns BAD_PAGE where it does not tell them */
function toldSizes(end: usize): i32 {
  const listing = here();
  const result = listing.result;
  let status = layoutBind();
  if (status == Status.OK) status = layoutList(listing.key, listing.keyLen, listing.after, listing.afterLen);
  for (let i: u32 = 0; i < result.count && status == Status.OK; i++) {
    treeNext(load<u32>(result.data + (i << 2)), end);
    status = layoutNext();
    if (status != Status.OK) break;
    if (entryNameLen != treeNameLen || memory.compare(entryName, treeName, treeNameLen) != 0) status = BAD_PAGE;
    store<u64>(listing.sizes + (i << 3), recordKind == Entry.SUBMODULE ? 0 : recordSize);
  }
  blockRelease();
  return status == Status.NOT_FOUND ? BAD_PAGE : status;
}

/**
 * Finds the sizes of a page's blobs; 0 stands for entries without content. After AGAIN it goes on where it
 * stopped.
 * @returns OK with the sizes, u64 each, in the operation's result; AGAIN; or an error
 */
export function listSize(tree: GitObject): i32 {
  const listing = here();
  const result = listing.result;
  if (!listing.sizes) {
    listing.sizes = cacheAlloc(max<u32>(result.count, 1) << 3);
    if (!listing.sizes) return Status.OUT_OF_MEMORY;
    listing.sized = 0;
  }
  const end = tree.data + tree.size;
  if (LAYOUT && layoutState == Layout.USED && !listing.sized) {
    const status = toldSizes(end);
    if (status == Status.OK) listing.sized = result.count;
    else if (status != BAD_PAGE) return status;
    else resolveLose();
  }
  for (; listing.sized < result.count; listing.sized++) {
    treeNext(load<u32>(result.data + (listing.sized << 2)), end);
    let size: u64 = 0;
    if (treeKind != Entry.TREE && treeKind != Entry.SUBMODULE) {
      const status = sizeOf(treeOid);
      if (status == Status.AGAIN) requestAhead(result.data, listing.sized + 1, result.count, end);
      if (status != Status.OK) return status;
      size = provesOid() ? provenSize : headSize;
    }
    store<u64>(listing.sizes + (listing.sized << 3), size);
    blockRelease();
  }
  result.sizes = <u32>listing.sizes;
  return Status.OK;
}

/** While the device is slow to answer: asks for the bytes that the next entries need, too. */
function requestAhead(entries: usize, index: u32, count: u32, end: usize): void {
  const stop = min<u32>(count, index + AHEAD);
  for (; index < stop; index++) {
    treeNext(load<u32>(entries + (index << 2)), end);
    if (treeKind == Entry.TREE || treeKind == Entry.SUBMODULE || findEntry(treeOid) != Status.OK) continue;
    if (provesOid()) blockRequest(idxOffset + PACK_START, AHEAD_BYTES);
    else objectAhead(idxOffset);
  }
}

/** Finds a blob's size: from its header, or from its hashed content if objects are proven. */
function sizeOf(oid: usize): i32 {
  let status = findEntry(oid);
  if (status == Status.OK) {
    if (!provesOid()) return objectHead(idxOffset);
    status = proveBlob(idxOffset, oid);
  } else {
    faultAt(0);
  }
  return faultOf(status, oid);
}

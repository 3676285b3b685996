/**
 * Finds the object of a path. The Adaptive Radix Tree gives the deepest directory on the way that is known.
 * From there trees are walked, and the ART remembers their entries. After AGAIN the walk goes on from the
 * directory that it has come to.
 *
 * A value in the ART: the object's offset from the PACK's start (if objects are proven: the number of its
 * id, see `path-ids.ts`), and its kind (`Entry`) in the lowest 8 bits: leaves are as short as their values.
 */
import { LARGE_TREES, LAYOUT } from "../base/features";
import { faultAt, faultOf, faultOffset } from "../base/fault";
import { artFind, artInsert, artLongest, artReset, artValue } from "../art/art";
import { blockRelease } from "../device/sector-cache";
import { copyOid } from "../base/bytes";
import { GitObject, cacheAdd, cacheClear, cacheHas, cacheKeep, objectRelease } from "../objects/cache";
import { Layout } from "../layout/footer";
import { BAD_PAGE } from "../layout/pages";
import { findEntry } from "../objects/index";
import { idxOffset } from "../git/idx";
import { disproved, objectCancel, objectLoaded, objectProven } from "../objects/load";
import { Kind } from "../git/entry";
import { provesOid } from "../objects/proof";
import { Entry, treeKind, treeOid } from "../git/tree";
import { treeSearch } from "../objects/tree-search";
import { idOf, idOffset, idsAdd, idsReset } from "./path-ids";
import { Limit } from "../base/limits";
import { layoutAhead, layoutDrop, layoutResolve, layoutState } from "./layout";
import { here } from "./operation";
import { pathAppend, pathClear, pathTruncate } from "./path";
import { Status } from "../base/status";
import { isStreamed, treeStreamCancel, treeStreamFind, treeStreams } from "./tree-stream";

const KIND_BITS: u64 = 8;
const KIND_MASK: u64 = 0xff;

/** Follow a symlink at the path's end; those on the way are followed with it. */
export const RESOLVE_FOLLOW: u32 = 1;
/** The object's id is wanted. */
export const RESOLVE_OID: u32 = 2;
/** The size of the object's content is wanted. */
export const RESOLVE_SIZE: u32 = 4;

/** The rest of a path behind a symlink, while the path is rewritten. */
const rest: usize = memory.data(Limit.PATH, 16);

/** The root tree: its offset from the PACK's start, and its id, 20 bytes. */
let rootOffset: u64 = 0;
export const rootOid: usize = memory.data(20, 8);
/** The ART holds every path: a path that it does not know does not exist. */
let complete: bool = false;
/** The layout section has turned out to be damaged: the root tree's entry is to be found by its id. */
let isRootLost: bool = false;

/** @param offset the root tree's, from the PACK's start; `oid` its id */
export function resolveInit(offset: u64, oid: usize): i32 {
  rootOffset = offset;
  copyOid(rootOid, oid);
  complete = false;
  isRootLost = false;
  return remember(0, Entry.TREE, offset, rootOid);
}

/** Says that the ART is the whole index from now on. */
export function resolveComplete(): void {
  complete = true;
}

/** Puts the key's first `len` bytes into the ART. @returns OK, OUT_OF_MEMORY */
export function resolveInsert(len: u32, kind: u32, offset: u64, oid: usize): i32 {
  let value = offset;
  if (provesOid()) {
    const id = idsAdd(oid, offset);
    if (id < 0) return Status.OUT_OF_MEMORY;
    value = id;
  }
  return artInsert(here().key, len, (value << KIND_BITS) | kind);
}

/** Gives up the tree at the walk's place. */
function releaseTree(): void {
  const walk = here();
  if (walk.walkTree != null) objectRelease(walk.walkTree!);
  walk.walkTree = null;
}

/** Drops a walk that is under way. */
export function resolveCancel(): void {
  releaseTree();
  here().isWalking = false;
  objectCancel();
  treeStreamCancel();
}

/** Gives the ART's memory back if it is a cache: paths are walked again. */
export function resolveShed(): void {
  if (complete) return;
  artReset();
  if (provesOid()) idsReset();
}

/**
 * Puts a path of the key's first `len` bytes into the ART. A full ART is emptied: in that mode it is a cache.
 */
function remember(len: u32, kind: u32, offset: u64, oid: usize): i32 {
  let tries = 0;
  while (true) {
    const status = resolveInsert(len, kind, offset, oid);
    if (status != Status.OUT_OF_MEMORY || complete || tries == 2) return status;
    // Objects may have taken all memory: the ART cannot make them give way.
    if (tries++) cacheClear();
    resolveShed();
  }
}

/** The length of the parent's path: the key's longest prefix that is a path. */
function parentLen(len: u32): u32 {
  const key = here().key;
  while (len > 0 && load<u8>(key + len) != 0x2f) len--;
  return len;
}

function nameEnd(start: u32): u32 {
  const key = here().key;
  const len = here().keyLen;
  while (start < len && load<u8>(key + start) != 0x2f) start++;
  return start;
}

/** Sets the resolved object from a value of the ART, except its kind. */
function recall(value: u64): void {
  const walk = here();
  if (provesOid()) {
    walk.resolvedOffset = idOffset(<u32>value);
    copyOid(walk.resolvedOid, idOf(<u32>value));
  } else {
    walk.resolvedOffset = value;
  }
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  resolveCancel();
  return status;
}

/**
 * Takes the place of the deepest path on the way that the layout section has: the path itself, or else the symlink,
 * submodule, file or directory at which the way ends.
 * @returns OK, BAD_PAGE if the section is damaged, or the device's status
 */
function beginLayout(flags: u32): i32 {
  const walk = here();
  let len = walk.keyLen;
  while (len > 0) {
    const status = layoutResolve(len, (flags & RESOLVE_OID) != 0);
    if (status == Status.OK) break;
    if (status != Status.NOT_FOUND) return status;
    len = parentLen(len - 1);
  }
  if (len == 0) {
    walk.resolvedKind = Entry.TREE;
    walk.resolvedOffset = rootOffset;
    copyOid(walk.resolvedOid, rootOid);
    walk.isOidKnown = true;
  } else if (walk.resolvedKind != Entry.TREE && len == walk.keyLen) {
    layoutAhead();
  }
  walk.walkLen = len;
  walk.isWalking = true;
  walk.hasFound = false;
  return Status.OK;
}

/** Remembers the path that the layout section has found. The ART does not hold seek points. */
export function resolveKeep(): void {
  const walk = here();
  if (walk.segment) return;
  const status = resolveInsert(walk.keyLen, walk.resolvedKind, walk.resolvedOffset, walk.resolvedOid);
  if (status != Status.OK) resolveShed();
}

/** Whether paths are looked up in the layout section. */
function isLaidOut(): bool {
  return LAYOUT && layoutState == Layout.USED;
}

/** Drops the layout section, which is damaged: paths are looked up in trees from now on. */
export function resolveLose(): void {
  layoutDrop();
  isRootLost = true;
  resolveShed();
}

/** Finds the root tree's entry, where the layout section does not tell it any more. */
function findRoot(): i32 {
  const status = findEntry(rootOid);
  if (status != Status.OK) return status == Status.AGAIN ? status : fail(faultOf(status, rootOid), 0);
  rootOffset = idxOffset;
  isRootLost = false;
  return remember(0, Entry.TREE, rootOffset, rootOid);
}

/** Takes the place that the walk begins at. */
function begin(flags: u32): i32 {
  if (LAYOUT) {
    here().isSizeKnown = false;
    here().segment = 0;
  }
  if (isLaidOut()) {
    const walk = here();
    if (!(flags & (RESOLVE_OID | RESOLVE_SIZE)) && artFind(walk.key, walk.keyLen)) {
      beginAt(walk.keyLen);
      return Status.OK;
    }
    const status = beginLayout(flags);
    if (status != BAD_PAGE) return status;
    resolveLose();
  }
  if (LAYOUT && isRootLost) {
    const status = findRoot();
    if (status != Status.OK) return status;
  }
  beginArt(flags);
  return Status.OK;
}

/** Takes the place of the deepest directory, or the path itself, that the ART knows. */
function beginArt(flags: u32): void {
  const walk = here();
  const keyLen = walk.keyLen;
  // The id stands in the parent's entry, which has to be read: start at the parent.
  const limit = !provesOid() && flags & RESOLVE_OID && keyLen > 0 ? parentLen(keyLen - 1) : keyLen;
  const len = artLongest(walk.key, limit);
  beginAt(len);
}

/** Takes the place that the ART has found; the root for a length below 0. */
function beginAt(len: i32): void {
  const walk = here();
  if (len < 0) {
    walk.walkLen = 0;
    walk.resolvedKind = Entry.TREE;
    walk.resolvedOffset = rootOffset;
  } else {
    walk.walkLen = len;
    walk.resolvedKind = <u32>(artValue & KIND_MASK);
    recall(artValue >> KIND_BITS);
  }
  if (len <= 0) copyOid(walk.resolvedOid, rootOid);
  walk.isOidKnown = len <= 0 || provesOid();
  walk.isWalking = true;
  walk.hasFound = false;
}

/** Loads the object at the walk's place. */
function loadHere(): i32 {
  const walk = here();
  const status = objectProven(walk.resolvedOffset, walk.resolvedOid);
  return status <= Status.AGAIN ? status : failHere(status, faultOffset);
}

/** Fails, and names the object at the walk's place. */
function failHere(status: i32, offset: u64): i32 {
  return fail(disproved(status, here().resolvedOid), status == Status.NOT_FOUND ? 0 : offset);
}

/** Finds a name in the tree at the walk's place. */
function findName(name: usize, nameLen: u32): i32 {
  const walk = here();
  const offset = walk.resolvedOffset;
  let status = Status.OK;
  if (walk.walkTree == null) {
    if (LARGE_TREES && !cacheHas(offset)) {
      status = treeStreams(offset);
      if (status == Status.OK && isStreamed) status = treeStreamFind(offset, walk.resolvedOid, name, nameLen);
      if (status != Status.OK || isStreamed) return status <= Status.AGAIN ? status : failHere(status, offset);
    }
    status = loadHere();
    if (status != Status.OK) return status;
    walk.walkTree = objectLoaded;
    cacheKeep(objectLoaded!);
  }
  const tree = walk.walkTree!;
  if (tree.kind != Kind.TREE) return fail(Status.WRONG_KIND, offset);
  status = treeSearch(tree, name, nameLen);
  return status == Status.OK ? status : failHere(status, offset);
}

/** Goes to the next name of the key. */
function step(): i32 {
  const walk = here();
  const start = walk.walkLen ? walk.walkLen + 1 : 0;
  const end = nameEnd(start);
  let status = Status.OK;
  if (!walk.hasFound) {
    status = findName(walk.key + start, end - start);
    if (status != Status.OK) return status;
    copyOid(walk.resolvedOid, treeOid);
    walk.isOidKnown = true;
    walk.resolvedKind = treeKind;
    walk.hasFound = true;
    releaseTree();
    blockRelease();
  }
  let offset: u64 = 0;
  if (walk.resolvedKind != Entry.SUBMODULE) {
    status = findEntry(walk.resolvedOid);
    if (status == Status.AGAIN) return status;
    if (status != Status.OK) return fail(faultOf(status, walk.resolvedOid), 0);
    offset = idxOffset;
  }
  walk.hasFound = false;
  walk.resolvedOffset = offset;
  walk.walkLen = end;
  blockRelease();
  return remember(end, walk.resolvedKind, offset, walk.resolvedOid);
}

/** Rewrites the key: the symlink at the walk's place gives way to its target. */
function follow(): i32 {
  const status = loadHere();
  if (status != Status.OK) return status;
  const link = objectLoaded!;
  cacheAdd(link);
  const result = link.kind == Kind.BLOB ? replaceBy(link) : Status.WRONG_KIND;
  objectRelease(link);
  return result == Status.OK ? result : fail(result, here().resolvedOffset);
}

function replaceBy(link: GitObject): i32 {
  const walk = here();
  const walkLen = walk.walkLen;
  if (++walk.symlinks > Limit.SYMLINKS) return Status.SYMLINK_LOOP;
  if (link.size == 0) return Status.NOT_FOUND;
  const restLen = walk.keyLen - walkLen;
  memory.copy(rest, walk.key + walkLen, restLen);
  if (load<u8>(link.data) == 0x2f) pathClear();
  else pathTruncate(parentLen(walkLen - 1));
  let status = pathAppend(link.data, link.size);
  if (status == Status.OK) status = pathAppend(rest, restLen);
  walk.isWalking = false;
  return status;
}

/**
 * Resolves the operation's path, from its start or, after AGAIN, from where it stopped. Sets `resolvedKind`,
 * `resolvedOffset` (0 for a submodule, whose commit the image does not hold), and `resolvedOid` if it was asked for or
 * met on the way.
 * @param flags RESOLVE_FOLLOW, RESOLVE_OID
 * @returns OK, AGAIN, NOT_FOUND, SUBMODULE for a path below one, SYMLINK_LOOP, or an error of the image
 */
export function resolve(flags: u32): i32 {
  const walk = here();
  while (true) {
    if (!walk.isWalking) {
      const status = begin(flags);
      if (status != Status.OK) return status;
    }
    const kind = walk.resolvedKind;
    const atEnd = walk.walkLen == walk.keyLen;
    let status = Status.OK;
    if (walk.hasFound) {
      status = step();
    } else if (kind == Entry.SYMLINK && (flags & RESOLVE_FOLLOW || !atEnd)) {
      if (!(flags & RESOLVE_FOLLOW)) return fail(Status.NOT_FOUND, 0);
      status = follow();
    } else if (atEnd) {
      walk.isWalking = false;
      return Status.OK;
    } else if (kind == Entry.TREE) {
      // If the ART is complete, a known directory is read only for an id.
      if ((complete && (provesOid() || !(flags & RESOLVE_OID))) || isLaidOut()) return fail(Status.NOT_FOUND, 0);
      status = step();
    } else {
      return fail(kind == Entry.SUBMODULE ? Status.SUBMODULE : Status.NOT_FOUND, 0);
    }
    if (status != Status.OK) return status;
  }
}

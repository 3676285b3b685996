/**
 * From a path to an object: the Adaptive Radix Tree gives the deepest directory on the way that is known,
 * trees are walked from there, and what they tell is remembered. Interrupted by AGAIN it goes on from the
 * directory that it has come to.
 *
 * A value in the ART: the object's offset from the PACK's start (where objects are proven: the number of its
 * id, see `ids.ts`), and its kind (`Entry`) in the lowest 8 bits: leaves are as short as their values.
 */
import { LARGE_TREES } from "../base/features";
import { faultAt, faultClear, faultOf, faultOffset } from "../base/fault";
import { artInsert, artLongest, artReset, artValue } from "../art/art";
import { blockRelease } from "../device/sector-cache";
import { copyOid } from "../base/bytes";
import { GitObject, cacheAdd, cacheClear, cacheHas, cacheKeep, objectRelease } from "../objects/cache";
import { findEntry } from "../objects/index";
import { idxOffset } from "../git/idx";
import { disproved, objectCancel, objectLoaded, objectProven } from "../objects/load";
import { Kind } from "../git/entry";
import { provesOid } from "../objects/proof";
import { Entry, treeKind, treeOid } from "../git/tree";
import { treeSearch } from "../objects/tree-search";
import { idOf, idOffset, idsAdd, idsReset } from "./path-ids";
import { Limit } from "../base/limits";
import { pathAppend, pathClear, pathKey, pathKeyLen, pathTruncate } from "./path";
import { Status } from "../base/status";
import { isStreamed, treeStreamCancel, treeStreamFind, treeStreams } from "./tree-stream";

const KIND_BITS: u64 = 8;
const KIND_MASK: u64 = 0xff;

/** Follow a symlink at the path's end; those on the way are followed with it. */
export const RESOLVE_FOLLOW: u32 = 1;
/** The object's id is wanted. */
export const RESOLVE_OID: u32 = 2;

/** What `resolve` found. */
export let resolvedKind: u32 = 0;
/** From the PACK's start; 0 for a submodule, whose commit the image does not hold. */
export let resolvedOffset: u64 = 0;
/**
 * The object's id, 20 bytes, where RESOLVE_OID asked for it or it was met on the way: see `resolvedOidKnown`.
 */
export const resolvedOid: usize = memory.data(20, 8);
export let resolvedOidKnown: bool = false;


/** What is left of a path behind a symlink, while the path is rewritten. */
const rest: usize = memory.data(Limit.PATH, 16);

/** The root tree: its offset from the PACK's start, and its id, 20 bytes. */
let rootOffset: u64 = 0;
export const rootOid: usize = memory.data(20, 8);
/** The ART holds every path: what it does not know does not exist. */
let complete: bool = false;

/** How much of the key has been resolved; the walk's place is there. */
let walkLen: u32 = 0;
let walking: bool = false;
let walkTree: GitObject | null = null;
let symlinks: u32 = 0;

/** @param offset the root tree's, from the PACK's start; `oid` its id */
export function resolveInit(offset: u64, oid: usize): i32 {
  rootOffset = offset;
  copyOid(rootOid, oid);
  complete = false;
  walking = false;
  walkTree = null;
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
  return artInsert(pathKey, len, (value << KIND_BITS) | kind);
}

/** Drops a walk that is under way. */
export function resolveCancel(): void {
  if (walkTree != null) objectRelease(walkTree!);
  walkTree = null;
  walking = false;
  objectCancel();
  treeStreamCancel();
}

/** Begins to resolve the path in `pathKey`. */
export function resolveBegin(): void {
  resolveCancel();
  symlinks = 0;
  faultClear();
}

/** Gives the ART's memory back where it is a cache: paths are walked again. */
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

/** The length of the key's longest prefix that is a path: the parent's. */
function parentLen(len: u32): u32 {
  while (len > 0 && load<u8>(pathKey + len) != 0x2f) len--;
  return len;
}

function nameEnd(start: u32): u32 {
  while (start < pathKeyLen && load<u8>(pathKey + start) != 0x2f) start++;
  return start;
}

/** What the ART's values know, besides the kind. */
function recall(value: u64): void {
  if (provesOid()) {
    resolvedOffset = idOffset(<u32>value);
    copyOid(resolvedOid, idOf(<u32>value));
  } else {
    resolvedOffset = value;
  }
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  resolveCancel();
  return status;
}

/** Takes the place of the deepest directory, or the path itself, that the ART knows. */
function begin(flags: u32): void {
  // For the id, the entry that names it has to be read: start at the parent.
  const limit = !provesOid() && flags & RESOLVE_OID && pathKeyLen > 0 ? parentLen(pathKeyLen - 1) : pathKeyLen;
  const len = artLongest(pathKey, limit);
  if (len < 0) {
    walkLen = 0;
    resolvedKind = Entry.TREE;
    resolvedOffset = rootOffset;
  } else {
    walkLen = len;
    resolvedKind = <u32>(artValue & KIND_MASK);
    recall(artValue >> KIND_BITS);
  }
  if (walkLen == 0) copyOid(resolvedOid, rootOid);
  resolvedOidKnown = walkLen == 0 || provesOid();
  walking = true;
}

/** Loads the object at the walk's place. */
function loadHere(): i32 {
  const status = objectProven(resolvedOffset, resolvedOid);
  return status <= Status.AGAIN ? status : failHere(status, faultOffset);
}

/** Fails for the object at the walk's place. */
function failHere(status: i32, offset: u64): i32 {
  return fail(disproved(status, resolvedOid), status == Status.NOT_FOUND ? 0 : offset);
}

/** Finds a name in the tree at the walk's place. */
function findName(name: usize, nameLen: u32): i32 {
  let status = Status.OK;
  if (walkTree == null) {
    if (LARGE_TREES && !cacheHas(resolvedOffset)) {
      status = treeStreams(resolvedOffset);
      if (status == Status.OK && isStreamed) status = treeStreamFind(resolvedOffset, resolvedOid, name, nameLen);
      if (status != Status.OK || isStreamed)
        return status <= Status.AGAIN ? status : failHere(status, resolvedOffset);
    }
    status = loadHere();
    if (status != Status.OK) return status;
    walkTree = objectLoaded;
    cacheKeep(walkTree!);
    if (walkTree!.kind != Kind.TREE) return fail(Status.WRONG_KIND, resolvedOffset);
  }
  status = treeSearch(walkTree!, name, nameLen);
  return status == Status.OK ? status : failHere(status, resolvedOffset);
}

/** Goes to the next name of the key. */
function step(): i32 {
  const start = walkLen ? walkLen + 1 : 0;
  const end = nameEnd(start);
  let status = findName(pathKey + start, end - start);
  if (status != Status.OK) return status;
  let offset: u64 = 0;
  if (treeKind != Entry.SUBMODULE) {
    status = findEntry(treeOid);
    if (status == Status.AGAIN) return status;
    if (status != Status.OK) return fail(faultOf(status, treeOid), 0);
    offset = idxOffset;
  }
  copyOid(resolvedOid, treeOid);
  resolvedOidKnown = true;
  resolvedKind = treeKind;
  resolvedOffset = offset;
  walkLen = end;
  if (walkTree != null) objectRelease(walkTree!);
  walkTree = null;
  blockRelease();
  return remember(walkLen, resolvedKind, offset, resolvedOid);
}

/** Rewrites the key: the symlink at the walk's place gives way to its target. */
function follow(): i32 {
  const status = loadHere();
  if (status != Status.OK) return status;
  const link = objectLoaded!;
  cacheAdd(link);
  const result = link.kind == Kind.BLOB ? replaceBy(link) : Status.WRONG_KIND;
  objectRelease(link);
  return result == Status.OK ? result : fail(result, resolvedOffset);
}

function replaceBy(link: GitObject): i32 {
  if (++symlinks > Limit.SYMLINKS) return Status.SYMLINK_LOOP;
  if (link.size == 0) return Status.NOT_FOUND;
  const restLen = pathKeyLen - walkLen;
  memory.copy(rest, pathKey + walkLen, restLen);
  if (load<u8>(link.data) == 0x2f) pathClear();
  else pathTruncate(parentLen(walkLen - 1));
  let status = pathAppend(link.data, link.size);
  if (status == Status.OK) status = pathAppend(rest, restLen);
  walking = false;
  return status;
}

/**
 * Resolves the path in `pathKey`, from `resolveBegin` or, after AGAIN, from where it stopped.
 * @param flags RESOLVE_FOLLOW, RESOLVE_OID
 * @returns OK, AGAIN, NOT_FOUND, SUBMODULE for a path below one, SYMLINK_LOOP, or an error of the image
 */
export function resolve(flags: u32): i32 {
  while (true) {
    if (!walking) begin(flags);
    let status = Status.OK;
    const atEnd = walkLen == pathKeyLen;
    if (resolvedKind == Entry.SYMLINK && (flags & RESOLVE_FOLLOW || !atEnd)) {
      if (!(flags & RESOLVE_FOLLOW)) return fail(Status.NOT_FOUND, 0);
      status = follow();
    } else if (atEnd) {
      walking = false;
      return Status.OK;
    } else if (resolvedKind == Entry.TREE) {
      // Where the ART is complete only a wanted id makes a known directory be read.
      if (complete && (provesOid() || !(flags & RESOLVE_OID))) return fail(Status.NOT_FOUND, 0);
      status = step();
    } else {
      return fail(resolvedKind == Entry.SUBMODULE ? Status.SUBMODULE : Status.NOT_FOUND, 0);
    }
    if (status != Status.OK) return status;
  }
}

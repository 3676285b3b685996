/**
 * The volume: every operation that an embedder or a guest asks for, over one result struct. An operation that
 * answers AGAIN is called again with the same arguments and goes on; another operation, or other arguments,
 * drops it.
 */
import { faultAt, faultClear, faultOf, faultOffset, faultOid } from "../base/fault";
import { blockForget, blockRelease } from "../device/sector-cache";
import { copyOid } from "../base/bytes";
import { Limit } from "../base/limits";
import { GitObject, cacheAdd, cacheKeep, objectRelease } from "../objects/cache";
import { commitTime } from "../git/commit";
import { findEntry } from "../objects/index";
import { idxOffset } from "../git/idx";
import {
  disproved,
  headSize,
  objectCancel,
  objectHead,
  objectLoaded,
  objectProven,
  objectShed,
  workBegin,
} from "../objects/load";
import { Kind, PACK_START } from "../git/entry";
import { proveObject } from "../objects/object-id";
import { Proof, provesOid } from "../objects/proof";
import { Entry, modeOf } from "../git/tree";
import { imageCommit } from "./image";
import {
  listCount,
  listEntries,
  listLeft,
  listPage,
  listRelease,
  listSize,
  listSizes,
} from "./list";
import {
  mountBegin,
  mountProof,
  mountRun,
  mounted,
  mounting,
} from "./mount";
import { pathAppend, pathClear } from "./path";
import {
  proveBlob,
  provenSize,
  readAt,
  readLen,
  readPtr,
  readRelease,
  readShed,
  readTotal,
} from "./read";
import {
  RESOLVE_FOLLOW,
  RESOLVE_OID,
  resolve,
  resolveBegin,
  resolveCancel,
  resolveShed,
  resolvedKind,
  resolvedOffset,
  resolvedOid,
  resolvedOidKnown,
  rootOid,
} from "./lookup";
import { Status } from "../base/status";
import { treeStreamShed } from "./tree-stream";

/** Flags of operations. */
export namespace Flag {
  /** Follow symlinks. */
  export const FOLLOW: u32 = RESOLVE_FOLLOW;
  /** The object's id is wanted. */
  export const OID: u32 = RESOLVE_OID;
  /** Sizes are wanted. */
  export const SIZE: u32 = 4;
}

/** What the last operation found, or where it failed. */
@unmanaged
export class Result {
  /** `Entry`, or a `Kind` where an object was asked for by its id. */
  kind: u32;
  /** The canonical mode: 040000, 100644, 100755, 120000, 160000. */
  mode: u32;
  /** Bytes of the whole blob or object. */
  size: u64;
  /** The object's offset from the PACK's start; 0 for a submodule. */
  offset: u64;
  /** Data: a piece of a blob, or pointers to the entries of a tree. Valid until the next operation. */
  data: u32;
  /** Bytes of a piece. */
  dataLen: u32;
  /** Entries of a listing. */
  count: u32;
  /** Their sizes, u64 each. */
  sizes: u32;
  /** Where in the image an error was met, absolute; 0 where that is not known. */
  errorOffset: u64;
  /** 1 where `oid` holds one: the object's, or after an error that of the object in question. */
  oidKnown: u32;
  /** Entries that follow those of the listing. */
  left: u32;
  oid0: u64;
  oid1: u64;
  oid2: u32;
  reserved2: u32;
}

const result = changetype<Result>(memory.data(80, 16));
const RESULT_OID: usize = offsetof<Result>("oid0");
/** What was mounted: │ time i64, the committer's, seconds since 1970, or NO_TIME of git/commit.ts │ commit's id 20 │ root tree's id 20 │ */
const info: usize = memory.data(48, 16);

const NOTHING: u32 = 0;
const STAT: u32 = 1;
const LIST: u32 = 2;
const READ: u32 = 3;
const OBJECT: u32 = 4;

/** The longest path, as it is given: in a longer one `..` would have to take names away. */
const GIVEN_MAX: u32 = Limit.PATH * 2;

/**
 * The arguments of an operation:
 *
 *     │ operation u32 │ flags u32 │ position u64 │ count u32 │ pathLen u32 │ afterLen u32 │ path or id │ after: a page's name │
 */
const ARGUMENTS: usize = 28;
/** Of the operation that waits for its device, whose number is `NOTHING` where none waits; and of the one that is asked for. */
let pending: usize = memory.data(ARGUMENTS + 2 * GIVEN_MAX, 16);
let asked: usize = memory.data(ARGUMENTS + 2 * GIVEN_MAX, 16);
/** Whether its path is resolved, and whether it has made others give memory back. */
let resolved: bool = false;
let hasShed: bool = false;

/** An object that the result points into. */
let held: GitObject | null = null;
/** The tree of the listing before, as long as nothing but listings follows: it may be too large for the cache. */
let listed: GitObject | null = null;

export function resultPtr(): usize {
  return changetype<usize>(result);
}

export function infoPtr(): usize {
  return info;
}

/** Gives up what the last result holds, but for what the last read has resolved. */
function releaseResult(): void {
  if (held != null) objectRelease(held!);
  held = null;
  listRelease();
}

/** Gives up the tree of the listing before. */
function releaseListed(): void {
  if (listed != null) objectRelease(listed!);
  listed = null;
}

/** Begins an operation, or goes on with it: true where it is the one that waits, with equal arguments. */
function begin(
  operation: u32,
  path: usize,
  len: u32,
  flags: u32,
  position: u64,
  count: u32,
  after: usize,
  afterLen: u32,
): bool {
  // A longer path is refused, and so never waits; no name differs behind that many bytes.
  len = min<u32>(len, GIVEN_MAX);
  afterLen = min<u32>(afterLen, GIVEN_MAX);
  const ptr = asked;
  store<u32>(ptr, operation);
  store<u32>(ptr, flags, 4);
  store<u64>(ptr, position, 8);
  store<u32>(ptr, count, 16);
  store<u32>(ptr, len, 20);
  store<u32>(ptr, afterLen, 24);
  memory.copy(ptr + ARGUMENTS, path, len);
  memory.copy(ptr + ARGUMENTS + len, after, afterLen);
  if (memory.compare(ptr, pending, ARGUMENTS + len + afterLen) == 0) return true;
  workBegin();
  if (operation != READ) readRelease();
  releaseListed();
  if (operation == LIST && held != null && held!.order) {
    listed = held;
    held = null;
  }
  cancel();
  asked = pending;
  pending = ptr;
  resolved = false;
  hasShed = false;
  faultClear();
  memory.fill(changetype<usize>(result), 0, offsetof<Result>());
  return false;
}

/** Ends an operation, unless it waits. */
function end(status: i32): i32 {
  if (status == Status.AGAIN) return status;
  store<u32>(pending, NOTHING);
  blockRelease();
  return status;
}

/** Ends in an error, of which the result tells the place. */
function fail(status: i32): i32 {
  if (status == Status.AGAIN) return status;
  if (status >= Status.OUT_OF_MEMORY) blockForget();
  result.errorOffset = faultOffset ? faultOffset + PACK_START : 0;
  result.oidKnown = faultOid ? 1 : 0;
  if (faultOid) copyOid(changetype<usize>(result) + RESULT_OID, faultOid);
  return status;
}

/** Fails for the object of `result.oid` where it is not what it should be. */
function failObject(status: i32): i32 {
  return fail(disproved(status, changetype<usize>(result) + RESULT_OID));
}

/** Drops the operation that waits, if any, and gives back what the last result holds. */
export function volumeCancel(): void {
  readRelease();
  releaseListed();
  cancel();
}

function cancel(): void {
  releaseResult();
  resolveCancel();
  objectCancel();
  blockRelease();
  store<u32>(pending, NOTHING);
}

/**
 * Begins to mount; `volumeMountRun` does the work. The instance holds one volume: what was mounted before is
 * gone.
 * @param mode `Mode.LIGHT`, `FAST` or `ANALYZE`
 * @param memoryLimit bytes, 0 for the default
 */
export function volumeMountBegin(handle: u64, capacity: u64, blockSize: u64, mode: u32, memoryLimit: u32): i32 {
  store<u32>(pending, NOTHING);
  held = listed = null;
  return mountBegin(handle, capacity, blockSize, mode, memoryLimit);
}

/**
 * Says how far reads are proven, and of which commit the image must be: after `volumeMountBegin`, before
 * `volumeMountRun`. By default nothing is proven, and any commit will do.
 * @param level `Proof`
 * @param commit 20 bytes, or 0
 */
export function volumeProve(level: u32, commit: usize): i32 {
  if (!mounting() || level > Proof.COLLISIONS) return Status.EINVAL;
  mountProof(level, commit);
  return Status.OK;
}

/** @returns OK, AGAIN (call again), or what is wrong with the image */
export function volumeMountRun(): i32 {
  const status = mountRun();
  if (status != Status.OK) return fail(status);
  store<i64>(info, commitTime);
  copyOid(info + 8, imageCommit);
  copyOid(info + 28, rootOid);
  return status;
}

/** Resolves an operation's path, once. */
function resolvePath(path: usize, len: u32, flags: u32, goesOn: bool): i32 {
  if (!mounted()) return Status.EINVAL;
  if (resolved) return Status.OK;
  if (!goesOn) {
    if (len > GIVEN_MAX) return Status.PATH_TOO_LONG;
    pathClear();
    resolveBegin();
    const status = pathAppend(path, len);
    if (status != Status.OK) return status;
  }
  const status = resolve(flags & (RESOLVE_FOLLOW | RESOLVE_OID));
  if (status != Status.OK) return fail(status);
  resolved = true;
  result.kind = resolvedKind;
  result.mode = modeOf(resolvedKind);
  result.offset = resolvedOffset;
  result.oidKnown = resolvedOidKnown ? 1 : 0;
  if (resolvedOidKnown) copyOid(changetype<usize>(result) + RESULT_OID, resolvedOid);
  return Status.OK;
}

/**
 * What a path leads to: `kind`, `mode`, `offset`; `oid` with Flag.OID; `size` with Flag.SIZE, read from
 * headers.
 * @param path bytes, UTF-8 by convention; `len` of them
 */
export function volumeStat(path: usize, len: u32, flags: u32): i32 {
  const goesOn = begin(STAT, path, len, flags, 0, 0, 0, 0);
  let status = resolvePath(path, len, flags, goesOn);
  if (status == Status.OK && flags & Flag.SIZE && result.kind != Entry.TREE && result.kind != Entry.SUBMODULE) {
    if (provesOid()) {
      status = proveBlob(result.offset, changetype<usize>(result) + RESULT_OID);
      if (status != Status.OK) failObject(status);
      result.size = provenSize;
    } else {
      status = objectHead(result.offset);
      if (status != Status.OK) fail(status);
      result.size = headSize;
    }
  }
  return end(status);
}

/**
 * A page of a directory's entries in the order of their names' bytes: `data` points to `count` pointers (u32)
 * to entries as git's trees hold them (mode in octal, a space, the name, NUL, 20 bytes of id); with Flag.SIZE
 * `sizes` points to as many u64; `left` entries follow.
 * @param after the page holds names that come after these bytes; `afterLen` 0 for the first page
 * @param limit the most entries of the page; 0 for all
 */
export function volumeList(path: usize, len: u32, flags: u32, after: usize, afterLen: u32, limit: u32): i32 {
  const goesOn = begin(LIST, path, len, flags, 0, limit, after, afterLen);
  let status = resolvePath(path, len, flags, goesOn);
  if (status == Status.OUT_OF_MEMORY && shed()) status = resolvePath(path, len, flags, false);
  if (status == Status.OK && held == null) status = loadPage(after, afterLen, limit);
  if (status == Status.OK && flags & Flag.SIZE) {
    status = listSize(held!);
    if (status != Status.OK) fail(status);
    result.sizes = <u32>listSizes;
  }
  return end(status);
}

/**
 * Gives back all that can be had again, for an object that memory has no room for: once an operation.
 * @returns whether it is worth another try
 */
function shed(): bool {
  if (hasShed) return false;
  hasShed = true;
  releaseListed();
  readShed();
  treeStreamShed();
  resolveShed();
  objectShed();
  return true;
}

/** Loads the object at `result.offset`, of the id in the result where objects are proven. */
function loadObject(): i32 {
  const oid = changetype<usize>(result) + RESULT_OID;
  const status = objectProven(result.offset, oid);
  return status == Status.OUT_OF_MEMORY && shed() ? objectProven(result.offset, oid) : status;
}

/** Holds the tree at `result.offset`, which may be the one that was listed before. */
function loadTree(): i32 {
  if (listed != null && listed!.offset == result.offset) {
    held = listed;
    listed = null;
    return proveObject(held!, changetype<usize>(result) + RESULT_OID);
  }
  const status = loadObject();
  if (status != Status.OK) return status;
  held = objectLoaded;
  cacheKeep(held!);
  return status;
}

/** Loads the directory at `result.offset` and lists a page of it. */
function loadPage(after: usize, afterLen: u32, limit: u32): i32 {
  if (result.kind != Entry.TREE) return Status.DICTIONARY_EXPECTED;
  let status = loadTree();
  if (held != null) faultAt(held!.offset);
  if (status != Status.OK) return failObject(status);
  status = held!.kind == Kind.TREE ? listPage(held!, after, afterLen, limit) : Status.WRONG_KIND;
  if (status == Status.OUT_OF_MEMORY && shed()) status = listPage(held!, after, afterLen, limit);
  if (status != Status.OK) return fail(status);
  result.data = <u32>listEntries;
  result.count = listCount;
  result.left = listLeft;
  return Status.OK;
}

/** Resolves a path and reads from the blob that it leads to. */
function readPath(path: usize, len: u32, flags: u32, position: u64, count: u32, goesOn: bool): i32 {
  let status = resolvePath(path, len, flags, goesOn);
  if (status != Status.OK) return status;
  if (result.kind == Entry.TREE) return Status.VALUE_EXPECTED;
  if (result.kind == Entry.SUBMODULE) return Status.SUBMODULE;
  status = readAt(result.offset, changetype<usize>(result) + RESULT_OID, position, count);
  if (status != Status.OK) return failObject(status);
  result.data = <u32>readPtr;
  result.dataLen = readLen;
  result.size = readTotal;
  return Status.OK;
}

/**
 * A piece of a file's content, or of a symlink's target where it is not followed: `data`, `dataLen`, and the
 * whole's `size`. Fewer bytes than asked for may come; none only at the end or past it.
 * @param position bytes from the file's start
 * @param count bytes
 */
export function volumeRead(path: usize, len: u32, flags: u32, position: u64, count: u32): i32 {
  const goesOn = begin(READ, path, len, flags, position, count, 0, 0);
  let status = readPath(path, len, flags, position, count, goesOn);
  if (status == Status.OUT_OF_MEMORY && shed()) {
    status = readPath(path, len, flags, position, count, false);
  }
  return end(status);
}

/**
 * An object whole, by its id: `kind` (1 commit, 2 tree, 3 blob, 4 tag), `data`, `dataLen`, `size`.
 * @param oid 20 bytes
 */
export function volumeObject(oid: usize): i32 {
  const goesOn = begin(OBJECT, oid, 20, 0, 0, 0, 0, 0);
  if (!mounted()) return end(Status.EINVAL);
  if (!goesOn || !resolved) {
    const status = findEntry(oid);
    if (status != Status.OK) return end(fail(faultOf(status, oid)));
    result.offset = idxOffset;
    if (provesOid()) copyOid(changetype<usize>(result) + RESULT_OID, oid);
    resolved = true;
  }
  const status = loadObject();
  if (status != Status.OK) return end(failObject(status));
  held = objectLoaded;
  cacheAdd(held!);
  result.kind = held!.kind;
  result.data = <u32>held!.data;
  result.dataLen = held!.size;
  result.size = held!.size;
  return end(Status.OK);
}

/**
 * The volume: all operations for embedders and guests. Functions begin an operation, or go on with the one that
 * answered AGAIN, in the record that `volumeUse` has chosen.
 */
import { faultAt, faultClear, faultOf, faultOffset, faultOid } from "../base/fault";
import { copyOid, sameOid } from "../base/bytes";
import { LAYOUT, SIZES, SEEKING } from "../base/features";
import { checkpointsShed } from "../objects/checkpoints";
import { heapFree } from "../base/heap";
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { blockForget, blockRelease, blockUse } from "../device/sector-cache";
import { commitTime } from "../git/commit";
import { Kind, PACK_START } from "../git/entry";
import { idxOffset } from "../git/idx";
import { Entry, modeOf } from "../git/tree";
import { GitObject, cacheAdd, cacheHas, cacheKeep, objectRelease } from "../objects/cache";
import { findEntry } from "../objects/index";
import { disproved, headSize, objectHead, objectLoaded, objectProven, objectShed } from "../objects/load";
import { loadingUse } from "../objects/loading";
import { recordPut, recordsReset } from "../objects/records";
import { Proof, provesOid } from "../objects/proof";
import { imageCommit } from "./image";
import { listPage, listSize } from "./list";
import { RESOLVE_FOLLOW, RESOLVE_OID, RESOLVE_SIZE, resolve, resolveCancel, resolveKeep, resolveLose, resolveShed, rootOid } from "./lookup";
import { BAD_PAGE } from "../layout/pages";
import { layoutLists, layoutPage, layoutState } from "./layout";
import { commitOffset, mountBegin, mountProof, mountRun, mounted, mounting } from "./mount";
import { OPERATION_SIZE, Operation, Result, Task, here, operationInit } from "./operation";
import { pathAppend, pathClear } from "./path";
import { proveBlob, provenSize, readAt, } from "./read";
import { viewsCancel, viewsShed } from "./delta-view";
import { windowLeave } from "./own-window";
import { treeStreamShed } from "./tree-stream";
import { windowsShed } from "./windows";

/** Flags of operations. */
export namespace Flag {
  /** Follow symlinks. */
  export const FOLLOW: u32 = RESOLVE_FOLLOW;
  /** The object's id is wanted. */
  export const OID: u32 = RESOLVE_OID;
  /** Sizes are wanted. */
  export const SIZE: u32 = RESOLVE_SIZE;
  /** Of a listing, names, kinds and sizes are wanted: ids may be zero. */
  export const NAMES: u32 = 8;
}

/** The mounted image: │ time i64, the committer's, seconds since 1970, or NO_TIME of git/commit.ts │ commit's id 20 │ root tree's id 20 │ state of the layout section u32 │ */
const info: usize = memory.data(52, 16);

/** The longest path, as it is given. A longer one could only be valid if `..` took names away. */
const GIVEN_MAX: u32 = Limit.PATH * 2;

/** The record of the operation that mounts, and of hosts that have one operation at a time. */
const first: usize = memory.data(<i32>OPERATION_SIZE, 16);
/** The operation that has ended last. Memory that its result points to is given back when the next one runs. */
let ended: Operation = changetype<Operation>(0);

export function infoPtr(): usize {
  store<u32>(info, layoutState, 48);
  return info;
}

/** The result of the operation that ran last. */
export function result(): Result {
  return here().result;
}

/** Gives back the memory that the last result points to. */
function releaseResult(): void {
  const operation = ended;
  if (!changetype<usize>(operation)) return;
  ended = changetype<Operation>(0);
  if (operation.held != null) objectRelease(operation.held!);
  operation.held = null;
  heapFree(operation.sizes);
  operation.sizes = 0;
}

/** Drops the operation that is under way, if any, and gives back the memory that the last result points to. */
export function volumeCancel(): void {
  const operation = here();
  releaseResult();
  if (operation.task == Task.NOTHING) return;
  finish();
  releaseResult();
}

/** Ends the operation's work: others may go on with it. */
function finish(): void {
  const operation = here();
  operation.task = Task.NOTHING;
  resolveCancel();
  windowLeave();
  if (SEEKING) viewsCancel();
  blockRelease();
  ended = operation;
}

/** Ends an operation, unless it waits. */
function end(status: i32): i32 {
  const operation = here();
  if (status == Status.AGAIN) operation.result.waitsFor = operation.waitsFor;
  else finish();
  return status;
}

/** Ends in an error. The result tells its place. */
function fail(status: i32): i32 {
  if (status == Status.AGAIN) return status;
  if (status >= Status.OUT_OF_MEMORY) blockForget();
  const result = here().result;
  result.errorOffset = faultOffset ? faultOffset + PACK_START : 0;
  result.oidKnown = faultOid ? 1 : 0;
  if (faultOid) copyOid(result.oid, faultOid);
  return status;
}

/** Fails, and names the object of `result.oid`, if it is not what it should be. */
function failObject(status: i32): i32 {
  return fail(disproved(status, here().result.oid));
}

/** Chooses the record that the functions below work in. */
export function volumeUse(record: Operation): void {
  loadingUse(record);
  blockUse(record.number);
}

/**
 * Begins to mount; `volumeMount` does the work. The instance holds one volume: an earlier one is gone, with all its
 * operations.
 * @param mode `Mode.LIGHT`, `FAST` or `ANALYZE`
 * @param memoryLimit bytes, 0 for the default
 */
export function volumeMountBegin(handle: u64, capacity: u64, blockSize: u64, mode: u32, memoryLimit: u32): i32 {
  const record = changetype<Operation>(first);
  ended = changetype<Operation>(0);
  recordsReset();
  operationInit(record, 1);
  recordPut(1, record);
  volumeUse(record);
  return mountBegin(handle, capacity, blockSize, mode, memoryLimit);
}

/**
 * Sets how far reads are proven, and the commit that the image must hold. Call it after `volumeMountBegin`, before
 * `volumeMount`. By default nothing is proven, and any commit will do.
 * @param level `Proof`
 * @param commit 20 bytes, or 0
 */
export function volumeProve(level: u32, commit: usize): i32 {
  if (!mounting() || level > Proof.COLLISIONS) return Status.EINVAL;
  mountProof(level, commit);
  return Status.OK;
}

/** Begins an operation in the place of the one before it. */
function begin(task: u32, flags: u32): void {
  volumeCancel();
  const operation = here();
  operation.task = task;
  operation.flags = flags;
  operation.work = 0;
  operation.count = 0;
  operation.waitsFor = 0;
  operation.symlinks = 0;
  operation.isResolved = false;
  operation.isWhole = false;
  operation.rangeWork = 0;
  operation.hasShed = false;
  faultClear();
  memory.fill(changetype<usize>(operation.result), 0, offsetof<Result>());
}

/** Begins an operation on a path. */
function beginPath(task: u32, path: usize, len: u32, flags: u32): i32 {
  begin(task, flags);
  if (!mounted()) return Status.EINVAL;
  if (len > GIVEN_MAX) return Status.PATH_TOO_LONG;
  pathClear();
  return pathAppend(path, len);
}

/** @returns OK, AGAIN (see `volumeResume`), or the image's error */
export function volumeMount(): i32 {
  begin(Task.MOUNT, 0);
  return end(runMount());
}

/**
 * Looks a path up: `kind`, `mode`, `offset`; `oid` with Flag.OID; `size` with Flag.SIZE, read from
 * headers.
 * @param path bytes, UTF-8 by convention; `len` of them
 */
export function volumeStat(path: usize, len: u32, flags: u32): i32 {
  const status = beginPath(Task.STAT, path, len, flags);
  return end(status == Status.OK ? runStat() : status);
}

/**
 * Lists a page of a directory's entries in the order of their names' bytes. `data` points to `count` pointers (u32)
 * to entries as git's trees hold them: mode in octal, a space, the name, NUL, 20 bytes of id. With Flag.SIZE
 * `sizes` points to as many u64. `left` entries follow.
 * @param after the page holds names that come after these bytes; `afterLen` 0 for the first page
 * @param limit the most entries of the page; 0 for all
 */
export function volumeList(path: usize, len: u32, flags: u32, after: usize, afterLen: u32, limit: u32): i32 {
  const status = beginPath(Task.LIST, path, len, flags);
  const operation = here();
  operation.count = limit;
  // No name differs behind that many bytes.
  operation.afterLen = min<u32>(afterLen, Limit.NAME);
  memory.copy(operation.after, after, operation.afterLen);
  return end(status == Status.OK ? runList() : status);
}

/**
 * Reads a piece of a file's content, or of a symlink's target if it is not followed: `data`, `dataLen`, and the
 * whole's `size`. Fewer bytes than asked for may come; none come only at the end or past it.
 * @param position bytes from the file's start
 * @param count bytes
 */
export function volumeRead(path: usize, len: u32, flags: u32, position: u64, count: u32): i32 {
  const status = beginPath(Task.READ, path, len, flags);
  const operation = here();
  operation.position = position;
  operation.count = count;
  return end(status == Status.OK ? runRead() : status);
}

/**
 * Reads a whole object, by its id: `kind` (1 commit, 2 tree, 3 blob, 4 tag), `data`, `dataLen`, `size`.
 * @param oid 20 bytes
 */
export function volumeObject(oid: usize): i32 {
  begin(Task.OBJECT, 0);
  copyOid(here().resolvedOid, oid);
  return end(mounted() ? runObject() : Status.EINVAL);
}

/** Goes on with the operation after AGAIN. @returns a status of the function that began it; EINVAL if none waits */
export function volumeResume(): i32 {
  releaseResult();
  faultClear();
  const operation = here();
  operation.waitsFor = 0;
  switch (operation.task) {
    case Task.MOUNT:
      return end(runMount());
    case Task.STAT:
      return end(runStat());
    case Task.LIST:
      return end(runList());
    case Task.READ:
      return end(runRead());
    case Task.OBJECT:
      return end(runObject());
    default:
      return Status.EINVAL;
  }
}

function runMount(): i32 {
  const status = mountRun();
  if (status != Status.OK) return fail(status);
  store<i64>(info, commitTime);
  copyOid(info + 8, imageCommit);
  copyOid(info + 28, rootOid);
  return status;
}

/** Resolves the operation's path, once. */
function resolvePath(): i32 {
  const operation = here();
  if (operation.isResolved) return Status.OK;
  const status = resolve(operation.flags & (RESOLVE_FOLLOW | RESOLVE_OID | RESOLVE_SIZE));
  if (status != Status.OK) return fail(status);
  operation.isResolved = true;
  const result = operation.result;
  result.kind = operation.resolvedKind;
  result.mode = modeOf(operation.resolvedKind);
  result.offset = operation.resolvedOffset;
  nameResolved();
  return Status.OK;
}

/** Puts the id of the resolved object into the result. */
function nameResolved(): void {
  const operation = here();
  const result = operation.result;
  result.oidKnown = operation.isOidKnown ? 1 : 0;
  if (operation.isOidKnown) copyOid(result.oid, operation.resolvedOid);
}

function stat(): i32 {
  let status = resolvePath();
  if (status == Status.OUT_OF_MEMORY && shed()) status = resolvePath();
  const result = here().result;
  if (!SIZES || status != Status.OK || !(here().flags & Flag.SIZE)) return status;
  if (result.kind == Entry.TREE || result.kind == Entry.SUBMODULE) return status;
  if (provesOid()) {
    status = proveBlob(result.offset, result.oid);
    if (status == Status.OUT_OF_MEMORY && shed()) status = proveBlob(result.offset, result.oid);
    if (status != Status.OK) return failObject(status);
    result.size = provenSize;
  } else if (LAYOUT && here().isSizeKnown) {
    result.size = here().knownSize;
  } else {
    status = objectHead(result.offset);
    if (status != Status.OK) return fail(status);
    result.size = headSize;
  }
  return status;
}

function runStat(): i32 {
  const status = stat();
  return status == Status.OUT_OF_MEMORY && shed() ? stat() : status;
}

function list(): i32 {
  const operation = here();
  let status = resolvePath();
  if (LAYOUT && status == Status.OK && operation.flags & Flag.NAMES && layoutLists(operation.count)) {
    status = listNames();
    if (status != BAD_PAGE) return status;
    resolveLose();
    operation.isResolved = false;
    status = resolvePath();
  }
  if (status == Status.OK && operation.held == null) status = loadPage();
  if (status == Status.OK && operation.flags & Flag.SIZE) {
    status = listSize(operation.held!);
    if (status != Status.OK) fail(status);
  }
  return status;
}

/** Lists a page by the layout section. */
function listNames(): i32 {
  if (here().result.kind != Entry.TREE) return Status.DICTIONARY_EXPECTED;
  const status = layoutPage();
  return status == Status.OK || status == BAD_PAGE ? status : fail(status);
}

function runList(): i32 {
  const status = list();
  return status == Status.OUT_OF_MEMORY && shed() ? list() : status;
}

/**
 * Gives back all memory whose content can be read again, for an object that has no room: once per operation.
 * @returns whether another try is worthwhile
 */
function shed(): bool {
  const operation = here();
  if (operation.hasShed) return false;
  operation.hasShed = true;
  operation.isWhole = false;
  resolveCancel();
  windowLeave();
  windowsShed();
  if (SEEKING) {
    checkpointsShed();
    viewsShed();
  }
  treeStreamShed();
  resolveShed();
  objectShed();
  // The error no longer counts.
  operation.result.errorOffset = 0;
  if (operation.isResolved) nameResolved();
  return true;
}

/** Loads the directory at `result.offset`, by the id in the result if objects are proven, and lists a page of it. */
function loadPage(): i32 {
  const operation = here();
  const result = operation.result;
  if (result.kind != Entry.TREE) return Status.DICTIONARY_EXPECTED;
  let status = objectProven(result.offset, result.oid);
  if (status != Status.OK) return failObject(status);
  const tree = objectLoaded!;
  operation.held = tree;
  cacheKeep(tree);
  faultAt(tree.offset);
  status = tree.kind == Kind.TREE ? listOf(tree) : Status.WRONG_KIND;
  if (status == Status.OUT_OF_MEMORY && shed()) status = listOf(tree);
  return status == Status.OK ? status : fail(status);
}

function listOf(tree: GitObject): i32 {
  const operation = here();
  return listPage(tree, operation.after, operation.afterLen, operation.count);
}

/** Resolves a path and reads from the blob that it leads to: once more by trees if a seek point is wrong. */
function read(): i32 {
  const status = readOnce();
  if (!LAYOUT || status != BAD_PAGE) return status;
  const operation = here();
  resolveLose();
  faultClear();
  windowLeave();
  if (operation.held != null) objectRelease(operation.held!);
  operation.held = null;
  operation.isResolved = false;
  return readOnce();
}

/** @returns also BAD_PAGE: the layout section is of no use */
function readOnce(): i32 {
  const operation = here();
  const result = operation.result;
  let status = resolvePath();
  if (status != Status.OK) return status;
  if (result.kind == Entry.TREE) return Status.VALUE_EXPECTED;
  if (result.kind == Entry.SUBMODULE) return Status.SUBMODULE;
  // A file that is read once need not be found sooner; a cached one is asked for again.
  if (LAYOUT && operation.isSizeKnown && cacheHas(result.offset)) resolveKeep();
  status = readAt(result.offset, result.oid, operation.position, operation.count);
  return status == Status.OK || (LAYOUT && status == BAD_PAGE) ? status : failObject(status);
}

function runRead(): i32 {
  const status = read();
  return status == Status.OUT_OF_MEMORY && shed() ? read() : status;
}

function object(): i32 {
  const operation = here();
  const result = operation.result;
  if (!operation.isResolved) {
    const oid = operation.resolvedOid;
    // Hosts read the commit when they open an image: mounting has found it.
    const isCommit = sameOid(oid, imageCommit);
    const status = isCommit ? Status.OK : findEntry(oid);
    if (status != Status.OK) return fail(faultOf(status, oid));
    result.offset = isCommit ? commitOffset : idxOffset;
    operation.isOidKnown = provesOid();
    operation.isResolved = true;
    nameResolved();
  }
  const status = objectProven(result.offset, result.oid);
  if (status != Status.OK) return failObject(status);
  const found = objectLoaded!;
  operation.held = found;
  cacheAdd(found);
  result.kind = found.kind;
  result.data = <u32>found.data;
  result.dataLen = found.size;
  result.size = found.size;
  return Status.OK;
}

function runObject(): i32 {
  const status = object();
  return status == Status.OUT_OF_MEMORY && shed() ? object() : status;
}

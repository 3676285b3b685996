/**
 * Mounting: header, PACK, IDX, commit, root tree; then, by mode, nothing more (`light`), or every path into
 * the ART (`fast`). `analyze` rebuilds the index from the PACK and reads no byte of the IDX. Each step is
 * done once: after AGAIN mounting goes on with the one that it stopped at.
 */
import { LARGE_TREES, LAYOUT, OPERATIONS, SEEKING } from "../base/features";
import { checkpointsInit } from "../objects/checkpoints";
import { faultAt, faultClear, faultOf } from "../base/fault";
import { artCount, artInit } from "../art/art";
import { BUFFER_LEN, blockAttach, blockCapacity, blockOperations, blockRelease, blockRequest } from "../device/sector-cache";
import { copyOid, sameOid } from "../base/bytes";
import { GitObject, cacheAdd, cacheInit, cacheKeep, objectRelease } from "../objects/cache";
import { commitParse, commitTree } from "../git/commit";
import { idxAttach, idxGuess, idxOffset } from "../git/idx";
import { Layout } from "../layout/footer";
import { findEntry, indexForget, indexOpen } from "../objects/index";
import { crcInit, crcLoad } from "../objects/entry-crc";
import { analyzeBegin, analyzeRun } from "../objects/reindex";
import { disproved, objectInit, objectLoaded, objectProven, rangesInit } from "../objects/load";
import { streamInit } from "../objects/stream";
import { Kind, packAttach, packCount, packOpen } from "../git/entry";
import { Proof, proofSet, provesCrc, provesOid } from "../objects/proof";
import { Entry, treeKind, treeName, treeNameLen, treeNext, treeOid, treeRest } from "../git/tree";
import { heapInit } from "../base/heap";
import { idsInit } from "./path-ids";
import { imageCommit, imageIdx, imageOpen } from "./image";
import { Limit } from "../base/limits";
import { here } from "./operation";
import { pathAppend, pathClear, pathTruncate } from "./path";
import { provenInit } from "./proven-blobs";
import { viewsInit } from "./delta-view";
import { layoutBegin, layoutCommit, layoutDrop, layoutOpen, layoutState, layoutTree } from "./layout";
import { readInit } from "./read";
import { resolveComplete, resolveInit, resolveInsert } from "./lookup";
import { Status } from "../base/status";
import { isStreamed, treeStreamInit, treeStreamProve, treeStreams } from "./tree-stream";

/** Mount modes. */
export namespace Mode {
  export const LIGHT: u32 = 0;
  export const FAST: u32 = 1;
  export const ANALYZE: u32 = 2;
}

/** The most sectors that are cached. More hardly ever help: the host's own cache is behind them. */
const SECTOR_CACHE_MAX: u32 = 32 << 20;

/** Bytes of memory for each operation: a record, a window and a delta's buffer take a quarter of them. */
const OPERATION_MEMORY: u32 = 1 << 20;
/** Operations that can be under way once the image is mounted. */
export let operationsMax: u32 = 1;

/** Paths that a `fast` mount takes from any image, beside one for each byte of the device. */
const PATHS_FREE: u64 = 1 << 21;

const STEP_HEADER: u32 = 0;
const STEP_LAYOUT: u32 = 1;
const STEP_INDEX: u32 = 2;
const STEP_CRCS: u32 = 3;
const STEP_FIND_COMMIT: u32 = 4;
const STEP_COMMIT: u32 = 5;
const STEP_FIND_ROOT: u32 = 6;
const STEP_ROOT: u32 = 7;
const STEP_WALK: u32 = 8;
const STEP_DONE: u32 = 9;

/** Bytes at the image's end that are asked for with its header: the footer of the layout section, and its upper pages. */
const TAIL: u64 = 16384;

/** A tree on the way of the walk, 12 bytes: │ object u32, held │ position u32 in its data │ keyLen u32 │ */
const FRAME: usize = 12;
const frames: usize = memory.data(Limit.TREE_DEPTH * FRAME + FRAME, 8);
let frameCount: u32 = 0;

let mode: u32 = 0;
let step: u32 = 0;
/** The entries of the commit and of its root tree, from the PACK's start. */
export let commitOffset: u64 = 0;
let rootOffset: u64 = 0;
/** The commit that the image must be of, if one is wanted. */
const pinned: usize = memory.data(20, 8);
let isPinned: bool = false;
/** Bytes that the ids of the ART's objects may take. */
let idsLimit: u32 = 0;


/**
 * Takes the memory and attaches the device. An image that was mounted before is forgotten.
 * @param limit bytes of Wasm memory, all in all; 0 for the default: `Limit.MEMORY` for caches, up to
 *   `Limit.MEMORY_MAX` for objects that need more
 * @returns OK, EINVAL, OUT_OF_MEMORY
 */
export function mountBegin(handle: u64, capacity: u64, blockSize: u64, mountMode: u32, limit: u32): i32 {
  if ((limit != 0 && limit < Limit.MEMORY_MIN) || mountMode > Mode.ANALYZE) return Status.EINVAL;
  const hardCap = limit ? limit : Limit.MEMORY_MAX;
  // By default the caches keep to a small memory, and only objects that need more make it grow.
  if (!limit) limit = mountMode == Mode.LIGHT ? Limit.MEMORY : hardCap;
  mode = mountMode;
  step = STEP_HEADER;
  frameCount = 0;
  // The buffer for a large block comes on top. If that is not allowed, the caches share the rest.
  const buffer: u64 = blockSize > BUFFER_LEN ? blockSize : 0;
  const soft = <u32>min<u64>(<u64>limit + buffer, hardCap);
  if (soft > buffer) limit = soft - <u32>buffer;
  heapInit(soft);
  const status = blockAttach(handle, capacity, blockSize, min<u32>(limit >> 2, SECTOR_CACHE_MAX));
  if (status != Status.OK) return status;
  cacheInit(mode == Mode.LIGHT ? limit >> 1 : min<u32>(limit >> 2, Limit.MEMORY >> 1), soft, hardCap);
  artInit(mode == Mode.LIGHT ? limit >> 3 : limit);
  objectInit();
  streamInit();
  treeStreamInit(hardCap, limit >> 2);
  operationsMax = max<u32>(min<u32>(min<u32>(limit / OPERATION_MEMORY, blockOperations()), OPERATIONS), 1);
  if (SEEKING) {
    // The smallest memory is hardly enough for the rest.
    const share = (min<u32>(limit, Limit.MEMORY) - (Limit.MEMORY_MIN >> 1)) >> 2;
    checkpointsInit(share);
    viewsInit(share >> 1, hardCap >> 1);
    rangesInit(share, share >> 1, hardCap >> 2);
  }
  readInit(min<u64>(limit >> 5, 0x80000), operationsMax);
  layoutBegin(limit >> 4);
  indexForget();
  proofSet(Proof.NONE);
  isPinned = false;
  idsLimit = mode == Mode.LIGHT ? limit >> 4 : limit;
  faultClear();
  return Status.OK;
}

/**
 * Sets the proofs, before anything is read.
 * @param commit the id of the commit that the image must be of, 20 bytes; 0 for any
 */
export function mountProof(level: u32, commit: usize): void {
  proofSet(level);
  crcInit();
  idsInit(idsLimit);
  provenInit();
  isPinned = commit != 0;
  if (isPinned) copyOid(pinned, commit);
}

/** The header: the places of the parts, and the commit's id. */
function openHeader(): i32 {
  // A device that does not even begin like an image is not called a truncated image.
  let status = packOpen();
  if (status == Status.OK) status = imageOpen();
  if (LAYOUT && status == Status.AGAIN && usesLayout()) {
    const len = min<u64>(blockCapacity(), TAIL);
    blockRequest(blockCapacity() - len, len);
  }
  if (status != Status.OK) return status;
  if (isPinned && !sameOid(pinned, imageCommit)) return faultOf(Status.OTHER_COMMIT, imageCommit);
  packAttach(imageIdx);
  analyzeBegin();
  idxAttach(imageIdx);
  return status;
}

/** Names the object that an index lacks. */
function missing(status: i32, oid: usize): i32 {
  return status == Status.MISSING_OBJECT ? faultOf(status, oid) : status;
}

/** Loads an object of a given id and kind; the caller releases `objectLoaded`. */
function loadKind(offset: u64, oid: usize, kind: u32): i32 {
  const status = objectProven(offset, oid);
  if (status != Status.OK) return disproved(status, oid);
  faultAt(offset);
  if (objectLoaded!.kind == kind) return Status.OK;
  objectRelease(objectLoaded!);
  return Status.WRONG_KIND;
}

function openIndex(): i32 {
  if (mode == Mode.ANALYZE) {
    return analyzeRun();
  }
  const status = indexOpen();
  if (status == Status.AGAIN) idxGuess(imageCommit, packCount);
  return status;
}

/** Whether this mount uses the layout section: proofs need trees and IDX, and other modes have indexes of their own. */
function usesLayout(): bool {
  return LAYOUT && mode == Mode.LIGHT && !provesCrc() && !provesOid();
}

function isLaidOut(): bool {
  return LAYOUT && layoutState == Layout.USED;
}

function loadCommit(): i32 {
  let status = loadKind(commitOffset, imageCommit, Kind.COMMIT);
  if (status != Status.OK) return status;
  status = commitParse(objectLoaded!.data, objectLoaded!.size);
  // The host reads the commit next, when it opens an image.
  cacheAdd(objectLoaded!);
  objectRelease(objectLoaded!);
  return status;
}

function loadRoot(): i32 {
  if (LARGE_TREES && mode == Mode.LIGHT) {
    faultAt(rootOffset);
    let status = treeStreams(rootOffset);
    if (status == Status.OK && isStreamed) status = treeStreamProve(rootOffset, commitTree);
    if (status != Status.OK) return disproved(status, commitTree);
    if (isStreamed) return resolveInit(rootOffset, commitTree);
  }
  const status = loadKind(rootOffset, commitTree, Kind.TREE);
  if (status != Status.OK) return status;
  cacheKeep(objectLoaded!);
  pathClear();
  pushFrame(objectLoaded!);
  return resolveInit(rootOffset, commitTree);
}

function pushFrame(tree: GitObject): void {
  const frame = frames + frameCount * FRAME;
  store<u32>(frame, <u32>changetype<usize>(tree));
  store<u32>(frame, 0, 4);
  store<u32>(frame, here().keyLen, 8);
  frameCount++;
}

/** Puts every path below the root into the ART. */
function walk(): i32 {
  while (frameCount > 0) {
    const frame = frames + (frameCount - 1) * FRAME;
    const tree = changetype<GitObject>(<usize>load<u32>(frame));
    const position = load<u32>(frame, 4);
    pathTruncate(load<u32>(frame, 8));
    if (position == tree.size) {
      objectRelease(tree);
      frameCount--;
      continue;
    }
    const status = visit(tree, position);
    if (status == Status.AGAIN) requestAhead(tree, position);
    if (status != Status.OK) return status;
  }
  return Status.OK;
}

/** One entry of a tree: its path into the ART; a directory's tree onto the stack. */
function visit(tree: GitObject, position: u32): i32 {
  const frame = frames + (frameCount - 1) * FRAME;
  faultAt(tree.offset);
  let status = treeNext(tree.data + position, tree.data + tree.size);
  if (status != Status.OK) return status;
  const kind = treeKind;
  const next = <u32>(treeRest - tree.data);
  status = pathAppend(treeName, treeNameLen);
  if (status != Status.OK) return status;
  let offset: u64 = 0;
  if (kind != Entry.SUBMODULE) {
    status = findEntry(treeOid);
    if (status != Status.OK) {
      // It is the index that has the error, not the tree.
      faultAt(0);
      return missing(status, treeOid);
    }
    offset = idxOffset;
  }
  if (kind == Entry.TREE) {
    status = loadKind(offset, treeOid, Kind.TREE);
    if (status != Status.OK) return status;
    cacheAdd(objectLoaded!);
    pushFrame(objectLoaded!);
  }
  store<u32>(frame, next, 4);
  blockRelease();
  const paths = artCount();
  // Trees that hold others many times may have more paths than any memory could take.
  if (<u64>paths >= PATHS_FREE + blockCapacity()) return Status.WORK_LIMIT;
  status = resolveInsert(here().keyLen, kind, offset, treeOid);
  if (status != Status.OK || artCount() > paths) return status;
  // A name must not be there twice: sixty trees with two such names would be walked forever, almost without memory.
  faultAt(tree.offset);
  return Status.BAD_TREE;
}

/** The number of entries that are looked at ahead while a device is slow. */
const AHEAD: u32 = 32;

/** While the device is slow to answer: asks for the index entries, and so the trees, that come next. */
function requestAhead(tree: GitObject, position: u32): void {
  const end = tree.data + tree.size;
  let ptr = tree.data + position;
  for (let i: u32 = 0; i < AHEAD && ptr < end; i++) {
    if (treeNext(ptr, end) != Status.OK) return;
    ptr = treeRest;
    if (treeKind != Entry.SUBMODULE) findEntry(treeOid);
  }
}

/**
 * Mounts, from `mountBegin` or, after AGAIN, from where it stopped.
 * @returns OK, AGAIN, or the image's error
 */
export function mountRun(): i32 {
  while (true) {
    let status = Status.OK;
    faultAt(0);
    switch (step) {
      case STEP_HEADER:
        status = openHeader();
        break;
      case STEP_LAYOUT:
        if (usesLayout()) status = layoutOpen(imageCommit);
        break;
      case STEP_INDEX:
        if (!isLaidOut()) status = openIndex();
        break;
      case STEP_CRCS:
        if (provesCrc()) status = crcLoad();
        break;
      case STEP_FIND_COMMIT:
        if (isLaidOut()) {
          commitOffset = layoutCommit();
        } else {
          status = missing(findEntry(imageCommit), imageCommit);
          commitOffset = idxOffset;
        }
        break;
      case STEP_COMMIT:
        status = loadCommit();
        if (!isLaidOut() || status < Status.BAD_HEADER) break;
        // The IDX may lead to another entry.
        layoutDrop();
        faultClear();
        step = STEP_INDEX;
        continue;
      case STEP_FIND_ROOT:
        if (isLaidOut()) {
          rootOffset = layoutTree();
        } else {
          status = missing(findEntry(commitTree), commitTree);
          rootOffset = idxOffset;
        }
        break;
      case STEP_ROOT:
        status = isLaidOut() ? resolveInit(rootOffset, commitTree) : loadRoot();
        break;
      case STEP_WALK:
        status = mode == Mode.FAST ? walk() : Status.OK;
        if (status == Status.OK) finish();
        break;
      default:
        return Status.OK;
    }
    if (status != Status.OK) return status;
    blockRelease();
    step++;
  }
}

function finish(): void {
  if (mode == Mode.FAST) {
    resolveComplete();
  } else if (frameCount > 0) {
    objectRelease(changetype<GitObject>(<usize>load<u32>(frames)));
    frameCount = 0;
  }
}

/** Whether a mount has begun and has not yet read anything. */
export function mounting(): bool {
  return step == STEP_HEADER;
}

/** Whether the last mount came to its end. */
export function mounted(): bool {
  return step >= STEP_DONE;
}

/**
 * Rebuilds the index from the PACK alone, as `git index-pack` does. First pass: every entry in order,
 * inflated through one window, with its CRC-32, the PACK's SHA-1, and the ids of objects that are not deltas.
 * Second pass: deltas are resolved, each after its base, and get their ids.
 */
import { PROOFS } from "../base/features";
import { faultAt } from "../base/fault";
import { blockLen, blockPeek, blockRelease, blockStatus, blockWindow } from "../device/sector-cache";
import { crc32 } from "../checksum/crc32";
import { sha1Final, sha1Init, sha1Update } from "../checksum/sha1";
import { SHA1_SIZE } from "../checksum/sha1-state";
import { WINDOW, windowSlide } from "../inflate/window";
import { NEED_INPUT, NEED_OUTPUT, zlibRun } from "../inflate/zlib";
import { sameOid } from "../base/bytes";
import { Status } from "../base/status";
import { header, objectHeader } from "../git/object-header";
import { OBJECT_SLACK, cacheAlloc, cacheKeep, objectRelease } from "./cache";
import { heapFree } from "../base/heap";
import { objectLoad, objectLoaded } from "./load";
import { loading } from "./loading";
import { Stream, streamBegin } from "./stream";
import { ENTRY_HEADER, EntryHeader, Kind, PACK_START, entriesEnd, packCount, readEntry } from "../git/entry";
import { Inflate } from "../inflate/zlib";
import { record, recordKind, recordOffset, tableAdd, tableInit, tableReset } from "./rebuilt-index";
import { waitingAdd, waitingAfter, waitingBegin, waitingEnd, waitingIndex, waitingNext, waitingStart } from "./pending-deltas";

const TRAILER: u32 = 20;
/** A zlib stream of nothing is 8 bytes long, an entry's header at least one. */
const ENTRY_MIN: u64 = 9;

const BEGIN: u32 = 0;
const ENTRIES: u32 = 1;
const CHECK_TRAILER: u32 = 2;
const RESOLVE: u32 = 3;

const packHash: usize = memory.data(SHA1_SIZE, 16);
const objectHash: usize = memory.data(SHA1_SIZE, 16);
const digest: usize = memory.data(20, 8);

let phase: u32 = BEGIN;
/** The current entry's header has been read. */
let inEntry: bool = false;
let index: u32 = 0;
/** The current entry's offset from the PACK's start, and its header. */
let offset: u64 = 0;
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));
let window: usize = 0;
/** The input window that the inflater reads, its absolute offset, and the number of its bytes that have been hashed. */
let inputOffset: u64 = 0;
let inputPtr: usize = 0;
let inputLen: u32 = 0;
let crc: u32 = 0;
/** The delta that `index` names is being resolved. */
let isResolving: bool = false;


export function analyzeBegin(): void {
  phase = BEGIN;
  inEntry = false;
  window = 0;
  tableReset();
}

/** Begins an object's hash with its header. */
function beginHash(objectKind: u32, objectSize: u64): void {
  sha1Init(objectHash);
  sha1Update(objectHash, header, objectHeader(objectKind, objectSize));
}

/** Counts bytes of the current entry into its CRC-32, which only proofs read, and the PACK's SHA-1. */
function tally(ptr: usize, len: u32): void {
  if (PROOFS) crc = crc32(crc, ptr, len);
  sha1Update(packHash, ptr, len);
}

function begin(): i32 {
  const head = blockPeek(PACK_START, 12);
  if (!head) return blockStatus;
  if (<u64>packCount * ENTRY_MIN > entriesEnd() - PACK_START) return Status.BAD_PACK;
  let status = tableInit(packCount);
  if (status == Status.OK) status = waitingBegin();
  if (status != Status.OK) return status;
  window = cacheAlloc(WINDOW + OBJECT_SLACK);
  if (!window) return Status.OUT_OF_MEMORY;
  sha1Init(packHash);
  sha1Update(packHash, head, 12);
  offset = 12;
  index = 0;
  return Status.OK;
}

/**
 * The index of the entry that begins at `base`, among those before the current one; or -1. They are in order, so that
 * halving finds it.
 */
function entryBefore(base: u64): i32 {
  let low: u32 = 0;
  let high = index;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (recordOffset(middle) < base) low = middle + 1;
    else high = middle;
  }
  return low < index && recordOffset(low) == base ? <i32>low : -1;
}

function beginEntry(): i32 {
  const status = readEntry(entry, offset);
  if (status != Status.OK) return status;
  const kind = entry.kind;
  const base = kind == Kind.OFS_DELTA ? entryBefore(entry.base) : 0;
  if (base < 0) return Status.BAD_BASE;
  const start = offset + PACK_START;
  const headLen = <u32>(entry.data - start);
  const head = blockPeek(start, headLen);
  if (!head) return blockStatus;
  crc = 0;
  tally(head, headLen);
  store<u64>(record(index), offset, 24);
  if (kind > Kind.TAG) waitingAdd(index, kind == Kind.REF_DELTA, <u32>base, entry.baseOid);
  else beginHash(kind, entry.size);
  streamBegin(changetype<Stream>(loading.stream), entry.data, entry.size, window, <u32>min<u64>(WINDOW, entry.size), OBJECT_SLACK);
  inputOffset = entry.data;
  inputLen = 0;
  blockRelease();
  return Status.OK;
}

/** The inflater of the stream that is read. */
// @ts-ignore: decorator
@inline
function inflater(): Inflate {
  return changetype<Stream>(loading.stream).inflate;
}

/** Inflates the current entry to its end. */
function runStream(): i32 {
  const state = inflater();
  const size = entry.size;
  while (true) {
    const from = state.output;
    const status = zlibRun(state);
    if (entry.kind <= Kind.TAG) sha1Update(objectHash, from, state.output - from);
    if (status == NEED_OUTPUT) {
      if (state.totalOut == size) return Status.BAD_INFLATED_SIZE;
      windowSlide(state, window, size);
      continue;
    }
    if (status == NEED_INPUT) {
      tally(inputPtr, inputLen);
      inputOffset += inputLen;
      inputLen = 0;
      if (inputOffset >= entriesEnd()) return Status.TRUNCATED;
      const ptr = blockWindow(inputOffset, entriesEnd() - inputOffset);
      if (!ptr) return blockStatus;
      inputPtr = ptr;
      inputLen = <u32>min<u64>(blockLen, entriesEnd() - inputOffset);
      state.input = ptr;
      state.inputEnd = ptr + inputLen;
      continue;
    }
    if (status != Status.OK) return status;
    return state.totalOut == size ? Status.OK : Status.BAD_INFLATED_SIZE;
  }
}

function endEntry(): void {
  const used = <u32>(inflater().totalIn - (inputOffset - entry.data));
  tally(inputPtr, used);
  inputOffset += used;
  const at = record(index);
  if (PROOFS) store<u32>(at, crc, 20);
  if (entry.kind <= Kind.TAG) {
    sha1Final(objectHash, at);
    tableAdd(index, entry.kind);
  }
  offset = inputOffset - PACK_START;
}

/** The first pass. */
function scan(): i32 {
  for (; index < packCount; index++) {
    if (!inEntry) {
      const status = beginEntry();
      if (status != Status.OK) return status;
      inEntry = true;
    }
    const status = runStream();
    if (status != Status.OK) return status;
    endEntry();
    inEntry = false;
  }
  return Status.OK;
}

function checkTrailer(): i32 {
  const ptr = blockPeek(offset + PACK_START, TRAILER);
  if (!ptr) return blockStatus;
  sha1Final(packHash, digest);
  heapFree(window);
  window = 0;
  if (!sameOid(ptr, digest)) return Status.BAD_TRAILER;
  isResolving = false;
  waitingStart();
  return Status.OK;
}

/** Resolves each delta when its base is known. */
function resolveDeltas(): i32 {
  while (isResolving || waitingNext()) {
    index = waitingIndex;
    isResolving = true;
    offset = recordOffset(index);
    const status = objectLoad(offset);
    if (status != Status.OK) return status;
    const object = objectLoaded!;
    cacheKeep(object);
    beginHash(object.kind, object.size);
    sha1Update(objectHash, object.data, object.size);
    sha1Final(objectHash, record(index));
    tableAdd(index, object.kind);
    objectRelease(object);
    blockRelease();
    isResolving = false;
    waitingAfter(index);
  }
  waitingEnd();
  // Each delta that is left lacks its base, or hangs on itself: the attempt tells which.
  for (index = 0; index < packCount; index++) if (!recordKind(index)) return objectLoad(recordOffset(index));
  return Status.OK;
}

/** @returns OK, AGAIN (call again), or the PACK's error */
export function analyzeRun(): i32 {
  while (true) {
    let status = Status.OK;
    switch (phase) {
      case BEGIN:
        status = begin();
        break;
      case ENTRIES:
        status = scan();
        break;
      case CHECK_TRAILER:
        status = checkTrailer();
        break;
      case RESOLVE:
        status = resolveDeltas();
        break;
      default:
        return Status.OK;
    }
    if (status != Status.OK) {
      if (phase != RESOLVE) faultAt(offset);
      return status;
    }
    phase++;
  }
}

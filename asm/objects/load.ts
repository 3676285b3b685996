/**
 * Objects whole in memory: a chain is walked down, its base inflated, and delta by delta applied on the way
 * back up. One load at a time; it can be interrupted by AGAIN at any read and goes on from there, as all of
 * its state lies in this module.
 */
import { faultAt, faultOf } from "../base/fault";
import { blockCapacity, blockLen, blockRelease, blockStatus, blockWindow } from "../device/sector-cache";
import { Inflate, INFLATE_SIZE, NEED_INPUT, zlibInit, zlibRun } from "../inflate/zlib";
import { heapFree } from "../base/heap";
import { Status } from "../base/status";
import {
  GitObject,
  OBJECT_SLACK,
  cacheAlloc,
  cacheClear,
  cacheFind,
  cacheLink,
  cacheTouch,
  objectAlloc,
  objectRelease,
  objectSeal,
} from "./cache";
import {
  chainBegin,
  chainCached,
  chainCount,
  chainKind,
  chainOffset,
  chainRequest,
  chainTrim,
  chainWalk,
  linkCrc,
  linkData,
  linkOffset,
  linkSize,
} from "./chain";
import { crcCheck, crcResume, crcUpdate } from "./entry-crc";
import { proveObject } from "./object-id";
import { provesCrc, provesOid } from "./proof";
import { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize } from "../git/delta";
import { Kind, entriesEnd, entryData, entryKind, entrySize, readEntry } from "../git/entry";

/** The most that is held in one piece: what `heapAlloc` can give. */
const IN_MEMORY_MAX: u64 = 0x7fff0000;
const DELTA_BUFFER_MIN: u32 = 0x4000;
/** A larger buffer is not kept. */
const DELTA_BUFFER_MAX: u32 = 0x40000;
/**
 * Bytes that one operation may inflate and make: 2^15 times the image's size and as many more, and 2^6 times the sizes of the
 * objects that it asks for. The first is a chain of 4095 deltas to content that deflate makes 8 times smaller; the second a
 * chain of 64, whatever its content.
 */
const WORK_IMAGE: i64 = 15;
const WORK_ASKED: i64 = 6;
const WORK_FREE: i64 = 0x8000;
/** The two sizes at a delta's head take at most 10 bytes each. */
const DELTA_HEAD: u32 = 20;

const IDLE: u32 = 0;
const WALK: u32 = 1;
const INFLATE_BASE: u32 = 2;
const NEXT_DELTA: u32 = 3;
const INFLATE_DELTA: u32 = 4;

/** The one inflater. Who streams moves its output window. */
export const inflater: Inflate = changetype<Inflate>(memory.data(INFLATE_SIZE, 16));
const deltaHead: usize = memory.data(32, 8);

let phase: u32 = IDLE;
/** The object that is being loaded. */
let wanted: u64 = 0;
/** Links not yet applied. */
let pending: u32 = 0;
/** The object resolved so far, or the base that is being inflated; held. */
let current: GitObject | null = null;
let deltaBuffer: usize = 0;
let deltaCapacity: u32 = 0;
/** The next byte of the zlib stream, absolute. */
let inputOffset: u64 = 0;
let inputEstimate: u64 = 0;

/** The object that `objectLoad` resolved, held for the caller, who releases it. */
export let objectLoaded: GitObject | null = null;

export function objectInit(): void {
  phase = IDLE;
  current = null;
  objectLoaded = null;
  deltaBuffer = 0;
  deltaCapacity = 0;
}

/** Tells streams apart: one inflater serves all, and who finds another number here has lost it. */
export let streamSerial: u32 = 0;

/** Bytes that all streams have inflated to, and bytes that deltas have made. */
export let streamedBytes: u64 = 0;
export let deltaBytes: u64 = 0;
/** Their sum when the operation began, and beyond it what is allowed for the objects that it asks for. */
let workBase: i64 = 0;

/** Begins the work of an operation. */
export function workBegin(): void {
  workBase = streamedBytes + deltaBytes;
}

/** Begins to inflate the stream at an absolute offset into a window. */
export function streamBegin(data: u64, size: u64, target: usize, targetLen: u32, slack: u32): void {
  const state = inflater;
  zlibInit(state, size, true);
  state.input = state.inputEnd = 0;
  state.history = target;
  state.output = target;
  state.outputEnd = target + targetLen;
  state.outputSlack = slack;
  inputOffset = data;
  inputEstimate = size;
  streamSerial++;
}

/** Bytes that `streamSave` writes: the inflater's state, then the next byte of the stream and what is left of it. */
export const STREAM_SAVED: usize = INFLATE_SIZE + 16;

/** Saves the stream's state between two calls of `streamRun`. Its window is the caller's. */
export function streamSave(target: usize): void {
  memory.copy(target, changetype<usize>(inflater), INFLATE_SIZE);
  store<u64>(target + INFLATE_SIZE, inputOffset);
  store<u64>(target + INFLATE_SIZE, inputEstimate, 8);
}

/** Takes a saved stream up again. */
export function streamRestore(source: usize): void {
  memory.copy(changetype<usize>(inflater), source, INFLATE_SIZE);
  inputOffset = load<u64>(source + INFLATE_SIZE);
  inputEstimate = load<u64>(source + INFLATE_SIZE, 8);
  streamSerial++;
}

/**
 * Inflates until the stream ends or the window is full.
 * @returns OK at the end, NEED_OUTPUT, the decoder's errors, TRUNCATED, WORK_LIMIT or the device's status
 */
export function streamRun(): i32 {
  const work = <i64>(streamedBytes + deltaBytes) - workBase;
  if (work >> WORK_IMAGE > <i64>blockCapacity() + WORK_FREE) return Status.WORK_LIMIT;
  const state = inflater;
  while (true) {
    const from = state.input;
    const out = state.output;
    const status = zlibRun(state);
    streamedBytes += state.output - out;
    if (provesCrc()) crcUpdate(from, state.input - from);
    if (status != NEED_INPUT) {
      // What is left of the input lies in the sector cache, and may be gone by the next call: it is fetched
      // again then.
      inputOffset -= state.inputEnd - state.input;
      state.input = state.inputEnd;
      return status;
    }
    blockRelease();
    if (inputOffset >= entriesEnd()) return Status.TRUNCATED;
    const left = inputEstimate > state.totalIn ? inputEstimate - state.totalIn : 0;
    const ptr = blockWindow(inputOffset, left + 32);
    if (!ptr) return blockStatus;
    const len = min<u64>(blockLen, entriesEnd() - inputOffset);
    state.input = ptr;
    state.inputEnd = ptr + <usize>len;
    inputOffset += len;
  }
}

/** Runs a link's stream to its end and checks that it is as long as its entry says, and what the index says. */
function streamFinish(link: u32): i32 {
  const status = streamRun();
  if (status != Status.OK) return status < 0 ? Status.BAD_INFLATED_SIZE : status;
  if (inflater.totalOut != linkSize(link)) return Status.BAD_INFLATED_SIZE;
  return provesCrc() ? crcCheck(linkOffset(link)) : Status.OK;
}

/** What `objectHead` found: the object's size in bytes. */
export let headSize: u64 = 0;

/**
 * An object's size, from its entry's header and, for a delta, the first bytes of its stream.
 * @param offset from the PACK's start
 * @returns OK with `headSize`; what `readEntry` and the decoder return; BAD_DELTA
 */
export function objectHead(offset: u64): i32 {
  const cached = cacheFind(offset);
  if (cached != null) {
    headSize = cached.size;
    objectRelease(cached);
    return Status.OK;
  }
  if (phase != IDLE && wanted == offset) return loadForSize(offset);
  faultAt(offset);
  objectCancel();
  let status = readEntry(offset);
  if (status != Status.OK) return status;
  headSize = entrySize;
  if (entryKind <= Kind.TAG) return Status.OK;
  const size = min<u64>(entrySize, DELTA_HEAD);
  streamBegin(entryData, entrySize, deltaHead, <u32>size, 0);
  inputEstimate = 0;
  status = streamRun();
  if (status > Status.OK) return status;
  const end = deltaHead + <usize>inflater.totalOut;
  status = deltaHeader(deltaHead, end);
  headSize = deltaResultSize;
  const isCut = status != Status.OK || deltaBody == end;
  return isCut && end == deltaHead + DELTA_HEAD ? loadForSize(offset) : status;
}

/** The size of an object whose delta writes sizes in more bytes than `DELTA_HEAD`: it has to be made. */
function loadForSize(offset: u64): i32 {
  const status = objectLoad(offset);
  if (status != Status.OK) return status;
  headSize = objectLoaded!.size;
  objectRelease(objectLoaded!);
  return Status.OK;
}

/** Drops a load that is under way. */
export function objectCancel(): void {
  if (phase == IDLE) return;
  if (current != null) objectRelease(current!);
  current = null;
  phase = IDLE;
}

function freeDeltaBuffer(): void {
  heapFree(deltaBuffer);
  deltaBuffer = 0;
  deltaCapacity = 0;
}

/** Gives back what is kept between loads, cached objects included: the heap is then as empty as it gets. */
export function objectShed(): void {
  objectCancel();
  freeDeltaBuffer();
  cacheClear();
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  objectCancel();
  return status;
}

function ensureDeltaBuffer(size: u32): bool {
  if (size <= deltaCapacity) return true;
  heapFree(deltaBuffer);
  deltaCapacity = max<u32>(size, DELTA_BUFFER_MIN);
  deltaBuffer = cacheAlloc(deltaCapacity + OBJECT_SLACK);
  if (!deltaBuffer) deltaCapacity = 0;
  return deltaBuffer != 0;
}

/**
 * Before the base: the buffer for the largest delta of the chain, so that it does not come to lie between
 * large objects.
 */
function reserveDeltas(count: u32): i32 {
  let largest: u64 = 0;
  for (let link: u32 = 0; link < count; link++) largest = max<u64>(largest, linkSize(link));
  if (largest > IN_MEMORY_MAX) return Status.OBJECT_TOO_LARGE;
  return ensureDeltaBuffer(<u32>largest) ? Status.OK : Status.OUT_OF_MEMORY;
}

function beginBase(): i32 {
  const link = pending - 1;
  if (linkSize(link) > IN_MEMORY_MAX) return Status.OBJECT_TOO_LARGE;
  const size = <u32>linkSize(link);
  current = objectAlloc(size);
  if (current == null) return Status.OUT_OF_MEMORY;
  current!.offset = linkOffset(link);
  current!.kind = chainKind;
  streamBegin(linkData(link), size, current!.data, size, OBJECT_SLACK);
  if (provesCrc()) crcResume(linkCrc(link));
  return Status.OK;
}

function beginDelta(): void {
  const link = pending - 1;
  const size = <u32>linkSize(link);
  streamBegin(linkData(link), size, deltaBuffer, size, OBJECT_SLACK);
  if (provesCrc()) crcResume(linkCrc(link));
}

/** Makes the next object of the chain out of `current` and the delta in the buffer. */
function applyDelta(): i32 {
  const base = current!;
  const end = deltaBuffer + <usize>linkSize(pending - 1);
  let status = deltaHeader(deltaBuffer, end);
  if (status != Status.OK) return status;
  if (deltaBaseSize != base.size) return Status.DELTA_BASE_SIZE;
  if (deltaResultSize > IN_MEMORY_MAX) return Status.OBJECT_TOO_LARGE;
  const size = <u32>deltaResultSize;
  const result = objectAlloc(size);
  if (result == null) return Status.OUT_OF_MEMORY;
  status = deltaApply(deltaBody, end, base.data, base.size, result.data, size);
  if (status != Status.OK) {
    objectRelease(result);
    return status;
  }
  result.offset = linkOffset(pending - 1);
  result.kind = base.kind;
  result.depth = <u16>(base.depth + 1);
  deltaBytes += size;
  cacheLink(base, result, pending);
  objectRelease(base);
  current = result;
  return Status.OK;
}

/**
 * Resolves an object. After AGAIN, call again with the same offset; any other call drops what was under way.
 * @param offset from the PACK's start
 * @returns OK with `objectLoaded`, AGAIN, or an error
 */
export function objectLoad(offset: u64): i32 {
  if (phase != IDLE && wanted != offset) objectCancel();
  if (phase == IDLE) {
    wanted = offset;
    chainBegin(offset);
    phase = WALK;
  }
  while (true) {
    let status = Status.OK;
    if (phase == WALK) {
      status = chainWalk();
      if (status == Status.AGAIN) {
        chainRequest(chainCount);
        return status;
      }
      current = chainCached;
      if (current != null && chainCount) cacheTouch(current!);
      if (status != Status.OK) return fail(status, status == Status.CHAIN_TOO_DEEP ? offset : chainOffset());
      pending = chainCount;
      phase = current != null ? NEXT_DELTA : INFLATE_BASE;
      status = reserveDeltas(current != null ? pending : pending - 1);
      if (status == Status.OK && phase == INFLATE_BASE) status = beginBase();
      if (status != Status.OK) return fail(status, offset);
    } else if (phase == NEXT_DELTA) {
      if (pending == 0) break;
      beginDelta();
      phase = INFLATE_DELTA;
    } else {
      status = streamFinish(pending - 1);
      if (status == Status.AGAIN) {
        chainRequest(pending - 1);
        return status;
      }
      if (status == Status.OK && phase == INFLATE_DELTA) status = applyDelta();
      if (status != Status.OK) return fail(status, linkOffset(pending - 1));
      objectSeal(current!);
      pending--;
      phase = NEXT_DELTA;
    }
  }
  objectLoaded = current;
  workBase += <i64>current!.size << WORK_ASKED;
  current = null;
  phase = IDLE;
  if (deltaCapacity > DELTA_BUFFER_MAX) freeDeltaBuffer();
  chainTrim();
  return Status.OK;
}

/** Names the object of an error where it is not what its id, 20 bytes, says. @returns the status */
export function disproved(status: i32, oid: usize): i32 {
  return provesOid() && (status == Status.OID_MISMATCH || status == Status.COLLISION) ? faultOf(status, oid) : status;
}

/**
 * Resolves the object of an id, and proves it where that is asked for. Bases on the way are not hashed: what a
 * delta makes of a wrong one is not the object of that id.
 * @param offset where the index says that it is
 * @param oid 20 bytes
 * @returns what `objectLoad` does; OID_MISMATCH, COLLISION
 */
export function objectProven(offset: u64, oid: usize): i32 {
  let status = objectLoad(offset);
  if (!provesOid() || status != Status.OK) return status;
  status = proveObject(objectLoaded!, oid);
  if (status != Status.OK) {
    objectRelease(objectLoaded!);
    faultAt(offset);
  }
  return status;
}

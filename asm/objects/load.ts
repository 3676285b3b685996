/**
 * Loads whole objects into memory: a chain is walked down, its base is inflated, and the deltas are applied on the way
 * back up. AGAIN can interrupt a load at any read. The load goes on from there, as all of its state lies in the
 * operation's record. Each operation loads one object at a time. If several want one object, one of them loads it.
 */
import { SEEKING } from "../base/features";
import { faultAt, faultOf } from "../base/fault";
import { heapFree } from "../base/heap";
import { blockRequest } from "../device/sector-cache";
import { Status } from "../base/status";
import {
  GitObject,
  OBJECT_SLACK,
  cacheAlloc,
  cacheClear,
  cacheFind,
  cacheHas,
  cacheLink,
  cacheTouch,
  objectAlloc,
  objectRelease,
  objectSeal,
} from "./cache";
import {
  chainBegin,
  chainFree,
  chainRequest,
  chainTrim,
  chainWalk,
  linkCrc,
  linkData,
  linkOffset,
  linkSize,
} from "./chain";
import { crcCheck } from "./entry-crc";
import { Phase, loading } from "./loading";
import { proveObject } from "./object-id";
import { provesCrc, provesOid } from "./proof";
import { loaderOf, waitFor } from "./records";
import { STREAM_SIZE, Stream, WORK_ASKED, streamBegin, streamRun } from "./stream";
import { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize } from "../git/delta";
import { ENTRY_HEADER, EntryHeader, Kind, readEntry } from "../git/entry";

/** The most bytes that are held in one piece: `heapAlloc` gives no more. */
const IN_MEMORY_MAX: u64 = 0x7fff0000;
const DELTA_BUFFER_MIN: u32 = 0x4000;
/** The largest buffer that is kept, in bytes. */
const DELTA_BUFFER_MAX: u32 = 0x40000;
/** The two sizes at a delta's head take at most 10 bytes each. */
const DELTA_HEAD: u32 = 20;
/** Bytes of a stream that are asked for ahead, for these two sizes. */
const HEAD_AHEAD: u64 = 64;
/** The most deltas of an object that is read in ranges. */
const CHAIN_RANGED: u32 = 64;

/** The header that was read last. */
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));

/** The object that `objectLoad` resolved, held for the caller, who releases it. */
export let objectLoaded: GitObject | null = null;

/** Bytes that deltas have made since the mount began. */
export let deltaBytes: u64 = 0;

/** Counts bytes that a delta has made. */
export function deltaMade(count: u32): void {
  deltaBytes += count;
  loading.work += count;
}

export function objectInit(): void {
  objectLoaded = null;
  deltaBytes = 0;
}

/** The stream of the operation that runs. */
// @ts-ignore: decorator
@inline
function ownStream(): Stream {
  return changetype<Stream>(loading.stream);
}

/** Runs a link's stream to its end. Checks its length against its entry, and its CRC-32 against the index. */
function streamFinish(link: u32): i32 {
  const stream = ownStream();
  const status = streamRun(stream);
  if (status != Status.OK) return status < 0 ? Status.BAD_INFLATED_SIZE : status;
  if (stream.inflate.totalOut != linkSize(link)) return Status.BAD_INFLATED_SIZE;
  return provesCrc() ? crcCheck(linkOffset(link), stream.crc) : Status.OK;
}

/** The result of `objectHead`: the object's size in bytes. */
export let headSize: u64 = 0;

/**
 * An object's size, from its entry's header and, for a delta, the first bytes of its stream.
 * @param offset from the PACK's start
 * @returns OK with `headSize`; a status of `readEntry` or the decoder; BAD_DELTA
 */
export function objectHead(offset: u64): i32 {
  const cached = cacheFind(offset);
  if (cached != null) {
    headSize = cached.size;
    objectRelease(cached);
    return Status.OK;
  }
  const load = loading;
  const stream = ownStream();
  const head = load.stream + STREAM_SIZE;
  if (load.phase > Phase.HEAD && load.wanted == offset) return loadForSize(offset);
  faultAt(offset);
  if (load.phase != Phase.HEAD || load.wanted != offset) {
    objectCancel();
    const status = readEntry(entry, offset);
    headSize = entry.size;
    if (status != Status.OK || entry.kind <= Kind.TAG) return status;
    streamBegin(stream, entry.data, entry.size, head, <u32>min<u64>(entry.size, DELTA_HEAD), 0);
    stream.estimate = 0;
    load.wanted = offset;
    load.phase = Phase.HEAD;
  }
  let status = streamRun(stream);
  if (status == Status.AGAIN) return status;
  load.phase = Phase.IDLE;
  if (status > Status.OK) return status;
  const end = head + <usize>stream.inflate.totalOut;
  status = deltaHeader(head, end);
  headSize = deltaResultSize;
  const isCut = status != Status.OK || deltaBody == end;
  return isCut && end == head + DELTA_HEAD ? loadForSize(offset) : status;
}

/** Asks for the bytes that `objectHead` reads of an object, while the operation is about to unwind with AGAIN. */
export function objectAhead(offset: u64): void {
  if (cacheHas(offset) || readEntry(entry, offset) != Status.OK || entry.kind <= Kind.TAG) return;
  blockRequest(entry.data, HEAD_AHEAD);
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
  const load = loading;
  if (load.phase == Phase.IDLE) return;
  if (load.current != null) objectRelease(load.current!);
  load.current = null;
  load.phase = Phase.IDLE;
}

function freeDeltaBuffer(): void {
  const load = loading;
  heapFree(load.deltaBuffer);
  load.deltaBuffer = 0;
  load.deltaCapacity = 0;
}

/** Gives back the memory that the operation keeps between loads. */
export function objectFree(): void {
  objectCancel();
  freeDeltaBuffer();
  chainFree();
}

/** Gives back all memory that is kept between loads, cached objects included: the heap is then as empty as it gets. */
export function objectShed(): void {
  objectFree();
  cacheClear();
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  objectCancel();
  return status;
}

function ensureDeltaBuffer(size: u32): bool {
  const load = loading;
  if (size <= load.deltaCapacity) return true;
  heapFree(load.deltaBuffer);
  size = max<u32>(size, DELTA_BUFFER_MIN);
  load.deltaBuffer = cacheAlloc(size + OBJECT_SLACK);
  load.deltaCapacity = load.deltaBuffer ? size : 0;
  return load.deltaBuffer != 0;
}

/**
 * Allocates the buffer for the largest delta of the chain. It comes before the base, so that it does not lie between
 * large objects.
 */
function reserveDeltas(count: u32): i32 {
  let largest: u64 = 0;
  for (let link: u32 = 0; link < count; link++) largest = max<u64>(largest, linkSize(link));
  if (largest > IN_MEMORY_MAX) return Status.OBJECT_TOO_LARGE;
  return ensureDeltaBuffer(<u32>largest) ? Status.OK : Status.OUT_OF_MEMORY;
}

/** Begins to inflate a link into a window of the link's size. */
function beginLink(link: u32, target: usize): void {
  const stream = ownStream();
  const size = linkSize(link);
  streamBegin(stream, linkData(link), size, target, <u32>size, OBJECT_SLACK);
  if (provesCrc()) stream.crc = linkCrc(link);
}

function beginBase(): i32 {
  const load = loading;
  const link = load.pending - 1;
  if (linkSize(link) > IN_MEMORY_MAX) return Status.OBJECT_TOO_LARGE;
  const base = objectAlloc(<u32>linkSize(link));
  if (base == null) return Status.OUT_OF_MEMORY;
  base.offset = linkOffset(link);
  base.kind = load.chainKind;
  load.current = base;
  beginLink(link, base.data);
  return Status.OK;
}

/** Makes the next object of the chain out of the one before it and the delta in the buffer. */
function applyDelta(): i32 {
  const load = loading;
  const base = load.current!;
  const link = load.pending - 1;
  const delta = load.deltaBuffer;
  const end = delta + <usize>linkSize(link);
  let status = deltaHeader(delta, end);
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
  result.offset = linkOffset(link);
  result.kind = base.kind;
  result.depth = <u16>(base.depth + 1);
  deltaMade(size);
  cacheLink(base, result, load.pending);
  objectRelease(base);
  load.current = result;
  return Status.OK;
}

/** The smallest base without seek points of an object that is read in ranges; and the most bytes that its deltas may have. */
export let rangesFrom: u64 = u64.MAX_VALUE;
let rangesDeltas: u64 = 0;
/** Bytes of memory that an object and its base may take. */
let wholeMax: u64 = 0;

export function rangesInit(from: u64, deltas: u64, whole: u64): void {
  rangesFrom = from;
  rangesDeltas = deltas;
  wholeMax = whole;
}

/** Whether the whole object fits into memory and is cheaper than a read of `len` bytes in ranges. */
export function isWhole(len: u32, size: u64): bool {
  return len >= size >> 2 && size << 1 <= wholeMax;
}

/** The answer of `objectLoad` for an object that is better read in ranges: its chain has been walked. */
export const RANGED: i32 = -8;

/** Whether the chain that was walked makes a large blob by few and small deltas. @param from the least bytes of its base */
function isRanged(from: u64, len: u32): bool {
  const load = loading;
  const base = load.chainCount - 1;
  if (load.chainCached != null || !base || base > CHAIN_RANGED || load.chainKind != Kind.BLOB) return false;
  let deltas: u64 = 0;
  for (let link: u32 = 0; link < base; link++) deltas += linkSize(link);
  const size = linkSize(base);
  return size >= from && deltas <= rangesDeltas && !isWhole(len, size);
}

/** Ends the walk down the chain, and begins with the nearest object that is there. */
function endWalk(status: i32): i32 {
  const load = loading;
  const offset = load.wanted;
  const cached = load.chainCached;
  load.current = cached;
  if (cached != null && load.chainCount) cacheTouch(cached);
  if (status != Status.OK) return fail(status, status == Status.CHAIN_TOO_DEEP ? offset : load.chainNext);
  load.pending = load.chainCount;
  load.phase = cached != null ? Phase.NEXT_DELTA : Phase.INFLATE_BASE;
  status = reserveDeltas(cached != null ? load.pending : load.pending - 1);
  if (status == Status.OK && cached == null) status = beginBase();
  return status == Status.OK ? status : fail(status, offset);
}

/** Ends the stream of a base or a delta. */
function endStream(): i32 {
  const load = loading;
  const link = load.pending - 1;
  let status = streamFinish(link);
  if (status == Status.AGAIN) {
    chainRequest(link);
    return status;
  }
  if (status == Status.OK && load.phase == Phase.INFLATE_DELTA) status = applyDelta();
  if (status != Status.OK) return fail(status, linkOffset(link));
  objectSeal(load.current!);
  load.pending = link;
  load.phase = Phase.NEXT_DELTA;
  return status;
}

/**
 * Resolves an object. After AGAIN, call again with that offset: any other offset drops the load that was under way. If
 * another operation loads the object, this one waits for it, and then loads the object itself if it is not in the
 * cache.
 * @param offset from the PACK's start
 * @param from RANGED is an answer for bases of so many bytes or more, if it is not 0; `len` bytes are then wanted of the object
 * @returns OK with `objectLoaded`, AGAIN, RANGED, or an error
 */
export function objectLoad(offset: u64, from: u64 = 0, len: u32 = 0): i32 {
  const load = loading;
  if (load.phase == Phase.HEAD || load.wanted != offset) objectCancel();
  if (load.phase == Phase.IDLE) {
    const loader = loaderOf(offset);
    if (loader) return waitFor(loader);
    load.wanted = offset;
    chainBegin(offset);
    load.phase = Phase.WALK;
  }
  while (load.phase != Phase.NEXT_DELTA || load.pending) {
    let status = Status.OK;
    if (load.phase == Phase.WALK) {
      status = chainWalk();
      if (status == Status.AGAIN) chainRequest(load.chainCount);
      else if (SEEKING && from && status == Status.OK && isRanged(from, len)) status = RANGED;
      else status = endWalk(status);
    } else if (load.phase == Phase.NEXT_DELTA) {
      beginLink(load.pending - 1, load.deltaBuffer);
      load.phase = Phase.INFLATE_DELTA;
    } else {
      status = endStream();
    }
    if (status != Status.OK) return status;
  }
  const object = load.current!;
  load.current = null;
  load.phase = Phase.IDLE;
  load.work -= <i64>object.size << WORK_ASKED;
  objectLoaded = object;
  if (load.deltaCapacity > DELTA_BUFFER_MAX) freeDeltaBuffer();
  chainTrim();
  return Status.OK;
}

/** Names the object of an error if the object does not match its id (20 bytes). @returns the status */
export function disproved(status: i32, oid: usize): i32 {
  return provesOid() && (status == Status.OID_MISMATCH || status == Status.COLLISION) ? faultOf(status, oid) : status;
}

/**
 * Resolves the object of an id, and proves it if that is asked for. Bases on the way are not hashed: from a wrong
 * base, a delta does not make the object of that id.
 * @param offset the object's, by the index
 * @param oid 20 bytes
 * @returns a status of `objectLoad`; OID_MISMATCH, COLLISION
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

/**
 * Contents of a blob, piece by piece. What is small, a delta, or cached already is served from memory in one
 * piece; a large blob that is stored whole is inflated through one window.
 *
 * Where objects are proven, such a blob goes through the window twice: it is hashed to its end before its first
 * byte is shown.
 */
import { PROOFS } from "../base/features";
import { faultAt } from "../base/fault";
import { blockRelease } from "../device/sector-cache";
import { copyOid, sameOid } from "../base/bytes";
import { SHA1_SIZE } from "../checksum/sha1-state";
import { heapFree } from "../base/heap";
import { WINDOW, windowSlide } from "../inflate/window";
import { NEED_OUTPUT } from "../inflate/zlib";
import { GitObject, OBJECT_SLACK, cacheAdd, cacheAlloc, cacheFind, objectRelease } from "../objects/cache";
import { crcBegin, crcCheck } from "../objects/entry-crc";
import { idBegin, idEnd, idUpdate, proveObject } from "../objects/object-id";
import {
  inflater,
  objectCancel,
  objectLoaded,
  objectProven,
  streamBegin,
  streamRun,
  streamSerial,
} from "../objects/load";
import { Kind, entryData, entryKind, entrySize, readEntry } from "../git/entry";
import { provesCrc, provesOid } from "../objects/proof";
import { provenAdd, provenFind, provenFound } from "./proven-blobs";
import { Status } from "../base/status";

/** The piece that `readAt` found. `readTotal` is the blob's size in bytes. */
export let readPtr: usize = 0;
export let readLen: u32 = 0;
export let readTotal: u64 = 0;

/** From this size on a blob that is no delta goes through the window. */
let streamMin: u64 = 0;

/**
 * The object that `readPtr` points into, held until another is read or another operation begins: what is too
 * large for the cache is not resolved anew for each of its pieces.
 */
let held: GitObject | null = null;

let window: usize = 0;
/** The blob in the window, the number of its stream, and the blob's offset at the window's first byte. */
let windowObject: u64 = 0;
let windowSerial: u32 = 0;
let windowStart: u64 = 0;
let windowSize: u64 = 0;
/** The stream in it has ended as it should. */
let windowEnded: bool = false;
/** The id that the blob was opened by; whether it is being hashed, and the hash. */
const windowOid: usize = memory.data(20, 8);
let proving: bool = false;
const windowHash: usize = memory.data(SHA1_SIZE, 8);
const digest: usize = memory.data(20, 8);

/** @param min bytes: larger blobs are streamed */
export function readInit(min: u64): void {
  streamMin = min;
  held = null;
  window = 0;
  windowObject = 0;
}

/** Gives up what the last read holds. */
export function readRelease(): void {
  if (held != null) objectRelease(held!);
  held = null;
}

/** Gives back the window, and the last object: what streams, or is read in pieces, begins anew. */
export function readShed(): void {
  readRelease();
  heapFree(window);
  window = 0;
  windowObject = 0;
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  return status;
}

function serve(data: usize, size: u64, position: u64, len: u32): void {
  readTotal = size;
  readPtr = data + <usize>min<u64>(position, size);
  readLen = position < size ? <u32>min<u64>(len, size - position) : 0;
}

function serveObject(object: GitObject, oid: usize, position: u64, len: u32): i32 {
  held = object;
  const status = proveObject(object, oid);
  if (status != Status.OK) return fail(status, object.offset);
  if (object.kind != Kind.BLOB) return fail(Status.WRONG_KIND, object.offset);
  serve(object.data, object.size, position, len);
  return Status.OK;
}

/**
 * Reads from a blob.
 * @param offset the entry's, from the PACK's start
 * @param oid the blob's id, 20 bytes, where objects are proven
 * @param position bytes from the blob's start
 * @param len bytes; fewer may come, none only at or past the end
 * @returns OK with `readPtr`, `readLen` and `readTotal`, valid until the next read; AGAIN (call again with
 *   the same arguments); or an error
 */
export function readAt(offset: u64, oid: usize, position: u64, len: u32): i32 {
  if (held != null && held!.offset == offset) return serveObject(held!, oid, position, len);
  readRelease();
  if (inWindow(offset, oid) && !proving && position >= windowStart) return readWindow(position, len);
  const cached = cacheFind(offset);
  if (cached != null) return serveObject(cached, oid, position, len);
  let status = readEntry(offset);
  if (status != Status.OK) return fail(status, offset);
  if (entryKind <= Kind.TAG && entryKind != Kind.BLOB) return fail(Status.WRONG_KIND, offset);
  if (streams()) {
    if (provesOid() && !provenFind(offset, oid)) {
      status = proveBlob(offset, oid);
      if (status != Status.OK) return status;
      status = readEntry(offset);
      if (status != Status.OK) return fail(status, offset);
    }
    status = openWindow(offset, oid);
    return status == Status.OK ? readWindow(position, len) : fail(status, offset);
  }
  status = objectProven(offset, oid);
  if (status != Status.OK) return status;
  const object = objectLoaded!;
  cacheAdd(object);
  blockRelease();
  return serveObject(object, oid, position, len);
}

/** Whether the entry that `readEntry` has read goes through the window. */
function streams(): bool {
  // What would be inflated twice is rather held in memory, up to a size.
  return entryKind == Kind.BLOB && entrySize >= (provesOid() ? streamMin << 2 : streamMin);
}

/** Whether the window is that blob's, and no other stream has used the inflater since. */
function inWindow(offset: u64, oid: usize): bool {
  if (windowObject != offset || windowSerial != streamSerial) return false;
  return !provesOid() || sameOid(windowOid, oid);
}

/** Begins to stream the blob whose entry `readEntry` has read. */
function openWindow(offset: u64, oid: usize): i32 {
  objectCancel();
  if (provesCrc()) {
    const status = crcBegin(offset, entryData);
    if (status != Status.OK) return status;
  }
  if (provesOid()) copyOid(windowOid, oid);
  if (!window) {
    window = cacheAlloc(WINDOW + OBJECT_SLACK);
    if (!window) return Status.OUT_OF_MEMORY;
  }
  windowObject = offset;
  windowStart = 0;
  windowSize = entrySize;
  windowEnded = false;
  proving = false;
  streamBegin(entryData, windowSize, window, <u32>min<u64>(WINDOW, windowSize), OBJECT_SLACK);
  windowSerial = streamSerial;
  return Status.OK;
}

/** Streams on, until the window is full or the stream has ended as it should. */
function advance(): i32 {
  const state = inflater;
  if (state.output == state.outputEnd && state.totalOut < windowSize) {
    windowStart += windowSlide(state, window, windowSize);
  }
  const from = state.output;
  let status = streamRun();
  if (PROOFS && proving) idUpdate(windowHash, from, state.output - from);
  if (status == Status.AGAIN) return status;
  const isWhole = state.totalOut == windowSize;
  if (status == NEED_OUTPUT && !isWhole) return Status.OK;
  windowEnded = true;
  if (status == Status.OK ? !isWhole : status < 0) status = Status.BAD_INFLATED_SIZE;
  if (status == Status.OK && provesCrc()) status = crcCheck(windowObject);
  if (status == Status.OK) return status;
  const offset = windowObject;
  windowObject = 0;
  return fail(status, offset);
}

/**
 * Streams on until the byte at `position` is in the window. The last piece is shown only after the stream has
 * ended as it should.
 */
function readWindow(position: u64, len: u32): i32 {
  const state = inflater;
  while (!windowEnded && (position >= state.totalOut || state.totalOut == windowSize)) {
    const status = advance();
    if (status != Status.OK) return status;
  }
  blockRelease();
  const available = <u32>(state.output - window);
  serve(window, available, position - windowStart, len);
  readTotal = windowSize;
  return Status.OK;
}

/** The size in bytes of the blob that `proveBlob` has proven. */
export let provenSize: u64 = 0;

/**
 * Proves a blob without reading from it.
 * @param offset the entry's, from the PACK's start
 * @param oid its id, 20 bytes
 * @returns OK with `provenSize`; AGAIN (call again); or an error
 */
export function proveBlob(offset: u64, oid: usize): i32 {
  if (provenFind(offset, oid)) {
    provenSize = provenFound;
    return Status.OK;
  }
  if (inWindow(offset, oid) && proving) return proveWindow();
  let status = readEntry(offset);
  if (status == Status.OK && streams()) {
    status = openWindow(offset, oid);
    if (status == Status.OK) {
      proving = true;
      idBegin(windowHash, Kind.BLOB, windowSize);
      return proveWindow();
    }
  }
  if (status != Status.OK) return fail(status, offset);
  status = objectProven(offset, oid);
  if (status != Status.OK) return status;
  const object = objectLoaded!;
  provenSize = object.size;
  const kind = object.kind;
  cacheAdd(object);
  objectRelease(object);
  if (kind != Kind.BLOB) return fail(Status.WRONG_KIND, offset);
  provenAdd(offset, oid, provenSize);
  return Status.OK;
}

/** Hashes the blob in the window to its end. */
function proveWindow(): i32 {
  while (!windowEnded) {
    const status = advance();
    if (status != Status.OK) return status;
    blockRelease();
  }
  const offset = windowObject;
  windowObject = 0;
  proving = false;
  let status = idEnd(windowHash, digest);
  if (status == Status.OK && !sameOid(digest, windowOid)) status = Status.OID_MISMATCH;
  if (status != Status.OK) return fail(status, offset);
  provenSize = windowSize;
  provenAdd(offset, windowOid, windowSize);
  return Status.OK;
}

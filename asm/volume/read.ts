/**
 * Reads blobs piece by piece. A blob that is small, a delta, or cached already is served from memory in one
 * piece. A large blob that is stored whole is inflated through a window (`blob-stream.ts`).
 *
 * If objects are proven, such a blob goes through a window twice: it is hashed to its end before its first
 * byte is shown.
 */
import { LAYOUT, SEEKING } from "../base/features";
import { faultAt } from "../base/fault";
import { Status } from "../base/status";
import { blockIsSlow, blockRelease } from "../device/sector-cache";
import { ENTRY_HEADER, EntryHeader, Kind, readEntry } from "../git/entry";
import { GitObject, cacheAdd, cacheAddLarge, cacheFind, objectRelease } from "../objects/cache";
import { RANGED, isWhole, objectLoad, objectLoaded, objectProven, rangesFrom } from "../objects/load";
import { waitFor } from "../objects/records";
import { proveObject } from "../objects/object-id";
import { provesOid } from "../objects/proof";
import { here } from "./operation";
import { ownWindow, windowEnter, windowLeave, windowTake } from "./own-window";
import { provenAdd, provenFind, provenFound } from "./proven-blobs";
import { windowProve, windowReach } from "./blob-stream";
import { PIECE, rangeRead } from "./delta-range";
import { viewBegin, viewFind, viewRun } from "./delta-view";
import { seekRequest, seeks } from "./seek";
import { Window } from "./window";
import { windowProver, windowsInit } from "./windows";

/** A blob of this size or more that is not a delta goes through a window. */
let streamMin: u64 = 0;

/** The header that was read last. */
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));

/**
 * @param min bytes: larger blobs are streamed
 * @param windows the most windows
 */
export function readInit(min: u64, windows: u32): void {
  streamMin = min;
  windowsInit(windows);
}

function fail(status: i32, offset: u64): i32 {
  faultAt(offset);
  return status;
}

/** Puts a piece of the data from `position` on, `len` bytes at the most, into the result. */
function serve(data: usize, available: u64, position: u64, len: u32): void {
  const result = here().result;
  result.data = <u32>(data + <usize>min<u64>(position, available));
  result.dataLen = position < available ? <u32>min<u64>(len, available - position) : 0;
}

/** Serves from an object, which is held as long as the result is valid. */
function serveObject(object: GitObject, oid: usize, position: u64, len: u32): i32 {
  const read = here();
  read.held = object;
  const status = proveObject(object, oid);
  if (status != Status.OK) return fail(status, object.offset);
  if (object.kind != Kind.BLOB) return fail(Status.WRONG_KIND, object.offset);
  read.result.size = object.size;
  serve(object.data, object.size, position, len);
  return Status.OK;
}

/**
 * Reads from a blob.
 * @param offset the entry's, from the PACK's start
 * @param oid the blob's id, 20 bytes, if objects are proven
 * @param position bytes from the blob's start
 * @param len bytes; fewer may come, none only at or past the end
 * @returns OK with the piece and the blob's size in the operation's result; AGAIN (call again with these
 *   arguments); or an error
 */
export function readAt(offset: u64, oid: usize, position: u64, len: u32): i32 {
  const read = here();
  // A piece that has been begun.
  if (SEEKING && read.held != null) return readRange(offset, oid, position, len);
  if (!read.window) windowTake(offset, oid, position, false);
  if (!read.window || ownWindow().isProving) {
    const cached = cacheFind(offset);
    if (cached != null) return serveObject(cached, oid, position, len);
    let status = readEntry(entry, offset);
    if (LAYOUT && status == Status.AGAIN) seekRequest(position);
    if (status != Status.OK) return fail(status, offset);
    if (entry.kind <= Kind.TAG && entry.kind != Kind.BLOB) return fail(Status.WRONG_KIND, offset);
    if (!streams()) {
      const isProven = !provesOid() || provenFind(offset, oid);
      return SEEKING && isProven && entry.kind > Kind.TAG && !read.isWhole
        ? readRange(offset, oid, position, len)
        : readObject(offset, oid, position, len);
    }
    if (provesOid() && !provenFind(offset, oid)) {
      status = proveBlob(offset, oid);
      if (status != Status.OK) return status;
    }
    status = windowEnter(offset, entry, oid, position, false);
    if (status != Status.OK) return status;
  }
  return readWindow(ownWindow(), position, len);
}

/**
 * Reads from a blob that is stored as a delta: in ranges, if it is large, or if a small part is wanted and its base has seek
 * points.
 */
function readRange(offset: u64, oid: usize, position: u64, len: u32): i32 {
  const read = here();
  // Memory without room for the whole has room for ranges.
  const wanted: u32 = read.hasShed ? 0 : len;
  const from = LAYOUT && wanted <= PIECE && seeks(read.seekBlob) ? <u64>read.segment : rangesFrom;
  let view = viewFind(offset);
  if (view == null) {
    if (LAYOUT && blockIsSlow() && from != rangesFrom) seekRequest(position);
    const status = objectLoad(offset, from, wanted);
    if (status == Status.OK) return serveLoaded(oid, position, len);
    if (status != RANGED) return status;
    view = viewBegin();
  }
  if (view != null && view.user) {
    if (view.user != read.number) return waitFor(view.user);
    const status = viewRun(view);
    if (status != Status.OK) return status;
  }
  const isRanged = view != null && view.baseSize >= from && !isWhole(wanted, view.size);
  const status = isRanged ? rangeRead(view!, position, len) : RANGED;
  if (status != RANGED) return status;
  // The range costs more than the whole.
  windowLeave();
  if (read.held != null) objectRelease(read.held!);
  read.held = null;
  read.isWhole = true;
  return readObject(offset, oid, position, len);
}

/** Whether the entry whose header was read last goes through a window. */
function streams(): bool {
  // Objects that would be inflated twice are rather held in memory, up to a size.
  return entry.kind == Kind.BLOB && entry.size >= (provesOid() ? streamMin << 2 : streamMin);
}

/** Reads from a blob that is held in memory whole. */
function readObject(offset: u64, oid: usize, position: u64, len: u32): i32 {
  const status = objectProven(offset, oid);
  if (status != Status.OK) return status;
  if (provesOid()) provenAdd(offset, oid, objectLoaded!.size);
  return serveLoaded(oid, position, len);
}

/** Serves from the object that was loaded. */
function serveLoaded(oid: usize, position: u64, len: u32): i32 {
  const object = objectLoaded!;
  cacheAddLarge(object);
  blockRelease();
  return serveObject(object, oid, position, len);
}

function readWindow(window: Window, position: u64, len: u32): i32 {
  const status = windowReach(window, position);
  if (status != Status.OK) return status;
  const data = window.bytes;
  here().result.size = window.size;
  serve(data, window.stream.inflate.output - data, position - window.start, len);
  if (position + here().result.dataLen >= window.size) window.used = 0;
  return Status.OK;
}

/** The size in bytes of the blob that `proveBlob` has proven. */
export let provenSize: u64 = 0;

/**
 * Proves a blob without reading from it. Of several operations that want one large blob proven, one does it.
 * @param offset the entry's, from the PACK's start
 * @param oid its id, 20 bytes
 * @returns OK with `provenSize`; AGAIN (call again); or an error
 */
export function proveBlob(offset: u64, oid: usize): i32 {
  if (provenFind(offset, oid)) {
    provenSize = provenFound;
    return Status.OK;
  }
  const read = here();
  if (!read.window) {
    const prover = windowProver(offset);
    if (prover) return waitFor(prover);
    windowTake(offset, oid, 0, true);
  }
  if (!read.window) {
    const status = readEntry(entry, offset);
    if (status != Status.OK) return fail(status, offset);
    if (!streams()) return proveInMemory(offset, oid);
    const opened = windowEnter(offset, entry, oid, 0, true);
    if (opened != Status.OK) return opened;
  }
  return proveWindow(ownWindow(), offset, oid);
}

function proveInMemory(offset: u64, oid: usize): i32 {
  const status = objectProven(offset, oid);
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

function proveWindow(window: Window, offset: u64, oid: usize): i32 {
  const status = windowProve(window);
  if (status == Status.AGAIN) return status;
  windowLeave();
  if (status != Status.OK) return status;
  provenSize = window.size;
  provenAdd(offset, oid, provenSize);
  return Status.OK;
}

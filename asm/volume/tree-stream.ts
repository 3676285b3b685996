/**
 * Look-ups in a tree that is too large for the memory. The tree is inflated through a window. The first pass proves it,
 * and leaves marks, at which the stream can be resumed: a later look-up inflates at most the bytes between two marks. It
 * inflates nothing if the name is in the window already, as for a reader in order.
 *
 *     area:  │ Stream │ window │ slack │
 *     mark:  │ position u64 of the bytes in the tree │ last u32, in the bytes │ … │ Stream, without its tables │ the last 32 KiB of the window │
 *
 * One tree has marks at a time, and one operation at a time is in its stream: others wait. A tree that is a delta cannot
 * be streamed. No tree is streamed if entries are proven by CRC-32s.
 */
import { copyOid, sameOid } from "../base/bytes";
import { LARGE_TREES } from "../base/features";
import { heapFree } from "../base/heap";
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { SHA1_SIZE } from "../checksum/sha1-state";
import { blockRelease } from "../device/sector-cache";
import { ENTRY_HEADER, EntryHeader, Kind, readEntry } from "../git/entry";
import { Entry, treeCompare, treeKind, treeName, treeNameLen, treeNext, treeNextAfter, treeOrder, treeRest } from "../git/tree";
import { HISTORY, WINDOW, windowSet, windowSlide } from "../inflate/window";
import { NEED_OUTPUT } from "../inflate/zlib";
import { OBJECT_SLACK, cacheAlloc } from "../objects/cache";
import { loading } from "../objects/loading";
import { idBegin, idEnd, idUpdate } from "../objects/object-id";
import { provesCrc, provesOid } from "../objects/proof";
import { waitFor } from "../objects/records";
import { STREAM_KEPT, STREAM_SIZE, Stream, streamBegin, streamResume, streamRun } from "../objects/stream";

/** The longest entry: seven digits of a mode, a space, the name, a NUL, an id. */
const ENTRY_MAX: usize = 7 + 1 + Limit.NAME + 1 + 20;
const MARK_LAST: usize = 8;
const MARK_STREAM: usize = 16;
const MARK_WINDOW: usize = MARK_STREAM + STREAM_KEPT;
const MARK: usize = MARK_WINDOW + HISTORY;
/** The least distance between marks, in bytes. It grows where the memory for marks asks for that. */
const STEP_MIN: u64 = 0x10000;

/** A tree of this size or more is streamed. */
let streamMin: u64 = 0;
/** Bytes that marks may take. */
let marksLimit: u32 = 0;

/** The tree: its offset from the PACK's start, or 0 for none; its id, if objects are proven; its size. */
let treeOffset: u64 = 0;
const treeId: usize = memory.data(20, 8);
let treeSize: u64 = 0;
/** Its zlib stream, absolute. */
let treeData: u64 = 0;
/** The first pass has come to its end. */
let proven: bool = false;
const hash: usize = memory.data(SHA1_SIZE, 8);
const digest: usize = memory.data(20, 8);

/** The operation that is in the stream: its number, or 0. */
let user: u32 = 0;
/** The header that was read last. */
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));

let area: usize = 0;
let window: usize = 0;
/** The window's first byte in the tree. */
let windowStart: u64 = 0;
/** The stream has ended as it should. */
let ended: bool = false;
/** The next entry, and the one before it, or 0 at the tree's start. Both are in the window. */
let next: usize = 0;
let last: usize = 0;

/** Pointers to marks, u32 each. */
let marks: usize = 0;
let markCount: u32 = 0;
let markMax: u32 = 0;
/** Bytes from mark to mark, and where the next one belongs. */
let markStep: u64 = 0;
let markNext: u64 = 0;

/** The name has already been sought as a file's. */
let asTree: bool = false;

/**
 * @param limit bytes of memory for everything: a tree that takes more than three eighths of it is streamed
 * @param forMarks bytes that marks may take
 */
export function treeStreamInit(limit: u32, forMarks: u32): void {
  if (!LARGE_TREES) return;
  streamMin = (limit >> 3) * 3;
  marksLimit = forMarks;
  treeOffset = 0;
  user = 0;
  area = marks = 0;
  markCount = 0;
}

/** Gives all memory back, unless another operation is in the stream. */
export function treeStreamShed(): void {
  if (!LARGE_TREES || (user && user != loading.number)) return;
  treeOffset = 0;
  dropMarks();
  heapFree(area);
  area = 0;
}

/** Drops a look-up that is under way. Another operation may go on from the place that it has come to. */
export function treeStreamCancel(): void {
  if (!LARGE_TREES || user != loading.number) return;
  asTree = false;
  user = 0;
}

function dropMarks(): void {
  for (let i: u32 = 0; i < markCount; i++) heapFree(load<u32>(marks + (i << 2)));
  heapFree(marks);
  marks = 0;
  markCount = 0;
}

/** The result of `treeStreams`. */
export let isStreamed: bool = false;

/**
 * Finds out whether the tree at an offset is looked up in a stream: `isStreamed` says so.
 * @returns OK, or a status of `readEntry`
 */
export function treeStreams(offset: u64): i32 {
  isStreamed = treeOffset == offset;
  if (isStreamed) return Status.OK;
  const status = readEntry(entry, offset);
  if (status == Status.OK) isStreamed = entry.kind == Kind.TREE && entry.size >= streamMin && !provesCrc();
  return status;
}

/** The stream. */
// @ts-ignore: decorator
@inline
function ownStream(): Stream {
  return changetype<Stream>(area);
}

/** Begins with the tree whose header `treeStreams` has read. */
function begin(offset: u64, oid: usize): i32 {
  treeStreamShed();
  markMax = marksLimit / <u32>MARK;
  markStep = entry.size / (markMax + 1) + STEP_MIN;
  area = cacheAlloc(STREAM_SIZE + WINDOW + OBJECT_SLACK);
  marks = cacheAlloc(<usize>(markMax + 1) << 2);
  if (!area || !marks) return Status.OUT_OF_MEMORY;
  window = area + STREAM_SIZE;
  treeOffset = offset;
  copyOid(treeId, oid);
  treeData = entry.data;
  treeSize = entry.size;
  proven = false;
  markNext = markStep;
  if (provesOid()) idBegin(hash, Kind.TREE, treeSize);
  rewind();
  return Status.OK;
}

/** The end of the window's bytes. */
// @ts-ignore: decorator
@inline
function windowEnd(): usize {
  return ownStream().inflate.output;
}

/** Opens the window behind the `filled` bytes that are in it. */
function openWindow(filled: u32): void {
  windowSet(ownStream().inflate, window, filled, treeSize);
  // A name ends behind the window's end at the latest.
  store<u64>(window + filled, 0);
  ended = false;
}

/** Goes to the tree's start. */
function rewind(): void {
  streamBegin(ownStream(), treeData, treeSize, window, 0, OBJECT_SLACK);
  openWindow(0);
  windowStart = 0;
  goBehind(0);
}

/** Goes behind an entry of the window, or, for 0, to the start of the tree. */
function goBehind(entry: usize): void {
  if (entry) treeNext(entry, windowEnd());
  last = entry;
  next = entry ? treeRest : window;
}

/** Whether the stream has filled the window. While it waits for its device, no mark can be left. */
function isFull(): bool {
  const state = ownStream().inflate;
  return state.output == state.outputEnd;
}

/** Saves the place that the stream has come to. */
function addMark(): void {
  if (markCount == markMax) return;
  const mark = cacheAlloc(MARK);
  if (!mark) return;
  const from = windowEnd() - HISTORY;
  store<u64>(mark, positionOf(from));
  store<u32>(mark, <u32>(last - from), MARK_LAST);
  memory.copy(mark + MARK_STREAM, area, STREAM_KEPT);
  memory.copy(mark + MARK_WINDOW, from, HISTORY);
  store<u32>(marks + (markCount++ << 2), <u32>mark);
}

/** Goes to a mark. */
function goTo(mark: usize): void {
  streamResume(ownStream(), changetype<Stream>(mark + MARK_STREAM));
  memory.copy(window, mark + MARK_WINDOW, HISTORY);
  openWindow(HISTORY);
  windowStart = load<u64>(mark);
  goBehind(window + load<u32>(mark, MARK_LAST));
}

/** The position in the tree of an entry of the window; 0 stands for the tree's start. */
function positionOf(entry: usize): u64 {
  return entry ? windowStart + (entry - window) : 0;
}

/** Streams on, until the window is full or the stream has ended as it should. */
function advance(): i32 {
  const state = ownStream().inflate;
  if (state.output == state.outputEnd) {
    const dropped = windowSlide(state, window, treeSize);
    windowStart += dropped;
    next -= dropped;
    if (last) last -= dropped;
  }
  const from = state.output;
  const status = streamRun(ownStream());
  if (!proven && provesOid()) idUpdate(hash, from, state.output - from);
  store<u64>(state.output, 0);
  if (status == Status.AGAIN) return status;
  blockRelease();
  const isWhole = state.totalOut == treeSize;
  if (status == NEED_OUTPUT && !isWhole) return Status.OK;
  ended = true;
  return status < 0 || (status == Status.OK && !isWhole) ? Status.BAD_INFLATED_SIZE : status;
}

/** Whether the window holds the next entry whole. */
function hasNext(): bool {
  return ended ? next < windowEnd() : windowEnd() - next >= ENTRY_MAX;
}

/** The first pass, after AGAIN from where it stopped: reads every entry, and leaves marks. */
function firstPass(): i32 {
  while (true) {
    const end = windowEnd();
    while (hasNext()) {
      const status = treeNextAfter(last, next, end);
      if (status != Status.OK) return status;
      last = next;
      next = treeRest;
    }
    if (ended) return Status.OK;
    if (positionOf(next) >= markNext && isFull()) {
      addMark();
      markNext = positionOf(next) + markStep;
    }
    const status = advance();
    if (status != Status.OK) return status;
  }
}

/** Ends a use of the stream: gives the tree up if it is bad, and lets other operations in. */
function settle(status: i32): i32 {
  if (status == Status.AGAIN) return status;
  if (status != Status.OK && status != Status.NOT_FOUND) treeStreamShed();
  user = 0;
  return status;
}

/** Reads the tree to its end, unless that has been done. */
function prove(offset: u64, oid: usize): i32 {
  if (user && user != loading.number) return waitFor(user);
  user = loading.number;
  if (treeOffset != offset) {
    const status = begin(offset, oid);
    if (status != Status.OK) return status;
  }
  if (provesOid() && !sameOid(treeId, oid)) return Status.OID_MISMATCH;
  if (proven) return Status.OK;
  let status = firstPass();
  if (status == Status.OK && provesOid()) {
    status = idEnd(hash, digest);
    if (status == Status.OK && !sameOid(digest, oid)) status = Status.OID_MISMATCH;
  }
  proven = status == Status.OK;
  return status;
}

/**
 * Reads the tree that `treeStreams` was asked about to its end, unless that has been done.
 * @param oid its id, 20 bytes, if objects are proven
 * @returns OK; AGAIN (call again); BAD_TREE also for a tree out of order; OID_MISMATCH, COLLISION, the decoder's errors
 */
export function treeStreamProve(offset: u64, oid: usize): i32 {
  return settle(prove(offset, oid));
}

/** Goes to the nearest place before the name: the present one, a mark, or the tree's start. */
function approach(name: usize, nameLen: u32, isTree: bool): void {
  let low: u32 = 0;
  let high = markCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    const mark = <usize>load<u32>(marks + (middle << 2));
    if (treeCompare(mark + MARK_WINDOW + load<u32>(mark, MARK_LAST), mark + MARK, name, nameLen, isTree) < 0) low = middle + 1;
    else high = middle;
  }
  const mark: usize = low ? load<u32>(marks + ((low - 1) << 2)) : 0;
  const position = mark ? load<u64>(mark) + load<u32>(mark, MARK_LAST) : 0;
  if (positionOf(last) >= position && (!last || treeCompare(last, windowEnd(), name, nameLen, isTree) < 0)) return;
  if (mark) goTo(mark);
  else rewind();
}

/** Finds an entry, after AGAIN from where it stopped. */
function seek(name: usize, nameLen: u32, isTree: bool): i32 {
  approach(name, nameLen, isTree);
  while (true) {
    while (hasNext()) {
      // Bytes that are read again may differ from those that were proven.
      const status = treeNext(next, windowEnd());
      if (status != Status.OK) return status;
      const order = treeOrder(treeName, treeNameLen, treeKind == Entry.TREE, name, nameLen, isTree);
      if (order >= 0) return order ? Status.NOT_FOUND : Status.OK;
      last = next;
      next = treeRest;
    }
    if (ended) return Status.NOT_FOUND;
    const status = advance();
    if (status != Status.OK) return status;
  }
}

/**
 * Finds the first entry of a name in the tree that `treeStreams` was asked about.
 * @returns OK with what `treeNext` sets for the entry, valid until the next call; NOT_FOUND; a status of
 *   `treeStreamProve`
 */
export function treeStreamFind(offset: u64, oid: usize, name: usize, nameLen: u32): i32 {
  let status = prove(offset, oid);
  if (status == Status.OK) {
    // A file sorts before a directory of its name.
    if (!asTree) status = seek(name, nameLen, false);
    if (status == Status.NOT_FOUND) asTree = true;
    if (asTree) status = seek(name, nameLen, true);
  }
  if (status == Status.AGAIN) return status;
  asTree = false;
  return settle(status);
}

/**
 * Contents of a blob, piece by piece. What is small, a delta, or cached already is served from memory in one
 * piece; a large blob that is stored whole is inflated through one window, which keeps deflate's 32 KiB of
 * history before the bytes that it shows:
 *
 *     │ history 32 KiB │ chunk 64 KiB │ slack │
 */
import { blockRelease } from "./block";
import { heapFree } from "./heap";
import { Inflate, NEED_OUTPUT } from "./inflate/zlib";
import { GitObject, OBJECT_SLACK, cacheAdd, cacheAlloc, cacheFind, objectRelease } from "./git/cache";
import {
  inflater,
  objectCancel,
  objectErrorOffset,
  objectLoad,
  objectLoaded,
  streamBegin,
  streamRun,
  streamSerial,
} from "./git/object";
import { Kind, entryData, entryKind, entrySize, readEntry } from "./git/pack";
import { Status } from "./status";

const HISTORY: u32 = 0x8000;
const CHUNK: u32 = 0x10000;

/** The piece that `readAt` found. `readTotal` is the blob's size in bytes. */
export let readPtr: usize = 0;
export let readLen: u32 = 0;
export let readTotal: u64 = 0;
/** Where an error was met: an entry's offset from the PACK's start. */
export let readErrorOffset: u64 = 0;

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
  readErrorOffset = offset;
  return status;
}

function serve(data: usize, size: u64, position: u64, len: u32): void {
  readTotal = size;
  readPtr = data + <usize>min<u64>(position, size);
  readLen = position < size ? <u32>min<u64>(len, size - position) : 0;
}

function serveObject(object: GitObject, position: u64, len: u32): i32 {
  held = object;
  if (object.kind != Kind.BLOB) return fail(Status.WRONG_KIND, object.offset);
  serve(object.data, object.size, position, len);
  return Status.OK;
}

/**
 * Reads from a blob.
 * @param offset the entry's, from the PACK's start
 * @param position bytes from the blob's start
 * @param len bytes; fewer may come, none only at or past the end
 * @returns OK with `readPtr`, `readLen` and `readTotal`, valid until the next read; AGAIN (call again with
 *   the same arguments); or an error with `readErrorOffset`
 */
export function readAt(offset: u64, position: u64, len: u32): i32 {
  if (held != null && held!.offset == offset) return serveObject(held!, position, len);
  readRelease();
  if (windowObject == offset && windowSerial == streamSerial && position >= windowStart) {
    return readWindow(position, len);
  }
  const cached = cacheFind(offset);
  if (cached != null) return serveObject(cached, position, len);
  let status = readEntry(offset);
  if (status != Status.OK) return status == Status.AGAIN ? status : fail(status, offset);
  if (entryKind <= Kind.TAG && entryKind != Kind.BLOB) return fail(Status.WRONG_KIND, offset);
  if (entryKind == Kind.BLOB && entrySize >= streamMin) {
    status = openWindow(offset);
    return status == Status.OK ? readWindow(position, len) : fail(status, offset);
  }
  status = objectLoad(offset);
  if (status != Status.OK) return status == Status.AGAIN ? status : fail(status, objectErrorOffset);
  const object = objectLoaded!;
  cacheAdd(object);
  blockRelease();
  return serveObject(object, position, len);
}

/** Begins to stream the blob whose entry `readEntry` has read. */
function openWindow(offset: u64): i32 {
  objectCancel();
  if (!window) {
    window = cacheAlloc(HISTORY + CHUNK + OBJECT_SLACK);
    if (!window) return Status.OUT_OF_MEMORY;
  }
  windowObject = offset;
  windowStart = 0;
  windowSize = entrySize;
  const len = <u32>min<u64>(HISTORY + CHUNK, windowSize);
  streamBegin(entryData, windowSize, window, len, OBJECT_SLACK);
  windowSerial = streamSerial;
  return Status.OK;
}

/** Makes room for the next chunk behind the last 32 KiB. */
function slide(state: Inflate): void {
  const filled = <u32>(state.output - window);
  const drop = filled > HISTORY ? filled - HISTORY : 0;
  memory.copy(window, window + drop, filled - drop);
  windowStart += drop;
  state.output -= drop;
  state.history = window;
  const rest = windowSize - state.totalOut;
  state.outputEnd = state.output + <u32>min<u64>(HISTORY + CHUNK - (filled - drop), rest);
}

/**
 * Streams on until the byte at `position` is in the window. The last piece is shown only after the stream has
 * ended as it should.
 */
function readWindow(position: u64, len: u32): i32 {
  const state = inflater;
  while (position >= state.totalOut && state.totalOut < windowSize) {
    if (state.output == state.outputEnd) slide(state);
    const status = streamRun();
    if (status == Status.AGAIN) return status;
    const isWhole = state.totalOut == windowSize;
    if (status == Status.OK ? !isWhole : status != NEED_OUTPUT || isWhole) {
      const offset = windowObject;
      windowObject = 0;
      return fail(status > Status.OK ? status : Status.BAD_INFLATED_SIZE, offset);
    }
  }
  blockRelease();
  const available = <u32>(state.output - window);
  serve(window, available, position - windowStart, len);
  readTotal = windowSize;
  return Status.OK;
}

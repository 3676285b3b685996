/** Ranges of large blobs that are stored as deltas: a piece is made only from the bytes that it is copied from. */
import { LAYOUT } from "../base/features";
import { Status } from "../base/status";
import { opBytes, opCopies, opLen, opOffset } from "../git/delta";
import { ENTRY_HEADER, EntryHeader } from "../git/entry";
import { GitObject, cacheFind, objectAlloc, objectRelease } from "../objects/cache";
import { RANGED, deltaMade } from "../objects/load";
import { streamedBytes } from "../objects/stream";
import { windowReach } from "./blob-stream";
import { View, isDear, linkFind } from "./delta-view";
import { here } from "./operation";
import { isNear, ownWindow, windowEnter, windowTake } from "./own-window";
import { seeks } from "./seek";

/** The most bytes of a piece. */
export const PIECE: u32 = 0x10000;

/** The header of a base. Bases are proven by their deltas' results: their ids are not known. */
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));
const noOid: usize = memory.data(20, 8);

/** The results of `runAt`: the address of the bytes, and their number. */
let runPtr: usize = 0;
let runLen: u32 = 0;
/** The base, held while a run in it is copied; or null. */
let runHeld: GitObject | null = null;

/** Finds bytes of the base from a position on. */
function runInBase(view: View, position: u64, len: u32): i32 {
  const cached = cacheFind(view.base);
  if (cached != null) {
    if (cached.size == view.baseSize) {
      runHeld = cached;
      runPtr = cached.data + <usize>position;
      runLen = len;
      return Status.OK;
    }
    objectRelease(cached);
  }
  if (!isNear(view.base, position) && !windowTake(view.base, noOid, position, false)) {
    entry.size = view.baseSize;
    entry.data = view.baseData;
    const status = windowEnter(view.base, entry, noOid, position, false);
    if (status != Status.OK) return status;
  }
  const window = ownWindow();
  const status = windowReach(window, position);
  if (status != Status.OK) return status;
  runPtr = window.bytes + <usize>(position - window.start);
  runLen = <u32>min<u64>(len, window.stream.inflate.totalOut - position);
  return Status.OK;
}

/** Finds bytes of the blob from a position on, `len` at the most. */
function runAt(view: View, position: u64, len: u32): i32 {
  for (let index: u32 = 0; index < view.count; index++) {
    const within = <u32>(position - linkFind(view.link(index), position));
    len = min<u32>(len, opLen - within);
    if (!opCopies) {
      runPtr = opBytes + within;
      runLen = len;
      return Status.OK;
    }
    position = <u64>opOffset + within;
  }
  return runInBase(view, position, len);
}

/**
 * Reads a piece of a blob into `held` of the operation, after AGAIN from where it stopped.
 * @returns OK with the piece in the result, AGAIN, RANGED if the whole is cheaper and memory may have room for it, or an
 *   error
 */
export function rangeRead(view: View, position: u64, len: u32): i32 {
  const read = here();
  const result = read.result;
  result.size = view.size;
  if (position >= view.size) return Status.OK;
  if (read.held == null) {
    read.held = objectAlloc(<u32>min<u64>(min<u32>(len, PIECE), view.size - position));
    if (read.held == null) return Status.OUT_OF_MEMORY;
  }
  const piece = read.held!;
  while (piece.found < piece.size) {
    if (!read.hasShed && isDear(view, read.rangeWork, LAYOUT && seeks(view.base))) {
      view.debt = 0;
      return RANGED;
    }
    const before = streamedBytes;
    const status = runAt(view, position + piece.found, piece.size - piece.found);
    const inflated = streamedBytes - before;
    view.debt += inflated;
    read.rangeWork += inflated;
    if (status != Status.OK) return status;
    memory.copy(piece.data + piece.found, runPtr, runLen);
    piece.found += runLen;
    deltaMade(runLen);
    if (runHeld != null) objectRelease(runHeld!);
    runHeld = null;
  }
  view.debt = max<i64>(view.debt - (<i64>piece.size << 2), 0);
  result.data = <u32>piece.data;
  result.dataLen = piece.size;
  return Status.OK;
}

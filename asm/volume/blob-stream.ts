/** Streams large blobs through windows: to show them piece by piece, or to hash them. */
import { LAYOUT, PROOFS, SEEKING } from "../base/features";
import { faultAt } from "../base/fault";
import { copyOid, sameOid } from "../base/bytes";
import { Status } from "../base/status";
import { blockRelease } from "../device/sector-cache";
import { EntryHeader, Kind, PACK_START } from "../git/entry";
import { HISTORY, WINDOW, windowSet, windowSlide } from "../inflate/window";
import { NEED_OUTPUT } from "../inflate/zlib";
import { BAD_PAGE } from "../layout/pages";
import { OBJECT_SLACK } from "../objects/cache";
import { crcCheck, crcHeader, headerCrc } from "../objects/entry-crc";
import { idBegin, idEnd, idUpdate } from "../objects/object-id";
import { provesCrc, provesOid } from "../objects/proof";
import {
  checkpointAdd,
  checkpointAfter,
  checkpointAgrees,
  checkpointBefore,
  checkpointsDrop,
  checkpointsUse,
} from "../objects/checkpoints";
import { streamBegin, streamEnter, streamResume, streamRun } from "../objects/stream";
import { provenDrop } from "./proven-blobs";
import { seekAt, seekBefore, seekChecksum, seekFrom, seekStop, seekStopAt, seeks } from "./seek";
import { Window } from "./window";
import { windowObtain, windowUse } from "./windows";

const digest: usize = memory.data(20, 8);

/**
 * Opens a blob in a window, which the operation uses from then on.
 * @param offset the blob's, from the PACK's start; `entry` its header
 * @param oid its id, if objects are proven
 * @param position the window begins there or before: at the nearest seek point or checkpoint, or at the blob's start
 * @param isProving whether it is to be hashed, from its start
 * @returns null after an error or AGAIN, which `windowStatus` holds
 */
export function windowOpen(
  offset: u64,
  entry: EntryHeader,
  oid: usize,
  position: u64,
  isProving: bool,
): Window | null {
  windowStatus = provesCrc() ? crcHeader(offset, entry.data) : Status.OK;
  if (windowStatus != Status.OK) return null;
  const isMarked = LAYOUT && !isProving && seeks(offset);
  if (isMarked) {
    windowStatus = seekBefore(offset, entry.size, position);
    if (windowStatus != Status.OK) return null;
  }
  const window = windowObtain();
  if (window == null) {
    windowStatus = Status.OUT_OF_MEMORY;
    return null;
  }
  windowUse(window);
  const size = entry.size;
  window.blob = offset;
  window.start = 0;
  window.size = size;
  window.isEnded = false;
  window.isProving = isProving;
  if (LAYOUT) window.isMarked = isMarked;
  if (provesOid()) copyOid(window.oid, oid);
  if (PROOFS && isProving) idBegin(window.hash, Kind.BLOB, size);
  streamBegin(window.stream, entry.data, size, window.bytes, <u32>min<u64>(WINDOW, size), OBJECT_SLACK);
  if (provesCrc()) window.stream.crc = headerCrc;
  if (isMarked) {
    enter(window);
  } else if (SEEKING) {
    // Checkpoints of a pass that proved nothing are not relied on.
    if (isProving) checkpointsDrop(offset);
    checkpointsUse(offset, size);
    if (!isProving) resume(window, position);
  }
  return window;
}

/** Goes to the seek point that was found, or stays at the blob's start. */
function enter(window: Window): void {
  const stream = window.stream;
  if (seekAt) streamEnter(stream, PACK_START + window.blob + seekFrom, seekFrom, seekAt, seekChecksum);
  window.start = window.stop = seekAt;
  window.checksum = stream.inflate.adler;
  windowSet(stream.inflate, window.bytes, 0, seekAt);
}

/**
 * Finds the checksum that comes after the one to which a window has come.
 * @returns OK, BAD_ADLER, BAD_PAGE, or the device's status
 */
function pass(window: Window): i32 {
  if (window.stream.inflate.adler != window.checksum) return fail(window, Status.BAD_ADLER);
  const status = seeks(window.blob) ? seekStop(window.stop, window.size) : BAD_PAGE;
  if (status == BAD_PAGE) clear(window);
  if (status != Status.OK) return status;
  window.stop = seekStopAt;
  window.checksum = seekChecksum;
  return status;
}

/** Whether a marked window has room up to its next stop. */
function hasRoom(window: Window): bool {
  const state = window.stream.inflate;
  return window.isMarked && window.stop - state.totalOut <= WINDOW - (state.output - window.bytes);
}

/** Goes to the last checkpoint at or before a position, if there is one. */
function resume(window: Window, position: u64): void {
  const checkpoint = checkpointBefore(window.blob, position);
  if (checkpoint == null) return;
  streamResume(window.stream, checkpoint.stream);
  memory.copy(window.bytes, checkpoint.history, HISTORY);
  window.start = checkpoint.position - HISTORY;
  const state = window.stream.inflate;
  state.outputSlack = OBJECT_SLACK;
  windowSet(state, window.bytes, HISTORY, stopOf(window));
}

/** The position up to which the window may be filled: that of the next seek point or checkpoint, or the blob's end. */
function stopOf(window: Window): u64 {
  if (LAYOUT && window.isMarked) return window.stop;
  return SEEKING ? checkpointAfter(window.blob, window.stream.inflate.totalOut, window.size) : window.size;
}

/** Why `windowOpen` returned null. */
export let windowStatus: i32 = Status.OK;

/** Empties a window. */
function clear(window: Window): void {
  window.blob = 0;
  window.used = 0;
}

function fail(window: Window, status: i32): i32 {
  faultAt(window.blob);
  if (SEEKING) checkpointsDrop(window.blob);
  if (PROOFS) provenDrop(window.blob);
  clear(window);
  return status;
}

/** Streams on, until the window is full or the stream has ended as it should. */
function advance(window: Window): i32 {
  const state = window.stream.inflate;
  const size = window.size;
  if (state.output == state.outputEnd && state.totalOut < size) {
    if (LAYOUT && window.isMarked && state.totalOut == window.stop) {
      const passed = pass(window);
      if (passed != Status.OK) return passed;
    }
    if (LAYOUT && hasRoom(window)) windowSet(state, window.bytes, <u32>(state.output - window.bytes), stopOf(window));
    else window.start += windowSlide(state, window.bytes, stopOf(window));
  }
  const from = state.output;
  let status = streamRun(window.stream);
  if (PROOFS && window.isProving) idUpdate(window.hash, from, state.output - from);
  if (status == Status.AGAIN) return status;
  const isWhole = state.totalOut == size;
  if (status == NEED_OUTPUT && !isWhole) {
    if (!SEEKING || (LAYOUT && window.isMarked)) return Status.OK;
    if (!checkpointAgrees(window.blob, state)) return fail(window, Status.BAD_ADLER);
    checkpointAdd(window.blob, window.stream, 0);
    return Status.OK;
  }
  window.isEnded = true;
  if (status == Status.OK ? !isWhole : status < 0) status = Status.BAD_INFLATED_SIZE;
  if (status == Status.OK && provesCrc()) status = crcCheck(window.blob, window.stream.crc);
  return status == Status.OK ? status : fail(window, status);
}

/** Whether there are bytes in a marked window that no checksum has proven yet. */
function isOpen(window: Window): bool {
  const state = window.stream.inflate;
  return window.isMarked && (state.totalOut != window.stop || state.adler != window.checksum);
}

/**
 * Streams on until the byte at a position is in the window. The blob's last piece is shown only after the stream has
 * ended as it should, and every piece of a marked window only if its checksum agrees.
 * @returns OK, AGAIN, or an error: the window then holds nothing
 */
export function windowReach(window: Window, position: u64): i32 {
  const state = window.stream.inflate;
  while (
    !window.isEnded &&
    (position >= state.totalOut || state.totalOut == window.size || (LAYOUT && isOpen(window)))
  ) {
    const status = advance(window);
    if (status != Status.OK) return status;
  }
  blockRelease();
  return Status.OK;
}

/** Hashes the blob in the window to its end, and compares its id. The window then holds nothing. */
export function windowProve(window: Window): i32 {
  while (!window.isEnded) {
    const status = advance(window);
    if (status != Status.OK) return status;
    blockRelease();
  }
  let status = idEnd(window.hash, digest);
  if (status == Status.OK && !sameOid(digest, window.oid)) status = Status.OID_MISMATCH;
  if (status != Status.OK) return fail(window, status);
  clear(window);
  return status;
}

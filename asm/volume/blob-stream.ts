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
import { segmentLen } from "../layout/footer";
import { streamBegin, streamEnter, streamResume, streamRun } from "../objects/stream";
import { provenDrop } from "./proven-blobs";
import { seekAfter, seekAt, seekBefore, seekFrom, seekTo, seeks } from "./seek";
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
  let isEntered = false;
  if (LAYOUT && !isProving && seeks(offset)) {
    windowStatus = seekBefore(offset, entry.size, position);
    if (windowStatus != Status.OK) return null;
    // A checkpoint knows the Adler-32 of what is before it.
    const checkpoint = checkpointBefore(offset, position);
    isEntered = seekAt != 0 && (checkpoint == null || checkpoint.position < seekAt);
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
  if (LAYOUT) window.isEntered = isEntered;
  if (provesOid()) copyOid(window.oid, oid);
  if (PROOFS && isProving) idBegin(window.hash, Kind.BLOB, size);
  streamBegin(window.stream, entry.data, size, window.bytes, <u32>min<u64>(WINDOW, size), OBJECT_SLACK);
  if (provesCrc()) window.stream.crc = headerCrc;
  if (LAYOUT && isEntered) {
    enter(window);
  } else if (SEEKING) {
    // Checkpoints of a pass that proved nothing are not relied on.
    if (isProving) checkpointsDrop(offset);
    checkpointsUse(offset, size);
    if (!isProving) resume(window, position);
  }
  return window;
}

/** Goes to the seek point that was found. */
function enter(window: Window): void {
  const stream = window.stream;
  streamEnter(stream, PACK_START + window.blob + seekFrom, seekFrom, seekAt, seekTo);
  window.start = seekAt;
  stopAt(window, seekAt);
  windowSet(stream.inflate, window.bytes, 0, window.stop);
}

/** Notes the next stop of a window that has come to a seek point at `position`. */
function stopAt(window: Window, position: u64): void {
  window.stop = min<u64>(position + segmentLen(), window.size);
  window.stopIn = seekTo;
  window.stream.estimate = seekTo;
}

/** Goes on from a seek point that the window has come to. @returns OK, BAD_PAGE, or the device's status */
function pass(window: Window): i32 {
  if (!seeks(window.blob)) return BAD_PAGE;
  const status = seekAfter(window.stop, window.size);
  if (status == Status.OK) stopAt(window, window.stop);
  return status;
}

/** Whether a window has come where its stop is in the entry, or is still on its way. */
function arrives(window: Window): bool {
  const state = window.stream.inflate;
  if (state.totalOut < window.stop) return true;
  if (window.stop == window.size) return window.isEnded && state.totalIn == window.stopIn;
  return state.flushIn == window.stopIn && state.flushOut == window.stop;
}

/** Empties a window that a wrong seek point has led astray. */
function stray(window: Window): i32 {
  clear(window);
  return BAD_PAGE;
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
  if (LAYOUT && window.isEntered) return window.stop;
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
    if (LAYOUT && window.isEntered && state.totalOut == window.stop) {
      const passed = pass(window);
      if (passed != Status.OK) return passed == BAD_PAGE ? stray(window) : passed;
    }
    window.start += windowSlide(state, window.bytes, stopOf(window));
  }
  const from = state.output;
  let status = streamRun(window.stream);
  if (PROOFS && window.isProving) idUpdate(window.hash, from, state.output - from);
  if (status == Status.AGAIN) return status;
  const isWhole = state.totalOut == size;
  if (status == NEED_OUTPUT && !isWhole) {
    if (!SEEKING) return Status.OK;
    if (LAYOUT && window.isEntered) return arrives(window) ? Status.OK : stray(window);
    if (!checkpointAgrees(window.blob, state)) return fail(window, Status.BAD_ADLER);
    checkpointAdd(window.blob, window.stream, 0);
    return Status.OK;
  }
  window.isEnded = true;
  if (status == Status.OK ? !isWhole : status < 0) status = Status.BAD_INFLATED_SIZE;
  if (LAYOUT && window.isEntered && (status != Status.OK || !arrives(window))) return stray(window);
  if (status == Status.OK && provesCrc()) status = crcCheck(window.blob, window.stream.crc);
  return status == Status.OK ? status : fail(window, status);
}

/**
 * Streams on until the byte at a position is in the window. The blob's last piece is shown only after the stream has
 * ended as it should.
 * @returns OK, AGAIN, or an error: the window then holds nothing
 */
export function windowReach(window: Window, position: u64): i32 {
  const state = window.stream.inflate;
  while (!window.isEnded && (position >= state.totalOut || state.totalOut == window.size)) {
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

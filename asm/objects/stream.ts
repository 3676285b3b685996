/**
 * Streams of entries: zlib streams that are inflated from the device into windows of their callers. Between two calls
 * of `streamRun` a stream can be copied, with its window, and resumed from the copy.
 */
import { Status } from "../base/status";
import { crc32 } from "../checksum/crc32";
import { blockCapacity, blockIsSlow, blockLen, blockRelease, blockStatus, blockWindow } from "../device/sector-cache";
import { entriesEnd } from "../git/entry";
import { INFLATE_KEPT, INFLATE_SIZE, Inflate, NEED_INPUT, inflateResume, zlibEnter, zlibInit, zlibRun } from "../inflate/zlib";
import { loading } from "./loading";
import { provesCrc } from "./proof";

/**
 * Bytes that one operation may inflate and make: 2^15 times the image's size, 2^15 more, and 2^6 times the sizes of the
 * objects that it asks for. The first term allows a chain of 4095 deltas to content that deflate makes 8 times smaller;
 * the last allows a chain of 64, whatever its content.
 */
const WORK_IMAGE: i64 = 15;
export const WORK_ASKED: i64 = 6;
const WORK_FREE: i64 = 0x8000;

const STATE: usize = 32;
/** Bytes of a stream. Align it to 16. */
export const STREAM_SIZE: usize = STATE + INFLATE_SIZE;
/** Bytes at a stream's front that `streamResume` needs of it. */
export const STREAM_KEPT: usize = STATE + INFLATE_KEPT;

@unmanaged
export class Stream {
  /** The next byte of the zlib stream, absolute. */
  next: u64;
  /** The most bytes that the zlib stream is likely to have: as many are read ahead. */
  estimate: u64;
  /** The entry's CRC-32 so far, if CRC-32s are checked. */
  crc: u32;

  /** The inflater. The stream's caller moves its output window. */
  @inline
  get inflate(): Inflate {
    return changetype<Inflate>(changetype<usize>(this) + STATE);
  }
}

/** Bytes that all streams have inflated to since the mount began. */
export let streamedBytes: u64 = 0;

export function streamInit(): void {
  streamedBytes = 0;
}

/**
 * Begins a stream.
 * @param data where it begins, from the image's start
 * @param size bytes that it should inflate to
 * @param target its window: `targetLen` bytes, and `slack` more that may be written to
 */
export function streamBegin(stream: Stream, data: u64, size: u64, target: usize, targetLen: u32, slack: u32): void {
  const state = stream.inflate;
  zlibInit(state, size, true);
  state.input = state.inputEnd = 0;
  state.history = target;
  state.output = target;
  state.outputEnd = target + targetLen;
  state.outputSlack = slack;
  stream.next = data;
  stream.estimate = size;
}

/** Goes to the middle of a stream that has just begun: see `zlibEnter`. @param next where that is, absolute */
export function streamEnter(stream: Stream, next: u64, taken: u64, made: u64, adler: u32): void {
  zlibEnter(stream.inflate, taken, made, adler);
  stream.next = next;
}

/**
 * Resumes a stream where another one was when its last run answered NEED_OUTPUT. Its window, which holds the last
 * 32 KiB of output, is to be set next.
 */
export function streamResume(stream: Stream, from: Stream): void {
  memory.copy(changetype<usize>(stream), changetype<usize>(from), STREAM_KEPT);
  inflateResume(stream.inflate);
}

/**
 * Inflates until the stream ends or the window is full.
 * @returns OK at the end, NEED_OUTPUT, the decoder's errors, TRUNCATED, WORK_LIMIT or the device's status
 */
export function streamRun(stream: Stream): i32 {
  if (loading.work >> WORK_IMAGE > <i64>blockCapacity() + WORK_FREE) return Status.WORK_LIMIT;
  const state = stream.inflate;
  while (true) {
    const from = state.input;
    const out = state.output;
    const status = zlibRun(state);
    streamedBytes += state.output - out;
    loading.work += state.output - out;
    if (provesCrc()) stream.crc = crc32(stream.crc, from, state.input - from);
    if (status != NEED_INPUT) {
      // The rest of the input lies in the sector cache, and may be gone by the next call, which fetches it
      // again.
      stream.next -= state.inputEnd - state.input;
      state.input = state.inputEnd;
      return status;
    }
    blockRelease();
    if (stream.next >= entriesEnd()) return Status.TRUNCATED;
    const left = stream.estimate > state.totalIn ? stream.estimate - state.totalIn : 0;
    // What lies behind the stream is not worth another wait. Few streams are shorter than an eighth of their content.
    const ptr = blockWindow(stream.next, (blockIsSlow() ? left >> 3 : left) + 32);
    if (!ptr) return blockStatus;
    const len = min<u64>(blockLen, entriesEnd() - stream.next);
    state.input = ptr;
    state.inputEnd = ptr + <usize>len;
    stream.next += len;
  }
}

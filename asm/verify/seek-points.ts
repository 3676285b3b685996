/**
 * Finds the seek points of a zlib stream (docs/FORMAT.md): the places behind empty stored blocks at every multiple of a
 * segment, across which no match reaches. A stream has all of them or none.
 */
import { COPY_OVERRUN } from "../inflate/copy";
import { WINDOW, windowSet, windowSlide } from "../inflate/window";
import { INFLATE_SIZE, Inflate, NEED_OUTPUT, zlibInit, zlibRun } from "../inflate/zlib";
import { Status } from "../base/status";

const inflater: Inflate = changetype<Inflate>(memory.data(INFLATE_SIZE, 16));
// @ts-ignore: decorator
@lazy
const window: usize = memory.data(WINDOW + <u32>COPY_OVERRUN, 16);

let streamSize: u64 = 0;
let segment: u64 = 0;
/** The position in the content of the next point, or the content's end. */
let stop: u64 = 0;
/** Where the next point is written. */
let target: usize = 0;

/**
 * Begins a zlib stream.
 * @param size bytes that it inflates to
 * @param segmentLen bytes of content between two points
 * @param to room for a point for each multiple of `segmentLen` below `size`: u64, offsets from the stream's start
 */
export function seekPointsBegin(size: f64, segmentLen: u32, to: usize): void {
  streamSize = <u64>size;
  segment = segmentLen;
  target = to;
  stop = min(segment, streamSize);
  const state = inflater;
  zlibInit(state, streamSize, true);
  state.outputSlack = COPY_OVERRUN;
  windowSet(state, window, 0, stop);
}

/**
 * Inflates the next piece of the stream.
 * @param input `len` bytes; 8 more may be read
 * @returns OK at the stream's end: it has all points; NEED_INPUT (-1); NEED_OUTPUT (-2) or an error of the decoder: it
 *   has none
 */
export function seekPointsRun(input: usize, len: u32): i32 {
  const state = inflater;
  state.input = input;
  state.inputEnd = input + len;
  while (true) {
    const status = zlibRun(state);
    if (status == Status.OK && state.totalOut < streamSize) return Status.BAD_INFLATED_SIZE;
    if (status != NEED_OUTPUT || state.totalOut == streamSize) return status;
    if (state.totalOut < stop) {
      windowSlide(state, window, stop);
      continue;
    }
    if (!state.flushIn || state.flushOut != stop) return NEED_OUTPUT;
    store<u64>(target, state.flushIn);
    target += 8;
    stop = min(stop + segment, streamSize);
    // The window is empty here: a match that reaches back across the point is one too far.
    windowSet(state, window, 0, stop);
  }
}

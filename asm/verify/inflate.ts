/** One zlib stream at a time, either into the caller's memory or through a window whose content is dropped. */
import { COPY_OVERRUN } from "../inflate/copy";
import { WINDOW, windowSet, windowSlide } from "../inflate/window";
import { Inflate, INFLATE_SIZE, NEED_INPUT, NEED_OUTPUT, zlibInit, zlibRun } from "../inflate/zlib";
import { Status } from "../base/status";
import { objectIdBegin, objectIdEnd, objectIdUpdate } from "./object-hash";
import { workAdd } from "./work";

const inflater: Inflate = changetype<Inflate>(memory.data(INFLATE_SIZE, 16));
const window: usize = memory.data(WINDOW + <u32>COPY_OVERRUN, 16);

let streamSize: u64 = 0;
let streamKind: u32 = 0;

/** Begins a zlib stream that must inflate to `size` bytes at `out`. `COPY_OVERRUN` more may be overwritten. */
export function inflateBegin(out: usize, size: u32): void {
  const state = inflater;
  zlibInit(state, size, true);
  state.output = out;
  state.outputEnd = out + size;
  state.history = out;
  state.outputSlack = COPY_OVERRUN;
}

/** Runs the stream, and counts its work. */
function run(): i32 {
  const state = inflater;
  const input = state.input;
  const output = state.output;
  const status = zlibRun(state);
  workAdd(<u64>(state.output - output) + <u64>(state.input - input));
  return status;
}

/**
 * Inflates the next piece of the stream.
 * @param input `len` bytes; 8 more may be read
 * @returns OK at the stream's end, NEED_INPUT (-1), BAD_INFLATED_SIZE, or the decoder's errors
 */
export function inflateRun(input: usize, len: u32): i32 {
  const state = inflater;
  state.input = input;
  state.inputEnd = input + len;
  const status = run();
  if (status == NEED_OUTPUT) return Status.BAD_INFLATED_SIZE;
  return status == Status.OK && state.output != state.outputEnd ? Status.BAD_INFLATED_SIZE : status;
}

/** @returns the bytes that the stream has taken of its input */
export function inflateTaken(): f64 {
  return <f64>inflater.totalIn;
}

/**
 * Begins a zlib stream whose content is dropped.
 * @param kind the object's, for its id (`streamId`); 0 where none is wanted
 */
export function streamBegin(size: f64, kind: u32): void {
  streamSize = <u64>size;
  streamKind = kind;
  const state = inflater;
  zlibInit(state, streamSize, true);
  state.outputSlack = COPY_OVERRUN;
  windowSet(state, window, 0, streamSize);
  if (kind) objectIdBegin(kind, streamSize);
}

/** As `inflateRun`, for a stream that `streamBegin` began. */
export function streamRun(input: usize, len: u32): i32 {
  const state = inflater;
  state.input = input;
  state.inputEnd = input + len;
  while (true) {
    const from = state.output;
    const status = run();
    if (streamKind) objectIdUpdate(from, state.output - from);
    if (status == NEED_INPUT) return status;
    if (status == NEED_OUTPUT && state.totalOut < streamSize) {
      windowSlide(state, window, streamSize);
      continue;
    }
    if (status == NEED_OUTPUT || (status == Status.OK && state.totalOut < streamSize)) return Status.BAD_INFLATED_SIZE;
    return status;
  }
}

/** Writes the id of the streamed object: 20 bytes. @returns whether it is part of a SHA-1 collision attack */
export function streamId(to: usize): bool {
  return objectIdEnd(to);
}

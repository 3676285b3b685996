/** The inflater's entry for its tests, and loops that measure it. */
import { Status } from "../../asm/base/status";
import { Inflate, inflateInit, inflateResume, inflateRun } from "../../asm/inflate/inflate";
import { INFLATE_KEPT } from "../../asm/inflate/state";
import { INFLATE_SIZE, zlibInit, zlibRun } from "../../asm/inflate/zlib";

export { INFLATE_SIZE, inflateInit, inflateRun, zlibInit, zlibRun };

/** States for the tests to use. */
export const state: usize = memory.data(INFLATE_SIZE, 16);
export const otherState: usize = memory.data(INFLATE_SIZE, 16);

/** Moves a stream whose last run answered NEED_OUTPUT to another state, without its tables, and spoils the one that it leaves. */
export function moveTo(to: Inflate, from: Inflate): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), INFLATE_KEPT);
  memory.fill(changetype<usize>(from), 0xa5, INFLATE_SIZE);
  inflateResume(to);
}

export function setInput(s: Inflate, ptr: usize, len: usize): void {
  s.input = ptr;
  s.inputEnd = ptr + len;
}

/** `history` is the lowest address that a match may reach. */
export function setOutput(s: Inflate, ptr: usize, len: usize, slack: usize, history: usize): void {
  s.output = ptr;
  s.outputEnd = ptr + len;
  s.outputSlack = slack;
  s.history = history;
}

export function inputOf(s: Inflate): usize {
  return s.input;
}

export function outputOf(s: Inflate): usize {
  return s.output;
}

export function totalInOf(s: Inflate): u64 {
  return s.totalIn;
}

export function totalOutOf(s: Inflate): u64 {
  return s.totalOut;
}

/** What the decoder may scribble over after its output; it can use no more. */
const SLACK: usize = 32;

/**
 * Inflates a zlib stream that lies in memory whole, and compares its checksum, as the core does.
 * @param size bytes that the stream has to inflate to; at `output` there is room for `SLACK` more
 * @returns OK, what is wrong, or BAD_INFLATED_SIZE
 */
export function inflateStream(input: usize, len: usize, output: usize, size: u32): i32 {
  const s = changetype<Inflate>(state);
  zlibInit(s, size, true);
  setInput(s, input, len);
  setOutput(s, output, size, SLACK, output);
  const status = zlibRun(s);
  if (status != Status.OK) return status;
  return s.totalOut == size ? Status.OK : Status.BAD_INFLATED_SIZE;
}

/**
 * Inflates `count` streams, each over the last one's output.
 * @param rows of three u32: where a stream lies, its length, and the bytes that it inflates to
 * @returns the index of the first that fails, or -1
 */
export function inflateStreams(rows: usize, count: u32, output: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    if (inflateStream(load<u32>(rows), load<u32>(rows, 4), output, load<u32>(rows, 8)) != Status.OK) return i;
    rows += 12;
  }
  return -1;
}

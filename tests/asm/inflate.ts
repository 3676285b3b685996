/** The inflater's entry for its tests. */
import { Inflate, inflateInit, inflateRun } from "../../asm/inflate/inflate";
import { INFLATE_SIZE, zlibInit, zlibRun } from "../../asm/inflate/zlib";

export { INFLATE_SIZE, inflateInit, inflateRun, zlibInit, zlibRun };

/** A state for the tests to use. */
export const state: usize = memory.data(INFLATE_SIZE, 16);

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

/** Deltas, in the caller's memory. */
import { Status } from "../base/status";
import { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize } from "../git/delta";
import { workAdd } from "./work";

/** Reads a delta's head. @returns OK, BAD_DELTA, DELTA_BASE_SIZE */
export function deltaOpen(delta: usize, len: u32, baseLen: u32): i32 {
  const status = deltaHeader(delta, delta + len);
  if (status != Status.OK) return status;
  return deltaBaseSize == <u64>baseLen ? Status.OK : Status.DELTA_BASE_SIZE;
}

/** @returns bytes of the result of the delta that `deltaOpen` has read */
export function deltaSize(): f64 {
  return <f64>deltaResultSize;
}

/** Applies the delta that `deltaOpen` has read. @returns what `deltaApply` returns */
export function deltaRun(delta: usize, len: u32, base: usize, baseLen: u32, out: usize, outLen: u32): i32 {
  workAdd(outLen);
  return deltaApply(deltaBody, delta + len, base, baseLen, out, outLen);
}

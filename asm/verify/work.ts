/** The work that the verifier has done, by which its caller limits it. */

let bytes: u64 = 0;

/** Counts bytes that a stream has taken or given, or that a delta has made. */
export function workAdd(count: u64): void {
  bytes += count;
}

/** @returns all bytes counted so far */
export function work(): f64 {
  return <f64>bytes;
}

/** A seeded generator of random numbers (mulberry32), so that a failure can be repeated. */

/** Gives numbers below a bound: `next(n)` is an integer of 0 to n - 1. */
export type Random = (bound: number) => number;

/** @param seed any 32-bit integer; print it where a test fails */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound);
  };
}

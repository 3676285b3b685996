/** Tries blocks that meet the conditions of a SHA-1 collision attack (sha1dc.ts): is there another block for the hash? */
import { vectors } from "./sha1dc-vectors";

/** The offset of a u32 that is 1 once an attack has been found; SHA-1 itself leaves it free. */
export const SHA1DC_FOUND: usize = 20;

/** The block that is tried: its schedule. */
export const words: usize = memory.data(320, 8);
/** The states that it goes through, 24 bytes for each: before steps 45, 50, 55 and so on to 80. */
export const states: usize = memory.data(8 * 24, 8);
/** A vector's disturbances of steps -5 to 79, and the other block's schedule. */
const disturbances: usize = memory.data(340, 8);
const others: usize = memory.data(320, 8);
/** For each vector how the two schedules differ, and whether that has been made: a bit for each. */
// @ts-ignore: decorator
@lazy
const differences: usize = memory.data(32 * 320, 8);
let known: u32 = 0;
/** The other block's states at both ends, 20 bytes each. */
const start: usize = memory.data(20, 8);
const end: usize = memory.data(20, 8);

function copyState(target: usize, source: usize): void {
  store<u64>(target, load<u64>(source));
  store<u64>(target, load<u64>(source, 8), 8);
  store<u32>(target, load<u32>(source, 16), 16);
}

/** The state before a step, in `states`. */
// @ts-ignore: decorator
@inline
function stateBefore(t: u32): usize {
  return states + <usize>((t / 5 - 9) * 24);
}

/**
 * A step before which the two blocks of an attack have their state in common: none of the five before it is disturbed.
 * Those of I(K, b) are not from K to K + 14, and of II(K, b) from K + 4 on.
 */
export function middleOf(vector: u32): u32 {
  return (vector & 63) >= 50 ? 65 : vector & 128 ? 60 : 55;
}

/** Fills `states`, as far as they are wanted, by `words`. @param before the hash before the block */
export function goThrough(before: usize): void {
  copyState(stateBefore(55), before);
  forward(words, stateBefore(55), 0, 55);
  for (let t: u32 = 60; t <= 65; t += 5) {
    copyState(stateBefore(t), stateBefore(t - 5));
    forward(words, stateBefore(t), t - 5, t);
  }
}

/**
 * Tries what the other block of an attack would be: `words` and `states` tell of the block.
 * @param state the hash after the block
 * @param mask the vectors to try
 */
export function tryVectors(state: usize, mask: u32): void {
  for (; mask; mask &= mask - 1) {
    const index = ctz(mask);
    const vector: u32 = load<u8>(vectors + <usize>index);
    const difference = differences + <usize>index * 320;
    const middle = middleOf(vector);
    const common = stateBefore(middle);
    if (!((known >> index) & 1)) disturb(vector, difference);
    known |= 1 << index;
    for (let at: usize = 0; at < 320; at += 8) {
      store<u64>(others + at, load<u64>(words + at) ^ load<u64>(difference + at));
    }
    copyState(start, common);
    backward(others, start, middle);
    copyState(end, common);
    forward(others, end, middle, 80);
    let differs: u32 = 0;
    for (let at: usize = 0; at < 20; at += 4) {
      differs |= (load<u32>(start + at) + load<u32>(end + at)) ^ load<u32>(state + at);
    }
    if (!differs) store<u32>(state, 1, SHA1DC_FOUND);
  }
}

/** The disturbances of a step, as a pointer. */
// @ts-ignore: decorator
@inline
function step(t: i32): usize {
  return disturbances + <usize>((t + 5) << 2);
}

/**
 * Tells how the schedule of the other block differs. A disturbance of bit b in step t is a local collision: the
 * message differs there, and, to take it back, in bit b + 5 one step on, b two steps on, and b - 2 after three,
 * four and five steps.
 */
function disturb(vector: u32, difference: usize): void {
  const k = <i32>(vector & 63);
  const b: u32 = vector & 64 ? 2 : 0;
  for (let t = k; t < k + 15; t++) store<u32>(step(t), 0);
  store<u32>(step(k + 15), 1 << b);
  if (vector & 128) {
    const bit = rotl<u32>(1, 31 + b);
    store<u32>(step(k + 1), bit);
    store<u32>(step(k + 3), bit);
  }
  // The vector follows the rule of the schedule, forwards and backwards.
  for (let t = k + 16; t < 80; t++) {
    const word =
      load<u32>(step(t - 3)) ^ load<u32>(step(t - 8)) ^ load<u32>(step(t - 14)) ^ load<u32>(step(t - 16));
    store<u32>(step(t), rotl<u32>(word, 1));
  }
  for (let t = k - 1; t >= -5; t--) {
    const word = rotl<u32>(load<u32>(step(t + 16)), 31);
    store<u32>(step(t), word ^ load<u32>(step(t + 13)) ^ load<u32>(step(t + 8)) ^ load<u32>(step(t + 2)));
  }
  for (let t: i32 = 0; t < 80; t++) {
    const late = load<u32>(step(t - 3)) ^ load<u32>(step(t - 4)) ^ load<u32>(step(t - 5));
    const early = load<u32>(step(t)) ^ rotl<u32>(load<u32>(step(t - 1)), 5) ^ load<u32>(step(t - 2));
    store<u32>(difference + (<usize>t << 2), early ^ rotl<u32>(late, 30));
  }
}

/** A step's function of b, c and d, and its constant. */
// @ts-ignore: decorator
@inline
function mix(t: u32, b: u32, c: u32, d: u32): u32 {
  if (t < 20) return 0x5a827999 + (d ^ (b & (c ^ d)));
  if (t < 40) return 0x6ed9eba1 + (b ^ c ^ d);
  if (t < 60) return 0x8f1bbcdc + ((b & c) | (d & (b | c)));
  return 0xca62c1d6 + (b ^ c ^ d);
}

/** Steps `from` to `to` of SHA-1. */
function forward(schedule: usize, state: usize, from: u32, to: u32): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  for (let t = from; t < to; t++) {
    const next = rotl<u32>(a, 5) + mix(t, b, c, d) + e + load<u32>(schedule + (<usize>t << 2));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(state, a);
  store<u32>(state, b, 4);
  store<u32>(state, c, 8);
  store<u32>(state, d, 12);
  store<u32>(state, e, 16);
}

/** Takes the first `steps` steps back. */
function backward(schedule: usize, state: usize, steps: u32): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  for (let t = steps; t > 0; ) {
    t--;
    const next = a;
    a = b;
    b = rotl<u32>(c, 2);
    c = d;
    d = e;
    e = next - rotl<u32>(a, 5) - mix(t, b, c, d) - load<u32>(schedule + (<usize>t << 2));
  }
  store<u32>(state, a);
  store<u32>(state, b, 4);
  store<u32>(state, c, 8);
  store<u32>(state, d, 12);
  store<u32>(state, e, 16);
}

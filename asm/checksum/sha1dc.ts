/**
 * SHA-1 that notices collision attacks, as git's does: counter-cryptanalysis (Stevens, CRYPTO 2013). The last
 * two blocks of an attack differ by one of a few disturbance vectors. Of the one block at hand the other is
 * then known for each vector, and so is the state halfway, in which the two do not differ. Where the other
 * block, from there on both ways, ends in the same hash, there are two messages for it.
 *
 * Few blocks are tried so: one in fourteen meets the conditions of any vector (Stevens and Shumow, "Speeding
 * up detection of SHA-1 collision attacks using unavoidable attack conditions", 2017).
 */
import { SHA1_BLOCK, SHA1_DIGEST, SHA1_LENGTH, sha1Init, sha1Update } from "./sha1";
import { CONDITIONS_LEN, conditions, vectors } from "./sha1dc-vectors";

/** Whether an attack was found, u32: where the state has no field of SHA-1's own. */
const FOUND: usize = 20;

/** Words of the schedule that the conditions look at. */
const EARLY: usize = 65;
/** Blocks that are looked at together. In their schedules word t of one lies beside word t of the next. */
const LANES: usize = ASC_FEATURE_SIMD ? 4 : 2;
const STRIDE: usize = LANES * 4;
/** The lowest bit of each of two lanes. */
const ONES: u64 = 0x0000_0001_0000_0001;
const schedules: usize = memory.data(65 * 16, 16);
/** The vectors whose conditions each block meets, u32. */
const masks: usize = memory.data(16, 16);
/** After so many bytes of conditions it is asked whether any vector is left. */
const ROUND: usize = 16 * 8;

/** The block that is tried: its schedule, the vector's disturbances of steps -5 to 79, the other's schedule. */
const words: usize = memory.data(320, 8);
const disturbances: usize = memory.data(340, 8);
const others: usize = memory.data(320, 8);
/** States, 20 bytes each: the hash before the block, the block's halfway, and the other block's at both ends. */
const before: usize = memory.data(20, 8);
const halfway: usize = memory.data(20, 8);
const start: usize = memory.data(20, 8);
const end: usize = memory.data(20, 8);
/** The end of a message: one bit, zeros, and its length. */
const padding: usize = memory.data(72, 8);

/** Begins a message. @param state `SHA1_SIZE` bytes, aligned to 8 */
export function sha1dcInit(state: usize): void {
  sha1Init(state);
  store<u32>(state, 0, FOUND);
}

/** Adds `len` bytes to the message. */
export function sha1dcUpdate(state: usize, ptr: usize, len: usize): void {
  const begun = <usize>load<u64>(state, SHA1_LENGTH) & 63;
  if (begun) {
    const missing = min<usize>(64 - begun, len);
    copyState(before, state);
    sha1Update(state, ptr, missing);
    if (begun + missing == 64 && look(state + SHA1_BLOCK, 1)) {
      tryBlock(state, state + SHA1_BLOCK, load<u32>(masks));
    }
    ptr += missing;
    len -= missing;
  }
  const blocksEnd = ptr + (len & ~63);
  addBlocks(state, ptr, blocksEnd);
  sha1Update(state, blocksEnd, len & 63);
}

/**
 * Ends the message and writes its 20 bytes at `digestPtr`.
 * @returns whether the message is part of a collision attack
 */
export function sha1dcFinal(state: usize, digestPtr: usize): bool {
  const length = load<u64>(state, SHA1_LENGTH);
  const begun = <usize>length & 63;
  const len: usize = (begun < 56 ? 64 : 128) - begun;
  memory.fill(padding, 0, len);
  store<u8>(padding, 0x80);
  store<u64>(padding + len - 8, bswap<u64>(length << 3));
  sha1dcUpdate(state, padding, len);
  for (let at: usize = 0; at < SHA1_DIGEST; at += 4) {
    store<u32>(digestPtr + at, bswap<u32>(load<u32>(state + at)));
  }
  return load<u32>(state, FOUND) != 0;
}

/** Adds whole blocks: in one piece from one that is to be tried to the next. */
function addBlocks(state: usize, ptr: usize, blocksEnd: usize): void {
  let added = ptr;
  for (; ptr < blocksEnd; ptr += LANES << 6) {
    const count = min<usize>(LANES, (blocksEnd - ptr) >> 6);
    if (!look(ptr, count)) continue;
    for (let lane: usize = 0; lane < count; lane++) {
      const mask = load<u32>(masks + (lane << 2));
      if (!mask) continue;
      const block = ptr + (lane << 6);
      sha1Update(state, added, block - added);
      copyState(before, state);
      added = block + 64;
      sha1Update(state, block, 64);
      tryBlock(state, block, mask);
    }
  }
  sha1Update(state, added, blocksEnd - added);
}

function copyState(target: usize, source: usize): void {
  store<u64>(target, load<u64>(source));
  store<u64>(target, load<u64>(source, 8), 8);
  store<u32>(target, load<u32>(source, 16), 16);
}

/**
 * Holds blocks against the conditions.
 * @param count up to `LANES`
 * @returns whether any of them meets those of a vector; `masks` says of which
 */
function look(ptr: usize, count: usize): bool {
  if (ASC_FEATURE_SIMD) return lookSimd(ptr, count);
  const second = ptr + ((count - 1) << 6);
  for (let at: usize = 0; at < 64; at += 4) {
    store<u32>(schedules + (at << 1), bswap<u32>(load<u32>(ptr + at)));
    store<u32>(schedules + (at << 1), bswap<u32>(load<u32>(second + at)), 4);
  }
  for (let at = schedules, stop = schedules + (EARLY - 16) * STRIDE; at < stop; at += STRIDE) {
    const word =
      load<u64>(at) ^ load<u64>(at, 2 * STRIDE) ^ load<u64>(at, 8 * STRIDE) ^ load<u64>(at, 13 * STRIDE);
    store<u64>(at, ((word << 1) & ~ONES) | ((word >> 31) & ONES), 16 * STRIDE);
  }
  let left: u64 = ~(<u64>0);
  let at = conditions;
  do {
    for (const stop = min<usize>(at + ROUND, conditions + CONDITIONS_LEN); at < stop; at += 8) {
      const t = load<u64>(schedules + <usize>load<u8>(at) * STRIDE) >> <u64>load<u8>(at, 2);
      // The shift takes six bits of the byte: 128 more for bits that differ is none of them.
      const u = load<u64>(schedules + <usize>load<u8>(at, 1) * STRIDE) >> <u64>load<u8>(at, 3);
      const broken = (t ^ u ^ (<u64>(load<u8>(at, 3) >> 7) * ONES)) & ONES;
      left &= ~(broken * load<u32>(at, 4));
    }
  } while (left && at < conditions + CONDITIONS_LEN);
  store<u64>(masks, left);
  return left != 0;
}

// @ts-ignore: decorator
@inline
function swapped(ptr: usize): v128 {
  const bytes = v128.load(ptr);
  return i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** The first sixteen words of four blocks, side by side. Where there are fewer, the last one fills the lanes. */
function transpose(ptr: usize, count: usize): void {
  const last = ptr + ((count - 1) << 6);
  const second = min<usize>(ptr + 64, last);
  const third = min<usize>(ptr + 128, last);
  for (let at: usize = 0; at < 64; at += 16) {
    const a = swapped(ptr + at);
    const b = swapped(second + at);
    const c = swapped(third + at);
    const d = swapped(last + at);
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    const ab2 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    const cd2 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    const target = schedules + (at << 2);
    v128.store(target, v128.shuffle<u64>(ab, cd, 0, 2));
    v128.store(target, v128.shuffle<u64>(ab, cd, 1, 3), 16);
    v128.store(target, v128.shuffle<u64>(ab2, cd2, 0, 2), 32);
    v128.store(target, v128.shuffle<u64>(ab2, cd2, 1, 3), 48);
  }
}

function lookSimd(ptr: usize, count: usize): bool {
  transpose(ptr, count);
  for (let at = schedules, stop = schedules + (EARLY - 16) * STRIDE; at < stop; at += STRIDE) {
    const word = v128.xor(
      v128.xor(v128.load(at), v128.load(at, 2 * STRIDE)),
      v128.xor(v128.load(at, 8 * STRIDE), v128.load(at, 13 * STRIDE)),
    );
    v128.store(at, v128.or(i32x4.shl(word, 1), i32x4.shr_u(word, 31)), 16 * STRIDE);
  }
  let left = i32x4.splat(-1);
  let at: usize = 0;
  do {
    for (const stop = min<usize>(at + ROUND, CONDITIONS_LEN); at < stop; at += 8) {
      const condition = load<u32>(conditions + at);
      const t = i32x4.shr_u(
        v128.load(schedules + (<usize>condition & 0xff) * STRIDE),
        (condition >> 16) & 31,
      );
      const u = i32x4.shr_u(
        v128.load(schedules + (<usize>(condition >> 8) & 0xff) * STRIDE),
        (condition >> 24) & 31,
      );
      // All bits where the condition is broken.
      const broken = i32x4.neg(
        v128.and(v128.xor(v128.xor(t, u), i32x4.splat(condition >> 31)), i32x4.splat(1)),
      );
      left = v128.andnot(left, v128.and(broken, i32x4.splat(load<u32>(conditions + at, 4))));
    }
  } while (v128.any_true(left) && at < CONDITIONS_LEN);
  v128.store(masks, left);
  return v128.any_true(left);
}

/** The first `count` words of a block's schedule. */
function expand(ptr: usize, target: usize, count: usize): void {
  for (let at: usize = 0; at < 64; at += 4) store<u32>(target + at, bswap<u32>(load<u32>(ptr + at)));
  const stop = target + ((count - 16) << 2);
  for (; target < stop; target += 4) {
    const word = load<u32>(target, 52) ^ load<u32>(target, 32) ^ load<u32>(target, 8) ^ load<u32>(target);
    store<u32>(target, rotl<u32>(word, 1), 64);
  }
}

/**
 * Tries what the other block of an attack would be.
 * @param state the hash after the block; `before` is the one before it
 * @param mask the vectors to try
 */
function tryBlock(state: usize, block: usize, mask: u32): void {
  expand(block, words, 80);
  for (; mask; mask &= mask - 1) {
    const vector: u32 = load<u8>(vectors + <usize>ctz(mask));
    // A step that lies behind the disturbances before K and in front of those from K + 15 on.
    const middle: u32 = (vector & 63) < 50 ? 58 : 65;
    disturb(vector);
    copyState(halfway, before);
    forward(words, halfway, 0, middle);
    copyState(start, halfway);
    backward(others, start, middle);
    copyState(end, halfway);
    forward(others, end, middle, 80);
    let differs: u32 = 0;
    for (let at: usize = 0; at < 20; at += 4) {
      differs |= (load<u32>(start + at) + load<u32>(end + at)) ^ load<u32>(state + at);
    }
    if (!differs) store<u32>(state, 1, FOUND);
  }
}

/** The disturbances of a step, as a pointer. */
// @ts-ignore: decorator
@inline
function step(t: i32): usize {
  return disturbances + <usize>((t + 5) << 2);
}

/**
 * Makes the schedule of the other block. A disturbance of bit b in step t is a local collision: the message
 * differs there, and, to take it back, in bit b + 5 one step on, b two steps on, and b - 2 after three, four
 * and five steps.
 */
function disturb(vector: u32): void {
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
    const at = <usize>t << 2;
    store<u32>(others + at, load<u32>(words + at) ^ early ^ rotl<u32>(late, 30));
  }
}

/** A step's function of b, c and d, and its constant. */
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

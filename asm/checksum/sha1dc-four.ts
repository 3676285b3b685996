/**
 * Whole blocks for SHA-1 with detection (sha1dc.ts), for speed: it takes the place of `sha1dc-blocks.ts` where there is
 * SIMD and room for its code. The schedules of four blocks are made side by side, and serve both the conditions and the
 * rounds, which take the blocks one after another.
 */
import { SHA1_LENGTH } from "./sha1-state";
import { lookAtFour, schedules } from "./sha1dc-look";
import { states, tryVectors, words } from "./sha1dc-try";

/** The same as `schedules`, the rounds' constants added. */
const sums: usize = memory.data(80 * 16, 16);
/** The vectors whose conditions each block meets, u32. */
const masks: usize = memory.data(16, 16);

/**
 * Adds whole blocks to a message.
 * @param state at the border of a block
 */
export function addBlocks(state: usize, ptr: usize, blocksEnd: usize): void {
  store<u64>(state, load<u64>(state, SHA1_LENGTH) + (blocksEnd - ptr), SHA1_LENGTH);
  for (; ptr < blocksEnd; ptr += 256) {
    const count = min<usize>(4, (blocksEnd - ptr) >> 6);
    begin(ptr, count);
    expand(16, 20, 0x5a827999);
    expand(20, 40, 0x6ed9eba1);
    expand(40, 60, 0x8f1bbcdc);
    expand(60, 80, 0xca62c1d6);
    const isDoubtful = lookAtFour(masks);
    for (let lane: usize = 0; lane < count << 2; lane += 4) {
      const mask = isDoubtful ? load<u32>(masks + lane) : 0;
      compress(state, sums + lane);
      if (!mask) continue;
      for (let t: usize = 0; t < 80; t++) store<u32>(words + (t << 2), load<u32>(schedules + lane + (t << 4)));
      tryVectors(state, mask);
    }
  }
}

// @ts-ignore: decorator
@inline
function swapped(ptr: usize): v128 {
  const bytes = v128.load(ptr);
  return i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** The first sixteen words of four blocks, side by side. Where there are fewer, the last one fills the lanes. */
function begin(ptr: usize, count: usize): void {
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
    keep(at << 2, v128.shuffle<u64>(ab, cd, 0, 2), i32x4.splat(0x5a827999));
    keep((at << 2) + 16, v128.shuffle<u64>(ab, cd, 1, 3), i32x4.splat(0x5a827999));
    keep((at << 2) + 32, v128.shuffle<u64>(ab2, cd2, 0, 2), i32x4.splat(0x5a827999));
    keep((at << 2) + 48, v128.shuffle<u64>(ab2, cd2, 1, 3), i32x4.splat(0x5a827999));
  }
}

// @ts-ignore: decorator
@inline
function keep(at: usize, word: v128, constant: v128): void {
  v128.store(schedules + at, word);
  v128.store(sums + at, i32x4.add(word, constant));
}

/** W[t] = rotl(W[t-3] ^ W[t-8] ^ W[t-14] ^ W[t-16], 1), for the words `from` to `to`. */
// @ts-ignore: decorator
@inline
function expand(from: usize, to: usize, constant: i32): void {
  const added = i32x4.splat(constant);
  for (let at = from << 4; at < to << 4; at += 16) {
    const back = schedules + at - 256;
    const mixed = v128.xor(
      v128.xor(v128.load(back, 13 * 16), v128.load(back, 8 * 16)),
      v128.xor(v128.load(back, 2 * 16), v128.load(back)),
    );
    keep(at, v128.or(i32x4.shl(mixed, 1), i32x4.shr_u(mixed, 31)), added);
  }
}

/** Compresses a block whose sums stand from `at` on, 16 bytes apart, and fills `states`: five rounds a turn. */
function compress(state: usize, at: usize): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  for (const stop = at + 320; at < stop; at += 80) {
    e = e + load<u32>(at) + (d ^ (b & (c ^ d))) + rotl<u32>(a, 5);
    b = rotl<u32>(b, 30);
    d = d + load<u32>(at, 16) + (c ^ (a & (b ^ c))) + rotl<u32>(e, 5);
    a = rotl<u32>(a, 30);
    c = c + load<u32>(at, 32) + (b ^ (e & (a ^ b))) + rotl<u32>(d, 5);
    e = rotl<u32>(e, 30);
    b = b + load<u32>(at, 48) + (a ^ (d & (e ^ a))) + rotl<u32>(c, 5);
    d = rotl<u32>(d, 30);
    a = a + load<u32>(at, 64) + (e ^ (c & (d ^ e))) + rotl<u32>(b, 5);
    c = rotl<u32>(c, 30);
  }
  for (const stop = at + 320; at < stop; at += 80) {
    e = e + load<u32>(at) + (b ^ c ^ d) + rotl<u32>(a, 5);
    b = rotl<u32>(b, 30);
    d = d + load<u32>(at, 16) + (a ^ b ^ c) + rotl<u32>(e, 5);
    a = rotl<u32>(a, 30);
    c = c + load<u32>(at, 32) + (e ^ a ^ b) + rotl<u32>(d, 5);
    e = rotl<u32>(e, 30);
    b = b + load<u32>(at, 48) + (d ^ e ^ a) + rotl<u32>(c, 5);
    d = rotl<u32>(d, 30);
    a = a + load<u32>(at, 64) + (c ^ d ^ e) + rotl<u32>(b, 5);
    c = rotl<u32>(c, 30);
  }
  let trace = states;
  for (const stop = at + 320; at < stop; at += 80) {
    e = e + load<u32>(at) + (b & c) + (d & (b ^ c)) + rotl<u32>(a, 5);
    b = rotl<u32>(b, 30);
    d = d + load<u32>(at, 16) + (a & b) + (c & (a ^ b)) + rotl<u32>(e, 5);
    a = rotl<u32>(a, 30);
    c = c + load<u32>(at, 32) + (e & a) + (b & (e ^ a)) + rotl<u32>(d, 5);
    e = rotl<u32>(e, 30);
    b = b + load<u32>(at, 48) + (d & e) + (a & (d ^ e)) + rotl<u32>(c, 5);
    d = rotl<u32>(d, 30);
    a = a + load<u32>(at, 64) + (c & d) + (e & (c ^ d)) + rotl<u32>(b, 5);
    c = rotl<u32>(c, 30);
    store<u32>(trace, a);
    store<u32>(trace, b, 4);
    store<u32>(trace, c, 8);
    store<u32>(trace, d, 12);
    store<u32>(trace, e, 16);
    trace += 24;
  }
  for (const stop = at + 320; at < stop; at += 80) {
    e = e + load<u32>(at) + (b ^ c ^ d) + rotl<u32>(a, 5);
    b = rotl<u32>(b, 30);
    d = d + load<u32>(at, 16) + (a ^ b ^ c) + rotl<u32>(e, 5);
    a = rotl<u32>(a, 30);
    c = c + load<u32>(at, 32) + (e ^ a ^ b) + rotl<u32>(d, 5);
    e = rotl<u32>(e, 30);
    b = b + load<u32>(at, 48) + (d ^ e ^ a) + rotl<u32>(c, 5);
    d = rotl<u32>(d, 30);
    a = a + load<u32>(at, 64) + (c ^ d ^ e) + rotl<u32>(b, 5);
    c = rotl<u32>(c, 30);
    store<u32>(trace, a);
    store<u32>(trace, b, 4);
    store<u32>(trace, c, 8);
    store<u32>(trace, d, 12);
    store<u32>(trace, e, 16);
    trace += 24;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
}

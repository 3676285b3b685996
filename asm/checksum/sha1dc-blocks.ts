/** Whole blocks for SHA-1 with detection (sha1dc.ts), in few bytes of code: `sha1dc-four.ts` is faster. */
import { sha1Update } from "./sha1";
import { goThrough, tryVectors, words } from "./sha1dc-try";
import { CONDITIONS_LEN, conditions } from "./sha1dc-vectors";

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

/**
 * Adds whole blocks to a message: in one piece from one that is to be tried to the next.
 * @param state at the border of a block
 */
export function addBlocks(state: usize, ptr: usize, blocksEnd: usize): void {
  let added = ptr;
  for (; ptr < blocksEnd; ptr += LANES << 6) {
    const count = min<usize>(LANES, (blocksEnd - ptr) >> 6);
    if (!look(ptr, count)) continue;
    for (let lane: usize = 0; lane < count; lane++) {
      const mask = load<u32>(masks + (lane << 2));
      if (!mask) continue;
      const block = ptr + (lane << 6);
      sha1Update(state, added, block - added);
      expand(block);
      goThrough(state);
      added = block + 64;
      sha1Update(state, block, 64);
      tryVectors(state, mask);
    }
  }
  sha1Update(state, added, blocksEnd - added);
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

/** The schedule of the block that is to be tried. */
function expand(ptr: usize): void {
  for (let at: usize = 0; at < 64; at += 4) store<u32>(words + at, bswap<u32>(load<u32>(ptr + at)));
  for (let at = words; at < words + 256; at += 4) {
    const word = load<u32>(at, 52) ^ load<u32>(at, 32) ^ load<u32>(at, 8) ^ load<u32>(at);
    store<u32>(at, rotl<u32>(word, 1), 64);
  }
}

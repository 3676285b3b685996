/** Wide copies of matches (RFC 1951, 3.2.3), overlapping ones included. */

/** A copy may write up to this many bytes past its end. */
export const COPY_OVERRUN: usize = 32;
/** Bytes that one step of a copy writes. */
const STEP: usize = ASC_FEATURE_SIMD ? 32 : 16;
if (STEP > COPY_OVERRUN) ERROR("a copy writes past what callers leave free");

/**
 * For each distance below 16, the 16 lanes of a pattern that repeats after so many bytes; and how far it may
 * then move.
 */
const patterns: usize = memory.data(16 * 16, 16);
const steps: usize = memory.data(16, 16);
let isReady: bool = false;

/** Fills the static tables, once. */
export function prepareCopies(): void {
  if (isReady) return;
  isReady = true;
  const width: u32 = ASC_FEATURE_SIMD ? 16 : 8;
  for (let distance: u32 = 1; distance < width; distance++) {
    store<u8>(steps + distance, <u8>(width - (width % distance)));
    if (ASC_FEATURE_SIMD)
      for (let lane: u32 = 0; lane < 16; lane++)
        store<u8>(patterns + (distance << 4) + lane, <u8>(lane % distance));
  }
}

/**
 * Copies what lies `distance` bytes before `out`, at least one byte, up to `end`; may write `COPY_OVERRUN`
 * bytes past `end`.
 */
// @ts-ignore: decorator
@inline
export function copyMatch(out: usize, end: usize, distance: u32): void {
  if (ASC_FEATURE_SIMD) {
    if (distance >= 16) {
      let from = out - distance;
      let to = out;
      v128.store(to, v128.load(from));
      v128.store(to + 16, v128.load(from + 16));
      while ((to += STEP) < end) {
        from += STEP;
        v128.store(to, v128.load(from));
        v128.store(to + 16, v128.load(from + 16));
      }
    } else {
      copyPattern(out, end, distance);
    }
  } else {
    if (distance >= 8) {
      let from = out - distance;
      let to = out;
      store<u64>(to, load<u64>(from));
      store<u64>(to + 8, load<u64>(from + 8));
      while ((to += STEP) < end) {
        from += STEP;
        store<u64>(to, load<u64>(from));
        store<u64>(to + 8, load<u64>(from + 8));
      }
    } else {
      copyPattern(out, end, distance);
    }
  }
}

/** A match that overlaps itself within one word: the word is made once, and moved on by whole periods. */
function copyPattern(out: usize, end: usize, distance: u32): void {
  const step: usize = load<u8>(steps + distance);
  if (ASC_FEATURE_SIMD) {
    const word = v128.swizzle(v128.load(out - distance), v128.load(patterns + (distance << 4)));
    do {
      v128.store(out, word);
      out += step;
    } while (out < end);
  } else {
    let period: u64 = distance << 3;
    let word = load<u64>(out - distance) & (((<u64>1) << period) - 1);
    for (; period < 64; period <<= 1) word |= word << period;
    do {
      store<u64>(out, word);
      out += step;
    } while (out < end);
  }
}

/** Copies `count` bytes from `distance` bytes before `out`, and writes nothing from `scribbleEnd` on. */
export function copyWithin(out: usize, count: u32, distance: u32, scribbleEnd: usize): void {
  const end = out + count;
  if (count && scribbleEnd - end >= COPY_OVERRUN) copyMatch(out, end, distance);
  else for (; out < end; out++) store<u8>(out, load<u8>(out - distance));
}

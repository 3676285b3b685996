/** SHA-1 (FIPS 180-4, 6.1.2), in a state that the caller supplies. */
import { SHA1_BLOCK, SHA1_DIGEST, SHA1_LENGTH } from "./sha1-state";

/** Words of a message schedule, in bytes. */
const SCHEDULE: usize = 320;

/** The constant of each round. */
const constants: usize = memory.data(SCHEDULE, 16);
/** The schedule that is being made; and with the constants added, that one and the one in use, by turns. */
const words: usize = memory.data(SCHEDULE, 16);
const sums: usize = memory.data(2 * SCHEDULE, 16);

/** Begins a message. */
export function sha1Init(state: usize): void {
  store<u32>(state, 0x67452301);
  store<u32>(state, 0xefcdab89, 4);
  store<u32>(state, 0x98badcfe, 8);
  store<u32>(state, 0x10325476, 12);
  store<u32>(state, 0xc3d2e1f0, 16);
  store<u64>(state, 0, SHA1_LENGTH);
}

/** Adds `len` bytes to the message. */
export function sha1Update(state: usize, ptr: usize, len: usize): void {
  const begun = <usize>load<u64>(state, SHA1_LENGTH) & 63;
  store<u64>(state, load<u64>(state, SHA1_LENGTH) + len, SHA1_LENGTH);
  if (begun) {
    const missing = min<usize>(64 - begun, len);
    memory.copy(state + SHA1_BLOCK + begun, ptr, missing);
    if (begun + missing < 64) return;
    compress(state, state + SHA1_BLOCK, 64);
    ptr += missing;
    len -= missing;
  }
  const whole = len & ~63;
  if (whole) compress(state, ptr, whole);
  if (len & 63) memory.copy(state + SHA1_BLOCK, ptr + whole, len & 63);
}

/** Ends the message and writes its 20 bytes at `digestPtr`; the state is then to be begun anew. */
export function sha1Final(state: usize, digestPtr: usize): void {
  const length = load<u64>(state, SHA1_LENGTH);
  let begun = <usize>length & 63;
  store<u8>(state + begun, 0x80, SHA1_BLOCK);
  for (begun++; begun & 7; begun++) store<u8>(state + begun, 0, SHA1_BLOCK);
  if (begun > 56) {
    for (; begun < 64; begun += 8) store<u64>(state + begun, 0, SHA1_BLOCK);
    compress(state, state + SHA1_BLOCK, 64);
    begun = 0;
  }
  for (; begun < 56; begun += 8) store<u64>(state + begun, 0, SHA1_BLOCK);
  store<u64>(state, bswap<u64>(length << 3), SHA1_BLOCK + 56);
  compress(state, state + SHA1_BLOCK, 64);
  for (let at: usize = 0; at < SHA1_DIGEST; at += 4)
    store<u32>(digestPtr + at, bswap<u32>(load<u32>(state + at)));
}

// @ts-ignore: decorator
@inline
function choose(b: u32, c: u32, d: u32): u32 {
  return d ^ (b & (c ^ d));
}

// @ts-ignore: decorator
@inline
function parity(b: u32, c: u32, d: u32): u32 {
  return b ^ c ^ d;
}

/** The two terms have no bit in common: their sum can be taken with the rest of the round's. */
// @ts-ignore: decorator
@inline
function majority(b: u32, c: u32, d: u32): u32 {
  return (b & c) + (d & (b ^ c));
}

/**
 * Compresses whole blocks: five rounds of each kind a turn, after which the words a to e have their names
 * back. A turn also makes four words of the next block's schedule, which the processor does beside the
 * rounds: each of these waits for the one before, and so its sum takes last what that one makes last.
 */
function compress(state: usize, ptr: usize, len: usize): void {
  if (!load<u32>(constants)) prepareConstants();
  let h0 = load<u32>(state);
  let h1 = load<u32>(state, 4);
  let h2 = load<u32>(state, 8);
  let h3 = load<u32>(state, 12);
  let h4 = load<u32>(state, 16);
  let current = sums;
  let other = sums + SCHEDULE;
  beginSchedule(ptr, current);
  for (let made: usize = 64; made < 128; made += 16) early(made, current);
  for (let made: usize = 128; made < SCHEDULE; made += 16) late(made, current);
  for (const end = ptr + len; ptr < end; ) {
    ptr += 64;
    const hasNext = ptr < end;
    if (hasNext) beginSchedule(ptr, other);
    let made: usize = 64;
    let at = current;
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    for (const stop = at + 80; at < stop; at += 20, made += 16) {
      if (hasNext) early(made, other);
      e = e + load<u32>(at) + choose(b, c, d) + rotl<u32>(a, 5);
      b = rotl<u32>(b, 30);
      d = d + load<u32>(at, 4) + choose(a, b, c) + rotl<u32>(e, 5);
      a = rotl<u32>(a, 30);
      c = c + load<u32>(at, 8) + choose(e, a, b) + rotl<u32>(d, 5);
      e = rotl<u32>(e, 30);
      b = b + load<u32>(at, 12) + choose(d, e, a) + rotl<u32>(c, 5);
      d = rotl<u32>(d, 30);
      a = a + load<u32>(at, 16) + choose(c, d, e) + rotl<u32>(b, 5);
      c = rotl<u32>(c, 30);
    }
    for (const stop = at + 80; at < stop; at += 20, made += 16) {
      if (hasNext) late(made, other);
      e = e + load<u32>(at) + parity(b, c, d) + rotl<u32>(a, 5);
      b = rotl<u32>(b, 30);
      d = d + load<u32>(at, 4) + parity(a, b, c) + rotl<u32>(e, 5);
      a = rotl<u32>(a, 30);
      c = c + load<u32>(at, 8) + parity(e, a, b) + rotl<u32>(d, 5);
      e = rotl<u32>(e, 30);
      b = b + load<u32>(at, 12) + parity(d, e, a) + rotl<u32>(c, 5);
      d = rotl<u32>(d, 30);
      a = a + load<u32>(at, 16) + parity(c, d, e) + rotl<u32>(b, 5);
      c = rotl<u32>(c, 30);
    }
    for (const stop = at + 80; at < stop; at += 20, made += 16) {
      if (hasNext) late(made, other);
      e = e + load<u32>(at) + majority(b, c, d) + rotl<u32>(a, 5);
      b = rotl<u32>(b, 30);
      d = d + load<u32>(at, 4) + majority(a, b, c) + rotl<u32>(e, 5);
      a = rotl<u32>(a, 30);
      c = c + load<u32>(at, 8) + majority(e, a, b) + rotl<u32>(d, 5);
      e = rotl<u32>(e, 30);
      b = b + load<u32>(at, 12) + majority(d, e, a) + rotl<u32>(c, 5);
      d = rotl<u32>(d, 30);
      a = a + load<u32>(at, 16) + majority(c, d, e) + rotl<u32>(b, 5);
      c = rotl<u32>(c, 30);
    }
    for (const stop = at + 80; at < stop; at += 20, made += 16) {
      if (hasNext) late(made, other);
      e = e + load<u32>(at) + parity(b, c, d) + rotl<u32>(a, 5);
      b = rotl<u32>(b, 30);
      d = d + load<u32>(at, 4) + parity(a, b, c) + rotl<u32>(e, 5);
      a = rotl<u32>(a, 30);
      c = c + load<u32>(at, 8) + parity(e, a, b) + rotl<u32>(d, 5);
      e = rotl<u32>(e, 30);
      b = b + load<u32>(at, 12) + parity(d, e, a) + rotl<u32>(c, 5);
      d = rotl<u32>(d, 30);
      a = a + load<u32>(at, 16) + parity(c, d, e) + rotl<u32>(b, 5);
      c = rotl<u32>(c, 30);
    }
    h0 += a;
    h1 += b;
    h2 += c;
    h3 += d;
    h4 += e;
    at = current;
    current = other;
    other = at;
  }
  store<u32>(state, h0);
  store<u32>(state, h1, 4);
  store<u32>(state, h2, 8);
  store<u32>(state, h3, 12);
  store<u32>(state, h4, 16);
}

function prepareConstants(): void {
  for (let round: usize = 0; round < SCHEDULE; round += 4) {
    const k: u32 = round < 80 ? 0x5a827999 : round < 160 ? 0x6ed9eba1 : round < 240 ? 0x8f1bbcdc : 0xca62c1d6;
    store<u32>(constants + round, k);
  }
}

/** Begins a schedule with the message's sixteen words. */
function beginSchedule(ptr: usize, target: usize): void {
  for (let made: usize = 0; made < 64; made += 16) {
    if (ASC_FEATURE_SIMD) {
      const bytes = v128.load(ptr + made);
      const four = i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
      keepSimd(made, target, four);
    } else {
      keep(made, target, bswap<u32>(load<u32>(ptr + made)));
      keep(made + 4, target, bswap<u32>(load<u32>(ptr + made, 4)));
      keep(made + 8, target, bswap<u32>(load<u32>(ptr + made, 8)));
      keep(made + 12, target, bswap<u32>(load<u32>(ptr + made, 12)));
    }
  }
}

// @ts-ignore: decorator
@inline
function keep(made: usize, target: usize, word: u32): void {
  store<u32>(words + made, word);
  store<u32>(target + made, word + load<u32>(constants + made));
}

// @ts-ignore: decorator
@inline
function keepSimd(made: usize, target: usize, four: v128): void {
  v128.store(words + made, four);
  v128.store(target + made, i32x4.add(four, v128.load(constants + made)));
}

/** W[t] = rotl(W[t-3] ^ W[t-8] ^ W[t-14] ^ W[t-16], 1). */
// @ts-ignore: decorator
@inline
function extend(made: usize, target: usize): void {
  const at = words + made - 64;
  keep(made, target, rotl<u32>(load<u32>(at, 52) ^ load<u32>(at, 32) ^ load<u32>(at, 8) ^ load<u32>(at), 1));
}

// @ts-ignore: decorator
@inline
function extendFour(made: usize, target: usize): void {
  extend(made, target);
  extend(made + 4, target);
  extend(made + 8, target);
  extend(made + 12, target);
}

// @ts-ignore: decorator
@inline
function rotate(v: v128, by: i32): v128 {
  return v128.or(i32x4.shl(v, by), i32x4.shr_u(v, 32 - by));
}

/** The four words from `made` bytes on, of the words 16 to 31. The last of the four depends on the first. */
// @ts-ignore: decorator
@inline
function early(made: usize, target: usize): void {
  if (ASC_FEATURE_SIMD) {
    const at = words + made - 64;
    const w16 = v128.load(at);
    const w12 = v128.load(at, 16);
    const w14 = i8x16.shuffle(w16, w12, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    const w8 = v128.load(at, 32);
    const w4 = v128.load(at, 48);
    const w3 = i8x16.shuffle(w4, i32x4.splat(0), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
    const four = rotate(v128.xor(v128.xor(w16, w14), v128.xor(w8, w3)), 1);
    const first = i8x16.shuffle(i32x4.splat(0), four, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19);
    keepSimd(made, target, v128.xor(four, rotate(first, 1)));
  } else {
    extendFour(made, target);
  }
}

/**
 * The same from word 32 on, where W[t] = rotl(W[t-6] ^ W[t-16] ^ W[t-28] ^ W[t-32], 2) holds too: no word
 * needs its neighbour.
 */
// @ts-ignore: decorator
@inline
function late(made: usize, target: usize): void {
  if (ASC_FEATURE_SIMD) {
    const at = words + made - 128;
    const w8 = v128.load(at, 96);
    const w4 = v128.load(at, 112);
    const w6 = i8x16.shuffle(w8, w4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    const four = v128.xor(v128.xor(v128.load(at), v128.load(at, 16)), v128.xor(v128.load(at, 64), w6));
    keepSimd(made, target, rotate(four, 2));
  } else {
    extendFour(made, target);
  }
}

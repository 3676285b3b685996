/**
 * SHA-1 (FIPS 180-4, 6.1.2), in a state that the caller supplies:
 *
 *     ┌ 0 ────────────┬ 24 ─────────┬ 32 ─────────────────────────┐
 *     │ h0..h4 u32    │ length u64  │ the block begun, 64 bytes   │
 *     └───────────────┴─────────────┴─────────────────────────────┘
 */

/** Bytes of a state, and the alignment it takes. */
export const SHA1_SIZE: usize = 96;
export const SHA1_ALIGN: usize = 8;
/** Bytes of a digest. */
export const SHA1_DIGEST: usize = 20;

const LENGTH: usize = 24;
const BLOCK: usize = 32;

const K0: u32 = 0x5a827999;
const K1: u32 = 0x6ed9eba1;
const K2: u32 = 0x8f1bbcdc;
const K3: u32 = 0xca62c1d6;

/** The message schedule of the block at hand, the round's constant added to each word; and the words without. */
const schedule: usize = memory.data(80 * 4, 16);
const words: usize = memory.data(80 * 4, 16);

/** Begins a message. */
export function sha1Init(state: usize): void {
  store<u32>(state, 0x67452301);
  store<u32>(state, 0xefcdab89, 4);
  store<u32>(state, 0x98badcfe, 8);
  store<u32>(state, 0x10325476, 12);
  store<u32>(state, 0xc3d2e1f0, 16);
  store<u64>(state, 0, LENGTH);
}

/** Adds `len` bytes to the message. */
export function sha1Update(state: usize, ptr: usize, len: usize): void {
  const begun = <usize>load<u64>(state, LENGTH) & 63;
  store<u64>(state, load<u64>(state, LENGTH) + len, LENGTH);
  if (begun) {
    const missing = min<usize>(64 - begun, len);
    memory.copy(state + BLOCK + begun, ptr, missing);
    if (begun + missing < 64) return;
    compress(state, state + BLOCK, 64);
    ptr += missing;
    len -= missing;
  }
  const whole = len & ~63;
  if (whole) compress(state, ptr, whole);
  if (len & 63) memory.copy(state + BLOCK, ptr + whole, len & 63);
}

/** Ends the message and writes its 20 bytes at `digestPtr`; the state is then to be begun anew. */
export function sha1Final(state: usize, digestPtr: usize): void {
  const length = load<u64>(state, LENGTH);
  const begun = <usize>length & 63;
  store<u8>(state + begun, 0x80, BLOCK);
  memory.fill(state + BLOCK + begun + 1, 0, 63 - begun);
  if (begun >= 56) {
    compress(state, state + BLOCK, 64);
    memory.fill(state + BLOCK, 0, 56);
  }
  store<u64>(state, bswap<u64>(length << 3), BLOCK + 56);
  compress(state, state + BLOCK, 64);
  for (let at: usize = 0; at < SHA1_DIGEST; at += 4) store<u32>(digestPtr + at, bswap<u32>(load<u32>(state + at)));
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

/** Five rounds of each kind a turn: the words a to e then have their names back. */
function compress(state: usize, ptr: usize, len: usize): void {
  let h0 = load<u32>(state);
  let h1 = load<u32>(state, 4);
  let h2 = load<u32>(state, 8);
  let h3 = load<u32>(state, 12);
  let h4 = load<u32>(state, 16);
  for (const end = ptr + len; ptr < end; ptr += 64) {
    if (ASC_FEATURE_SIMD) expandSimd(ptr);
    else expand(ptr);
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    let at = schedule;
    for (; at < schedule + 80; at += 20) {
      e += rotl<u32>(a, 5) + choose(b, c, d) + load<u32>(at);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + choose(a, b, c) + load<u32>(at, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + choose(e, a, b) + load<u32>(at, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + choose(d, e, a) + load<u32>(at, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + choose(c, d, e) + load<u32>(at, 16);
      c = rotl<u32>(c, 30);
    }
    for (; at < schedule + 160; at += 20) {
      e += rotl<u32>(a, 5) + parity(b, c, d) + load<u32>(at);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + parity(a, b, c) + load<u32>(at, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + parity(e, a, b) + load<u32>(at, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + parity(d, e, a) + load<u32>(at, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + parity(c, d, e) + load<u32>(at, 16);
      c = rotl<u32>(c, 30);
    }
    for (; at < schedule + 240; at += 20) {
      e += rotl<u32>(a, 5) + majority(b, c, d) + load<u32>(at);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + majority(a, b, c) + load<u32>(at, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + majority(e, a, b) + load<u32>(at, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + majority(d, e, a) + load<u32>(at, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + majority(c, d, e) + load<u32>(at, 16);
      c = rotl<u32>(c, 30);
    }
    for (; at < schedule + 320; at += 20) {
      e += rotl<u32>(a, 5) + parity(b, c, d) + load<u32>(at);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + parity(a, b, c) + load<u32>(at, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + parity(e, a, b) + load<u32>(at, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + parity(d, e, a) + load<u32>(at, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + parity(c, d, e) + load<u32>(at, 16);
      c = rotl<u32>(c, 30);
    }
    h0 += a;
    h1 += b;
    h2 += c;
    h3 += d;
    h4 += e;
  }
  store<u32>(state, h0);
  store<u32>(state, h1, 4);
  store<u32>(state, h2, 8);
  store<u32>(state, h3, 12);
  store<u32>(state, h4, 16);
}

/** The message schedule, word by word: W[t] = rotl(W[t-3] ^ W[t-8] ^ W[t-14] ^ W[t-16], 1). */
function expand(ptr: usize): void {
  for (let at: usize = 0; at < 64; at += 4) store<u32>(words + at, bswap<u32>(load<u32>(ptr + at)));
  for (let at = words; at < words + 256; at += 4) {
    const word = load<u32>(at, 52) ^ load<u32>(at, 32) ^ load<u32>(at, 8) ^ load<u32>(at);
    store<u32>(at, rotl<u32>(word, 1), 64);
  }
  for (let at: usize = 0; at < 80; at += 4) {
    store<u32>(schedule + at, load<u32>(words + at) + K0);
    store<u32>(schedule + at, load<u32>(words + at, 80) + K1, 80);
    store<u32>(schedule + at, load<u32>(words + at, 160) + K2, 160);
    store<u32>(schedule + at, load<u32>(words + at, 240) + K3, 240);
  }
}

/** Four words of the message. */
// @ts-ignore: decorator
@inline
function wordsAt(ptr: usize): v128 {
  const bytes = v128.load(ptr);
  return i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// @ts-ignore: decorator
@inline
function rotate(v: v128, by: i32): v128 {
  return v128.or(i32x4.shl(v, by), i32x4.shr_u(v, 32 - by));
}

/** Words t to t + 3 of those before, t - 16 and on, below 32: the last of the four depends on the first. */
// @ts-ignore: decorator
@inline
function early(w16: v128, w12: v128, w8: v128, w4: v128): v128 {
  const w14 = i8x16.shuffle(w16, w12, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
  const w3 = i8x16.shuffle(w4, i32x4.splat(0), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
  const four = rotate(v128.xor(v128.xor(w16, w14), v128.xor(w8, w3)), 1);
  const first = i8x16.shuffle(i32x4.splat(0), four, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19);
  return v128.xor(four, rotate(first, 1));
}

/** The same from 32 on, where W[t] = rotl(W[t-6] ^ W[t-16] ^ W[t-28] ^ W[t-32], 2) holds too, and no word needs its neighbour. */
// @ts-ignore: decorator
@inline
function late(w32: v128, w28: v128, w16: v128, w8: v128, w4: v128): v128 {
  const w6 = i8x16.shuffle(w8, w4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
  return rotate(v128.xor(v128.xor(w32, w28), v128.xor(w16, w6)), 2);
}

/** The message schedule, four words at a time. */
function expandSimd(ptr: usize): void {
  const w0 = wordsAt(ptr);
  const w1 = wordsAt(ptr + 16);
  const w2 = wordsAt(ptr + 32);
  const w3 = wordsAt(ptr + 48);
  const w4 = early(w0, w1, w2, w3);
  const w5 = early(w1, w2, w3, w4);
  const w6 = early(w2, w3, w4, w5);
  const w7 = early(w3, w4, w5, w6);
  const w8 = late(w0, w1, w4, w6, w7);
  const w9 = late(w1, w2, w5, w7, w8);
  const w10 = late(w2, w3, w6, w8, w9);
  const w11 = late(w3, w4, w7, w9, w10);
  const w12 = late(w4, w5, w8, w10, w11);
  const w13 = late(w5, w6, w9, w11, w12);
  const w14 = late(w6, w7, w10, w12, w13);
  const w15 = late(w7, w8, w11, w13, w14);
  const w16 = late(w8, w9, w12, w14, w15);
  const w17 = late(w9, w10, w13, w15, w16);
  const w18 = late(w10, w11, w14, w16, w17);
  const w19 = late(w11, w12, w15, w17, w18);
  const k0 = i32x4.splat(K0);
  v128.store(schedule, i32x4.add(w0, k0));
  v128.store(schedule, i32x4.add(w1, k0), 16);
  v128.store(schedule, i32x4.add(w2, k0), 32);
  v128.store(schedule, i32x4.add(w3, k0), 48);
  v128.store(schedule, i32x4.add(w4, k0), 64);
  const k1 = i32x4.splat(K1);
  v128.store(schedule, i32x4.add(w5, k1), 80);
  v128.store(schedule, i32x4.add(w6, k1), 96);
  v128.store(schedule, i32x4.add(w7, k1), 112);
  v128.store(schedule, i32x4.add(w8, k1), 128);
  v128.store(schedule, i32x4.add(w9, k1), 144);
  const k2 = i32x4.splat(K2);
  v128.store(schedule, i32x4.add(w10, k2), 160);
  v128.store(schedule, i32x4.add(w11, k2), 176);
  v128.store(schedule, i32x4.add(w12, k2), 192);
  v128.store(schedule, i32x4.add(w13, k2), 208);
  v128.store(schedule, i32x4.add(w14, k2), 224);
  const k3 = i32x4.splat(K3);
  v128.store(schedule, i32x4.add(w15, k3), 240);
  v128.store(schedule, i32x4.add(w16, k3), 256);
  v128.store(schedule, i32x4.add(w17, k3), 272);
  v128.store(schedule, i32x4.add(w18, k3), 288);
  v128.store(schedule, i32x4.add(w19, k3), 304);
}

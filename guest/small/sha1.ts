/**
 * SHA-1 (FIPS 180-4, 6.1.2). This file is small, `asm/checksum/sha1.ts` is fast: guests hash only when they rebuild an
 * index, and are linked with this file instead.
 */
import { SHA1_BLOCK, SHA1_LENGTH } from "../../asm/checksum/sha1-state";

const schedule: usize = memory.data(320, 16);

export function sha1Init(state: usize): void {
  store<u64>(state, 0xefcdab8967452301);
  store<u64>(state, 0x1032547698badcfe, 8);
  store<u64>(state, 0xc3d2e1f0, 16);
  store<u64>(state, 0, SHA1_LENGTH);
}

export function sha1Update(state: usize, ptr: usize, len: usize): void {
  while (len > 0) {
    const begun = <usize>load<u64>(state, SHA1_LENGTH) & 63;
    const taken = min<usize>(64 - begun, len);
    memory.copy(state + SHA1_BLOCK + begun, ptr, taken);
    store<u64>(state, load<u64>(state, SHA1_LENGTH) + taken, SHA1_LENGTH);
    if (begun + taken == 64) compress(state);
    ptr += taken;
    len -= taken;
  }
}

export function sha1Final(state: usize, digest: usize): void {
  const bits = load<u64>(state, SHA1_LENGTH) << 3;
  let begun = <usize>(bits >> 3) & 63;
  store<u8>(state + begun, 0x80, SHA1_BLOCK);
  memory.fill(state + SHA1_BLOCK + ++begun, 0, 64 - begun);
  if (begun > 56) {
    compress(state);
    memory.fill(state + SHA1_BLOCK, 0, 56);
  }
  store<u64>(state, bswap<u64>(bits), SHA1_BLOCK + 56);
  compress(state);
  for (let at: usize = 0; at < 20; at += 4) store<u32>(digest + at, bswap<u32>(load<u32>(state + at)));
}

/** Compresses the block in the state. */
function compress(state: usize): void {
  for (let at: usize = 0; at < 320; at += 4) {
    const word = schedule + at;
    const made: u32 =
      at < 64
        ? bswap<u32>(load<u32>(state + at, SHA1_BLOCK))
        : rotl<u32>(load<u32>(word - 12) ^ load<u32>(word - 32) ^ load<u32>(word - 56) ^ load<u32>(word - 64), 1);
    store<u32>(word, made);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  for (let at: usize = 0; at < 320; at += 4) {
    let mixed = b ^ c ^ d;
    let constant: u32 = at < 160 ? 0x6ed9eba1 : 0xca62c1d6;
    if (at < 80) {
      mixed = d ^ (b & (c ^ d));
      constant = 0x5a827999;
    } else if (at >= 160 && at < 240) {
      mixed = (b & c) | (d & (b | c));
      constant = 0x8f1bbcdc;
    }
    const next = rotl<u32>(a, 5) + mixed + e + constant + load<u32>(schedule + at);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
}

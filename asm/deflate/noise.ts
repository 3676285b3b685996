/**
 * Tells what cannot be compressed without trying to: bytes that are all about as frequent, and that do not
 * come back. What is compressed already, or encrypted, is stored as fast as it is looked at.
 */

/** Frequencies of bytes, twice, so that equal neighbours do not wait for each other. */
const frequencies: usize = memory.data(2 * 4 * 256, 4);
/** The last offset in a part of content at which four bytes of a hash have been. */
const TABLE_BITS: u32 = 10;
const table: usize = memory.data(4 << 10, 4);
const MULTIPLIER: u32 = 0x9e3779b1;
/** One in so many positions is looked at, chosen by its content: what comes back is chosen again. */
const CHOSEN: u32 = 15 << 18;

/** Less than this is not worth the look, in bytes. */
const LEAST: u32 = 1024;

/**
 * Σ f² of frequencies, against what equal ones would come to: a hundredth of the excess, as a part of n²/256,
 * is about 0.0072 bits of entropy less for each byte. Noise itself has an excess of about 255/n.
 */
function isEven(ptr: usize, len: u32): bool {
  memory.fill(frequencies, 0, 2 * 4 * 256);
  const end = ptr + (len & ~1);
  for (let at = ptr; at < end; at += 2) {
    const first = frequencies + ((<usize>load<u8>(at)) << 2);
    const second = frequencies + ((<usize>load<u8>(at, 1)) << 2);
    store<u32>(first, load<u32>(first) + 1);
    store<u32>(second, load<u32>(second, 1024) + 1, 1024);
  }
  let squares: u64 = 0;
  for (let at = frequencies; at < frequencies + 1024; at += 4) {
    const frequency: u64 = load<u32>(at) + load<u32>(at, 1024);
    squares += frequency * frequency;
  }
  // squares · 256 / n² < 1 + 300 / n + 0.05
  const n: u64 = len & ~1;
  return squares * 256 < n * n + 300 * n + (n * n) / 20;
}

/** Whether hardly any sequence of four bytes occurs twice in the part. */
function isFresh(ptr: usize, len: u32): bool {
  memory.fill(table, 0, 4 << TABLE_BITS);
  let seen: u32 = 0;
  let again: u32 = 0;
  for (let at = ptr, end = ptr + len - 3; at < end; at++) {
    const word = load<u32>(at);
    const hash = word * MULTIPLIER;
    if (hash & CHOSEN) continue;
    const entry = table + ((hash >> (32 - TABLE_BITS)) << 2);
    const last = load<u32>(entry);
    if (last && load<u32>(last) == word) again++;
    store<u32>(entry, <u32>at);
    seen++;
  }
  return again * 64 <= seen;
}

/** Whether a part of content, some KB long, should be stored as it is. */
export function isNoise(ptr: usize, len: u32): bool {
  return len >= LEAST && isEven(ptr, len) && isFresh(ptr, len);
}

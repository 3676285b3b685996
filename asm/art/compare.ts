/** Comparing byte strings, eight or sixteen bytes at a time. */

/** Bytes that `equalPadded` may read past the end of each string. */
export const PAD: u32 = 16;

/** Whether `len` bytes at `a` and `b` are equal. Reads nothing past them. */
export function equalBytes(a: usize, b: usize, len: u32): bool {
  if (len >= 8) {
    const last = len - 8;
    for (let i: u32 = 0; i < last; i += 8) {
      if (load<u64>(a + i) != load<u64>(b + i)) return false;
    }
    return load<u64>(a + last) == load<u64>(b + last);
  }
  if (len >= 4) {
    return load<u32>(a) == load<u32>(b) && load<u32>(a + len - 4) == load<u32>(b + len - 4);
  }
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/**
 * Whether `len` bytes at `a` and `b` are equal. Reads up to `PAD` bytes past them, so that strings of 0 to 7 bytes,
 * and with SIMD to 16, are compared without a branch on their length: in a tree it is not to be predicted.
 */
// @ts-ignore: decorator
@inline
export function equalPadded(a: usize, b: usize, len: u32): bool {
  if (ASC_FEATURE_SIMD) {
    while (len > 16) {
      if (i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) != 0xffff) return false;
      a += 16;
      b += 16;
      len -= 16;
    }
    const mask = (1 << len) - 1;
    return (i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) & mask) == mask;
  }
  while (len > 7) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    len -= 8;
  }
  return !((load<u64>(a) ^ load<u64>(b)) & ((<u64>1 << (len << 3)) - 1));
}

/** How many of `len` bytes at `a` and `b` are the same before the first that differs. */
export function commonLen(a: usize, b: usize, len: u32): u32 {
  let i: u32 = 0;
  while (i + 8 <= len) {
    const differ = load<u64>(a + i) ^ load<u64>(b + i);
    if (differ) return i + <u32>(ctz(differ) >> 3);
    i += 8;
  }
  while (i < len && load<u8>(a + i) == load<u8>(b + i)) i++;
  return i;
}

/** How many of `len` bytes precede the first NUL: all of them where there is none. */
export function lengthToNul(ptr: usize, len: u32): u32 {
  let i: u32 = 0;
  while (i + 8 <= len) {
    const bytes = load<u64>(ptr + i);
    const zero = (bytes - 0x0101010101010101) & ~bytes & 0x8080808080808080;
    if (zero) return i + <u32>(ctz(zero) >> 3);
    i += 8;
  }
  while (i < len && load<u8>(ptr + i)) i++;
  return i;
}

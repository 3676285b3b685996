/** Comparing byte strings, eight bytes at a time, without reading past either end. */

/** Whether `len` bytes at `a` and `b` are the same. */
// @ts-ignore: decorator
@inline
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

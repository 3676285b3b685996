/** Loads and comparisons over linear memory. Callers have proven their bounds. */

// @ts-ignore: decorator
@inline
export function loadBE32(ptr: usize): u32 {
  return bswap(load<u32>(ptr));
}

// @ts-ignore: decorator
@inline
export function loadBE64(ptr: usize): u64 {
  return bswap(load<u64>(ptr));
}

/** Whether two object ids (20 bytes) are equal. */
// @ts-ignore: decorator
@inline
export function sameOid(a: usize, b: usize): bool {
  if (load<u64>(a) != load<u64>(b)) return false;
  return load<u64>(a, 8) == load<u64>(b, 8) && load<u32>(a, 16) == load<u32>(b, 16);
}

/** Orders two object ids (20 bytes) as byte strings: negative, zero or positive. */
export function compareOid(a: usize, b: usize): i32 {
  for (let i: usize = 0; i < 16; i += 8) {
    const x = loadBE64(a + i);
    const y = loadBE64(b + i);
    if (x != y) return x < y ? -1 : 1;
  }
  const x = loadBE32(a + 16);
  const y = loadBE32(b + 16);
  return x == y ? 0 : x < y ? -1 : 1;
}

export function copyOid(target: usize, source: usize): void {
  store<u64>(target, load<u64>(source));
  store<u64>(target, load<u64>(source, 8), 8);
  store<u32>(target, load<u32>(source, 16), 16);
}

/** A bit of an id. @param bit 0 to 159: bits of bytes in turn, the least significant first */
export function oidBit(oid: usize, bit: u32): u32 {
  return (load<u8>(oid + (bit >> 3)) >> (<u8>bit & 7)) & 1;
}

/** Adler-32 (RFC 1950, 8.2 and 9). */

const MODULUS: u32 = 65521;

/** Bytes that the wide loop takes at a time. */
const WIDE: usize = ASC_FEATURE_SIMD ? 32 : 128;
/**
 * The most bytes between two reductions. The sums, begun below the modulus, stay within 32 bits for 5552
 * bytes (zlib's NMAX); with SIMD the sums of a column of 128 bytes stay below 2^15, as `dot` takes its
 * operands for signed.
 */
const CHUNK: usize = ASC_FEATURE_SIMD ? 128 * WIDE : 43 * WIDE;
if (255 * <u64>CHUNK * (CHUNK + 1) / 2 + (<u64>CHUNK + 1) * (MODULUS - 1) > u32.MAX_VALUE)
  ERROR("the sums overflow between two reductions");
if (ASC_FEATURE_SIMD && 255 * (CHUNK / WIDE) >= 1 << 15) ERROR("the sum of a column is not a signed number");

/*
 * Over n bytes d[0..n) the sums grow by
 *
 *     a += Σ d[i]
 *     b += n·a + Σ (n − i)·d[i]
 *
 * With the bytes in rows of w columns, that second sum is w times the sum of all rows above each row, plus
 * the sum of each column, weighted by w − column.
 */

/** Two registers make a row of 32 bytes. */
function addRowsSimd(adler: u32, ptr: usize, len: usize): u32 {
  let above = i32x4.splat(0);
  let total = i32x4.splat(0);
  let columns0 = i16x8.splat(0);
  let columns1 = i16x8.splat(0);
  let columns2 = i16x8.splat(0);
  let columns3 = i16x8.splat(0);
  for (const end = ptr + len; ptr < end; ptr += 32) {
    const low = v128.load(ptr);
    const high = v128.load(ptr, 16);
    above = i32x4.add(above, total);
    const pairs = i16x8.add(i16x8.extadd_pairwise_i8x16_u(low), i16x8.extadd_pairwise_i8x16_u(high));
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_u(pairs));
    columns0 = i16x8.add(columns0, i16x8.extend_low_i8x16_u(low));
    columns1 = i16x8.add(columns1, i16x8.extend_high_i8x16_u(low));
    columns2 = i16x8.add(columns2, i16x8.extend_low_i8x16_u(high));
    columns3 = i16x8.add(columns3, i16x8.extend_high_i8x16_u(high));
  }
  let weighted = i32x4.shl(above, 5);
  weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(columns0, i16x8(32, 31, 30, 29, 28, 27, 26, 25)));
  weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(columns1, i16x8(24, 23, 22, 21, 20, 19, 18, 17)));
  weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(columns2, i16x8(16, 15, 14, 13, 12, 11, 10, 9)));
  weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(columns3, i16x8(8, 7, 6, 5, 4, 3, 2, 1)));
  const a = adler & 0xffff;
  const b = (adler >> 16) + a * <u32>len + sumLanes(weighted);
  return (b % MODULUS << 16) | ((a + sumLanes(total)) % MODULUS);
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): u32 {
  return (
    i32x4.extract_lane(v, 0) +
    i32x4.extract_lane(v, 1) +
    i32x4.extract_lane(v, 2) +
    i32x4.extract_lane(v, 3)
  );
}

/**
 * Rows of 8 bytes, the even and the odd columns in the four 16-bit lanes of a word each. Sixteen rows at a
 * time: the rows above then sum up to at most 510 × 120 a lane, which fits.
 */
function addRows(adler: u32, ptr: usize, len: usize): u32 {
  const LANES: u64 = 0x00ff00ff00ff00ff;
  let a: u32 = adler & 0xffff;
  let b: u32 = adler >> 16;
  for (const end = ptr + len; ptr < end; ) {
    let even: u64 = 0;
    let odd: u64 = 0;
    let above: u64 = 0;
    for (const last = ptr + 128; ptr < last; ptr += 8) {
      const row = load<u64>(ptr);
      above += even + odd;
      even += row & LANES;
      odd += (row >> 8) & LANES;
    }
    const both = even + odd;
    b += 128 * a + 8 * (lane(above, 0) + lane(above, 1) + lane(above, 2) + lane(above, 3));
    b += 8 * lane(both, 0) + 6 * lane(both, 1) + 4 * lane(both, 2) + 2 * lane(both, 3);
    b -= lane(odd, 0) + lane(odd, 1) + lane(odd, 2) + lane(odd, 3);
    a += lane(both, 0) + lane(both, 1) + lane(both, 2) + lane(both, 3);
  }
  return (b % MODULUS << 16) | (a % MODULUS);
}

// @ts-ignore: decorator
@inline
function lane(word: u64, index: u64): u32 {
  return <u32>(word >> (index << 4)) & 0xffff;
}

/**
 * Continues an Adler-32.
 * @param adler 1 at the start, or what the call for the bytes before returned
 * @param ptr where `len` more bytes are
 */
export function adler32(adler: u32, ptr: usize, len: usize): u32 {
  while (len >= WIDE) {
    const size = min(len, CHUNK) & ~(WIDE - 1);
    if (ASC_FEATURE_SIMD) adler = addRowsSimd(adler, ptr, size);
    else adler = addRows(adler, ptr, size);
    ptr += size;
    len -= size;
  }
  if (!len) return adler;
  let a = adler & 0xffff;
  let b = adler >> 16;
  for (const end = ptr + len; ptr < end; ptr++) {
    a += load<u8>(ptr);
    b += a;
  }
  return (b % MODULUS << 16) | (a % MODULUS);
}

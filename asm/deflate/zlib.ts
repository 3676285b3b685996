/**
 * zlib streams (RFC 1950) of content in memory. The same content gives the same bytes, on every machine and
 * in every build.
 */
import { adler32 } from "../checksum/adler32";
import { deflatePart, deflatePartBound, PartEnd } from "./part";

/** CMF and FLG: deflate with a window of 32 KiB, the slowest algorithm (RFC 1950, section 2.2). */
const HEADER: u16 = 0xda78;
const HEADER_LEN: u32 = 2;
const TRAILER_LEN: u32 = 4;

/** Bytes of the longest stream that `len` bytes make, which is one of stored blocks. */
export function deflateBound(len: u32): u32 {
  return HEADER_LEN + deflatePartBound(len) + TRAILER_LEN;
}

/**
 * Makes a zlib stream.
 * @param src where `srcLen` bytes are
 * @param dst where `dstCap` bytes may be written: `deflateBound(srcLen)` are enough
 * @returns the stream's length in bytes, or 0 where it does not fit, or there is no memory to work in
 */
export function zlibDeflate(src: usize, srcLen: u32, dst: usize, dstCap: u32): u32 {
  if (dstCap <= HEADER_LEN + TRAILER_LEN) return 0;
  const partCap = dstCap - (HEADER_LEN + TRAILER_LEN);
  const len = deflatePart(src, 0, srcLen, PartEnd.STREAM, dst + HEADER_LEN, partCap);
  if (!len) return 0;
  store<u16>(dst, HEADER);
  store<u32>(dst + HEADER_LEN + len, bswap(adler32(1, src, srcLen)));
  return HEADER_LEN + len + TRAILER_LEN;
}

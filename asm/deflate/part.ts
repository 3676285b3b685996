/**
 * Parts of one deflate stream (RFC 1951), each made on its own, by several workers at once: a part knows the window
 * before it, and ends at a byte's end, so that parts need only be put one after the other.
 */
import { dropStored } from "./block";
import { alignOutput, fits, out, putBits, setOutput, setPending } from "./bits";
import { beginStream, encodePiece, skipHistory } from "./encoder";
import { deflateBound, deflatePrepare } from "./zlib";

/** An empty stored block: its type and bits up to a byte's end, then LEN and NLEN (RFC 1951, section 3.2.4). */
const SYNC_BITS: u32 = 3 + 7 + 32;

/** Bytes of the longest part that `len` bytes make. */
export function deflatePartBound(len: u32): u32 {
  return deflateBound(len) + (len >> 10) + 64;
}

/**
 * Makes a part of a stream.
 * @param src where `srcLen` bytes are, and right before them `historyLen` bytes that precede them in the stream
 * @param isLast whether the stream ends with the part
 * @param dst where `dstCap` bytes may be written: `deflatePartBound(srcLen)` are enough
 * @param effort of `Effort`
 * @returns the part's length in bytes, or 0 where it does not fit, or there is no memory to work in
 */
export function deflatePart(
  src: usize,
  historyLen: u32,
  srcLen: u32,
  isLast: bool,
  dst: usize,
  dstCap: u32,
  effort: u32,
): u32 {
  if (!deflatePrepare()) return 0;
  setPending(0, 0);
  dropStored();
  setOutput(dst, dst + dstCap);
  beginStream(effort, <u64>historyLen + srcLen);
  skipHistory(src - historyLen, historyLen, historyLen + srcLen);
  if (!encodePiece(src, srcLen, isLast) || !fits(SYNC_BITS)) return 0;
  if (!isLast) putBits(0, 3);
  alignOutput();
  if (!isLast) putBits(0xffff0000, 32);
  return <u32>(out - dst);
}

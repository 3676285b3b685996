/**
 * Parts of one deflate stream (RFC 1951), each made on its own, by several workers at once: a part knows the
 * window before it, and ends at a byte's end, so that parts need only be put one after the other. What a part
 * is depends on its content, that window and whether it is the last, and on nothing else.
 */
import { alignOutput, bitCount, out, setOutput } from "./bits";
import { putStored, storedLen } from "./block";
import { encodeBlocks } from "./encoder";
import { prepareStatistics } from "./statistics";
import { prepareSymbols, WINDOW } from "./symbols";
import { prepareWorkspace } from "./workspace";

/**
 * Allocates what the encoder works in, unless that is done.
 * @returns whether there was memory for it: if so, only the room for its output can fail a call
 */
export function deflatePrepare(): bool {
  prepareSymbols();
  prepareStatistics();
  return prepareWorkspace();
}

/**
 * Bytes of the longest part that `len` bytes make: they, and a header of 5 for each stored block of up to
 * 65,535.
 *
 * To write each block in its shortest form does not keep to that. A block that is one bit shorter in codes
 * than stored along with the bytes before it makes those after it begin another stored block: 3 bits, up to 7
 * of padding and 32 of lengths, so that up to 41 bits are lost where noise and spots that are hardly
 * compressible take turns; and the marker at the end takes as many. So the blocks get no more room than
 * stored ones need, and where that is too little, those are written instead; they end at a byte's end without
 * a marker.
 */
export function deflatePartBound(len: u32): u32 {
  return storedLen(len);
}

/** The ends of parts. */
export namespace PartEnd {
  /** At a byte's end. */
  export const BYTE: u32 = 0;
  /** The stream ends with the part. */
  export const STREAM: u32 = 1;
  /** With an empty stored block, by which the place can be found. */
  export const FLUSH: u32 = 2;
}

/** Bytes of an empty stored block that begins at a byte's end. */
const FLUSH_LEN: u32 = 5;

/**
 * Makes a part of a stream. It is never longer than one of stored blocks.
 * @param src where `srcLen` bytes are, and right before them `historyLen` bytes that precede them in the
 *   stream: all that do, or the last 32 KiB; more are not looked at
 * @param end how the part ends
 * @param dst where `dstCap` bytes may be written: `deflatePartBound(srcLen)` are enough, and `FLUSH_LEN` more for a flush
 * @returns the part's length in bytes, or 0 where it does not fit, or there is no memory to work in
 */
export function deflatePart(
  src: usize,
  historyLen: u32,
  srcLen: u32,
  end: u32,
  dst: usize,
  dstCap: u32,
): u32 {
  if (!deflatePrepare()) return 0;
  const isLast = end == PartEnd.STREAM;
  const bound = deflatePartBound(srcLen) + (end == PartEnd.FLUSH ? FLUSH_LEN : 0);
  setOutput(dst, dst + min(dstCap, bound));
  if (!encodeBlocks(src, min(historyLen, WINDOW), srcLen, isLast) || !endPart(srcLen, end)) {
    setOutput(dst, dst + dstCap);
    if (!putStored(src, srcLen, isLast)) return 0;
    if (end == PartEnd.FLUSH && !putStored(0, 0, false)) return 0;
  }
  return <u32>(out - dst);
}

/**
 * Ends a part at a byte's end: the last with zeros, others by an empty stored block (RFC 1951, section
 * 3.2.4), unless they end there. An empty part is such a block, too, so that no part is of no bytes.
 * @returns whether there was room for it
 */
function endPart(srcLen: u32, end: u32): bool {
  if (end == PartEnd.FLUSH || (end == PartEnd.BYTE && (bitCount || !srcLen))) return putStored(0, 0, false);
  alignOutput();
  return true;
}

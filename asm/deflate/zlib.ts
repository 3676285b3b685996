/**
 * zlib streams (RFC 1950) from content in memory, or piece by piece. The same content in the same pieces
 * gives the same bytes, on every machine and in every build. There is one stream at a time.
 */
import { adler32 } from "../checksum/adler32";
import { heapAlloc, heapFree } from "../heap";
import { addStored, dropStored, flushStored, storedBits } from "./block";
import { alignOutput, bitBuffer, bitCount, fits, out, outEnd, putBits, setOutput, setPending } from "./bits";
import { beginStream, Effort, encodePiece } from "./encoder";
import { prepareStatistics } from "./statistics";
import { prepareSymbols, WINDOW } from "./symbols";
import { prepareWorkspace, releaseWorkspace } from "./workspace";

export { Effort };

/** Bytes of a piece of a stream, at most. */
export const PIECE_MAX: u32 = 1 << 20;

/** CMF: deflate, with a window of 32 KiB; and FLG by effort, its level and check bits (RFC 1950, 2.2). */
const CMF: u32 = 0x78;
const FLG_QUICK: u32 = 0x5e;
const FLG_THOROUGH: u32 = 0xda;
const HEADER_LEN: u32 = 2;
const TRAILER_LEN: u32 = 4;
const STORED_MAX: u32 = 65535;
const STORED_HEADER: u32 = 5;

let adler: u32 = 0;
/** What a stream of pieces is to begin with, if it has not yet. */
let header: u32 = 0;
let isOpen: bool = false;
/** The last `WINDOW` bytes of a stream, and its next piece after them; how many of them there are. */
let window: usize = 0;
let windowLen: u32 = 0;
let totalIn: u64 = 0;
let totalOut: u64 = 0;

/**
 * Allocates what the encoder works in, unless that is done.
 * @returns whether there was memory for it: if so, only the room for its output can fail a call
 */
export function deflatePrepare(): bool {
  prepareSymbols();
  prepareStatistics();
  return prepareWorkspace();
}

/** Gives all memory back to the heap, and ends the stream. */
export function deflateRelease(): void {
  releaseWorkspace();
  heapFree(window);
  window = 0;
  isOpen = false;
}

/** Bytes of output that are enough for `len` bytes of content, whole or as a piece of a stream. */
export function deflateBound(len: u32): u32 {
  return len + STORED_HEADER * (len / STORED_MAX + 1) + (HEADER_LEN + TRAILER_LEN + 1);
}

function begin(effort: u32, len: u64): void {
  beginStream(effort, len);
  setPending(0, 0);
  dropStored();
  adler = 1;
  header = CMF | ((effort == Effort.QUICK ? FLG_QUICK : FLG_THOROUGH) << 8);
}

/**
 * Encodes a piece, and stores it where that is shorter.
 * @returns whether there was room for it
 */
function encode(ptr: usize, len: u32, isLast: bool): bool {
  if (header) {
    if (!fits(HEADER_LEN << 3)) return false;
    putBits(header, HEADER_LEN << 3);
    header = 0;
  }
  const start = out;
  const buffer = bitBuffer;
  const count = bitCount;
  const stored = storedBits(len);
  const done = encodePiece(ptr, len, isLast);
  if (!done || ((<u64>(out - start)) << 3) + bitCount - count > stored) {
    dropStored();
    setOutput(start, outEnd);
    setPending(buffer, count);
    if (!len) return false;
    addStored(ptr, len);
    if (!flushStored(isLast)) {
      dropStored();
      return false;
    }
  }
  adler = adler32(adler, ptr, len);
  if (!isLast) return true;
  if (!fits(TRAILER_LEN << 3)) return false;
  alignOutput();
  putBits(bswap(adler), TRAILER_LEN << 3);
  return true;
}

/**
 * Makes a whole zlib stream. It is never longer than one of stored blocks.
 * @param src where `srcLen` bytes are
 * @param dst where `dstCap` bytes may be written
 * @param effort of `Effort`
 * @returns the stream's length in bytes, or 0 where it does not fit, or there is no memory to work in
 *   (`deflatePrepare` tells)
 */
export function zlibDeflate(src: usize, srcLen: u32, dst: usize, dstCap: u32, effort: u32): u32 {
  isOpen = false;
  if (!deflatePrepare()) return 0;
  begin(effort, srcLen);
  setOutput(dst, dst + dstCap);
  return encode(src, srcLen, true) ? <u32>(out - dst) : 0;
}

/**
 * Begins a stream of pieces.
 * @returns whether there was memory for it
 */
export function deflateBegin(effort: u32): bool {
  isOpen = false;
  if (!deflatePrepare()) return false;
  if (!window) window = heapAlloc(WINDOW + PIECE_MAX);
  if (!window) return false;
  begin(effort, u64.MAX_VALUE);
  windowLen = 0;
  totalIn = totalOut = 0;
  isOpen = true;
  return true;
}

/**
 * Continues the stream.
 * @param src where `srcLen` bytes are, up to `PIECE_MAX`
 * @param dst where `dstCap` bytes may be written: `deflateBound(srcLen)` are enough
 * @param isLast whether the stream ends with the piece, which may be empty
 * @returns bytes written; or -1, after which the stream cannot go on: there was too little room, the piece is
 *   too long, or there is no stream
 */
export function deflatePiece(src: usize, srcLen: u32, dst: usize, dstCap: u32, isLast: bool): i32 {
  if (!isOpen || srcLen > PIECE_MAX) {
    isOpen = false;
    return -1;
  }
  const kept = min(windowLen, WINDOW);
  memory.copy(window, window + (windowLen - kept), kept);
  memory.copy(window + kept, src, srcLen);
  windowLen = kept + srcLen;
  setOutput(dst, dst + dstCap);
  const done = encode(window + kept, srcLen, isLast);
  isOpen = done && !isLast;
  if (!done) return -1;
  totalIn += srcLen;
  totalOut += out - dst;
  return <i32>(out - dst);
}

/** Bytes that the stream has taken so far, and made. */
export function deflateTotalIn(): u64 {
  return totalIn;
}

export function deflateTotalOut(): u64 {
  return totalOut;
}

/** zlib streams (RFC 1950): two bytes of header, a deflate stream, and its Adler-32. */
import { adler32 } from "../checksum/adler32";
import { Status } from "../base/status";
import { NEED_INPUT, NEED_OUTPUT } from "./constants";
import { alignToByte, inflateInit, inflateResume, inflateUpTo, settle } from "./inflate";
import { fail, Inflate, INFLATE_KEPT, INFLATE_SIZE, Phase, refill } from "./state";

export { Inflate, INFLATE_KEPT, INFLATE_SIZE, NEED_INPUT, NEED_OUTPUT, inflateResume };

/** Output is checksummed in parts of this many bytes, while the processor's cache holds them. */
const PART: usize = 32768;

const DEFLATE: u32 = 8;
const PRESET_DICTIONARY: u32 = 0x20;

/**
 * Begins a stream. The caller then sets the windows and calls `zlibRun`.
 * @param s `INFLATE_SIZE` bytes at a multiple of 16
 * @param expectedSize bytes that the stream should inflate to, or 0 if unknown: a hint, not a limit
 * @param checkAdler whether the stream's Adler-32 is compared with that of the output
 */
export function zlibInit(s: Inflate, expectedSize: u64, checkAdler: bool): void {
  inflateInit(s, expectedSize);
  s.adler = 1;
  s.checkAdler = checkAdler ? 1 : 0;
  s.phase = Phase.ZLIB_HEADER;
}

/**
 * Goes to the middle of a stream that has just begun: a block's start, before which no match reaches.
 * @param taken bytes of the stream before it; `made` bytes of output, and `adler` their Adler-32
 */
export function zlibEnter(s: Inflate, taken: u64, made: u64, adler: u32): void {
  s.totalIn = taken;
  s.totalOut = made;
  s.adler = adler;
  s.phase = Phase.BLOCK_HEADER;
}

/** CMF and FLG: deflate with a window of at most 32 KiB, and no dictionary (RFC 1950, 2.2). */
function readHeader(s: Inflate): i32 {
  refill(s);
  if (s.bitCount < 16) return NEED_INPUT;
  const method = <u32>s.bits & 0xff;
  const flags = (<u32>s.bits >> 8) & 0xff;
  s.bits >>= 16;
  s.bitCount -= 16;
  if (
    ((method << 8) | flags) % 31 != 0 ||
    (method & 15) != DEFLATE ||
    method >> 4 > 7 ||
    flags & PRESET_DICTIONARY
  )
    return fail(s, Status.BAD_ZLIB_HEADER);
  s.phase = Phase.BLOCK_HEADER;
  return Status.OK;
}

/** Decodes the output window part by part, and checksums each. */
function runBlocks(s: Inflate): i32 {
  if (!s.checkAdler) return inflateUpTo(s, s.outputEnd);
  while (true) {
    const output = s.output;
    const left = s.outputEnd - output;
    const result = inflateUpTo(s, left > PART ? output + PART : s.outputEnd);
    s.adler = adler32(s.adler, output, s.output - output);
    if (result != NEED_OUTPUT || s.output == s.outputEnd) return result;
  }
}

/** The Adler-32 of the output, the high byte first, at the next byte. */
function readTrailer(s: Inflate): i32 {
  alignToByte(s);
  refill(s);
  if (s.bitCount < 32) return NEED_INPUT;
  const expected = bswap<u32>(<u32>s.bits);
  s.bits >>= 32;
  s.bitCount -= 32;
  if (s.checkAdler && expected != s.adler) return fail(s, Status.BAD_ADLER);
  s.phase = Phase.ZLIB_END;
  return Status.OK;
}

/**
 * Decodes as far as the windows go.
 * @returns
 *   - OK at the end of the stream: its trailer is taken, `input` is after its last byte, `totalIn` and
 *     `totalOut` are its sizes. Further calls answer OK and take nothing.
 *   - NEED_INPUT (-1): all of the input window is taken. Supply the next one.
 *   - NEED_OUTPUT (-2): the output window is full, and what follows is not the end of the stream. What is left
 *     of the input window has to be supplied again.
 *   - BAD_ZLIB_HEADER, BAD_BLOCK_TYPE, BAD_STORED_LENGTH, BAD_CODE_LENGTHS, BAD_SYMBOL, BAD_DISTANCE or
 *     BAD_ADLER. Further calls answer the same.
 */
export function zlibRun(s: Inflate): i32 {
  const input = s.input;
  const output = s.output;
  let result: i32 = Status.OK;
  if (s.phase == Phase.ZLIB_HEADER) result = readHeader(s);
  if (result == Status.OK && s.phase != Phase.ZLIB_END) {
    result = runBlocks(s);
    if (result == Status.OK) result = readTrailer(s);
  }
  settle(s, result, input, output);
  return result;
}

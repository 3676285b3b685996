/**
 * Deflate streams (RFC 1951). A stream is decoded window by window, however small the windows are; the caller
 * moves them on, see the fields of `Inflate`. What zlib accepts is accepted, and what it refuses is refused.
 */
import { FLUSHES } from "../base/features";
import { Status } from "../base/status";
import { NEED_INPUT, NEED_OUTPUT } from "./constants";
import { copyWithin, prepareCopies } from "./copy";
import { decodeCarefully, Decoded, decodeFast } from "./decode";
import { readCodeLengths, readCounts, readPrecode } from "./header";
import { prepareTables, rebuildTables, useFixed } from "./huffman";
import { fail, Inflate, Phase, refill } from "./state";

export { Inflate };

/** Begins a stream: all of the state but the windows. `expectedSize` is in bytes, 0 if unknown. */
export function inflateInit(s: Inflate, expectedSize: u64): void {
  prepareTables(s);
  prepareCopies();
  s.totalIn = 0;
  s.totalOut = 0;
  s.expectedSize = expectedSize;
  s.bits = 0;
  s.bitCount = 0;
  s.isFinalBlock = 0;
  if (FLUSHES) {
    s.flushIn = 0;
    s.isFlushNew = 0;
  }
  s.phase = Phase.BLOCK_HEADER;
}

/**
 * Goes on with a stream in another state. The caller has copied the first `INFLATE_KEPT` bytes of a state whose last
 * run answered NEED_OUTPUT, and sets the windows next; the last 32 KiB of output must precede the output window.
 */
export function inflateResume(s: Inflate): void {
  // A run ends so within a block. A stored one has no tables.
  if (s.phase != Phase.STORED) rebuildTables(s);
}

/** BFINAL and BTYPE (RFC 1951, 3.2.3). */
function readBlockHeader(s: Inflate): i32 {
  if (s.isFinalBlock) {
    s.phase = Phase.DEFLATE_END;
    return Status.OK;
  }
  refill(s);
  if (s.bitCount < 3) return NEED_INPUT;
  const header = <u32>s.bits;
  s.bits >>= 3;
  s.bitCount -= 3;
  s.isFinalBlock = header & 1;
  const kind = (header >> 1) & 3;
  if (kind == 3) return fail(s, Status.BAD_BLOCK_TYPE);
  if (kind == 1) useFixed(s);
  s.phase = kind == 0 ? Phase.STORED_HEADER : kind == 1 ? Phase.SYMBOLS : Phase.DYNAMIC_HEADER;
  return Status.OK;
}

/** Drops the bits up to the next byte of the stream. */
export function alignToByte(s: Inflate): void {
  s.bits >>= s.bitCount & 7;
  s.bitCount &= ~7;
}

/**
 * LEN and NLEN (RFC 1951, 3.2.4). Aligning again, when the rest of them comes in another window, drops
 * nothing.
 */
function readStoredHeader(s: Inflate): i32 {
  alignToByte(s);
  refill(s);
  if (s.bitCount < 32) return NEED_INPUT;
  const lengths = <u32>s.bits;
  s.bits >>= 32;
  s.bitCount -= 32;
  if (((lengths ^ (lengths >> 16)) & 0xffff) != 0xffff) return fail(s, Status.BAD_STORED_LENGTH);
  s.pending = lengths & 0xffff;
  if (FLUSHES && !s.pending) {
    s.flushIn = s.input - (s.bitCount >> 3);
    s.flushOut = s.output;
    s.isFlushNew = 1;
  }
  s.phase = Phase.STORED;
  return Status.OK;
}

/** The bytes of a stored block: first what the bit buffer holds of them, then the input's. */
function copyStored(s: Inflate): i32 {
  while (s.pending && s.bitCount && s.output < s.limit) {
    store<u8>(s.output++, <u8>s.bits);
    s.bits >>= 8;
    s.bitCount -= 8;
    s.pending--;
  }
  const size = min<usize>(min<usize>(s.pending, s.limit - s.output), s.inputEnd - s.input);
  if (!s.bitCount) {
    memory.copy(s.output, s.input, size);
    s.output += size;
    s.input += size;
    s.pending -= <u32>size;
  }
  if (s.pending) return s.output == s.limit ? NEED_OUTPUT : NEED_INPUT;
  s.phase = Phase.BLOCK_HEADER;
  return Status.OK;
}

function copyPending(s: Inflate): i32 {
  const size = min<u32>(s.pending, <u32>(s.limit - s.output));
  copyWithin(s.output, size, s.distance, s.scribbleEnd);
  s.output += size;
  s.pending -= size;
  if (s.pending) return NEED_OUTPUT;
  s.phase = Phase.SYMBOLS;
  return Status.OK;
}

function decode(s: Inflate): i32 {
  let result = decodeFast(s);
  if (result == Decoded.MARGIN) result = decodeCarefully(s);
  if (result == Decoded.BLOCK) {
    s.phase = Phase.BLOCK_HEADER;
    return Status.OK;
  }
  if (result == Decoded.MATCH) {
    s.phase = Phase.MATCH;
    return Status.OK;
  }
  return result > 0 ? fail(s, result) : result;
}

/**
 * Decodes up to `limit`, an address in the output window, and keeps no count of what it took and made.
 * @returns OK at the end of the last block, NEED_INPUT, NEED_OUTPUT (for `limit` too), or what is wrong
 */
export function inflateUpTo(s: Inflate, limit: usize): i32 {
  s.limit = limit;
  s.scribbleEnd = s.outputEnd + s.outputSlack;
  let result: i32 = Status.OK;
  while (result == Status.OK) {
    switch (s.phase) {
      case Phase.BLOCK_HEADER:
        result = readBlockHeader(s);
        break;
      case Phase.STORED_HEADER:
        result = readStoredHeader(s);
        break;
      case Phase.STORED:
        result = copyStored(s);
        break;
      case Phase.DYNAMIC_HEADER:
        result = readCounts(s);
        break;
      case Phase.PRECODE_LENGTHS:
        result = readPrecode(s);
        break;
      case Phase.CODE_LENGTHS:
        result = readCodeLengths(s);
        break;
      case Phase.SYMBOLS:
        result = decode(s);
        break;
      case Phase.MATCH:
        result = copyPending(s);
        break;
      case Phase.BAD:
        return s.status;
      default:
        return Status.OK;
    }
  }
  return result;
}

/**
 * Ends a call that began at `input` and `output`. Whole bytes that were taken and not decoded go back, unless
 * they are the beginning of what the next window completes. Bytes of earlier windows never go back: they were
 * kept because what they began was not complete.
 */
export function settle(s: Inflate, result: i32, input: usize, output: usize): void {
  if (result != NEED_INPUT) {
    const back = min<usize>(s.bitCount >> 3, s.input - input);
    s.input -= back;
    s.bitCount -= <u32>(back << 3);
    s.bits &= ((<u64>1) << s.bitCount) - 1;
  }
  if (FLUSHES && s.isFlushNew) {
    s.flushIn += s.totalIn - input;
    s.flushOut += s.totalOut - output;
    s.isFlushNew = 0;
  }
  s.totalIn += s.input - input;
  s.totalOut += s.output - output;
}

/**
 * Decodes as far as the windows go.
 * @returns OK at the end of the last block: `input` is then after its last byte, `totalIn` the stream's
 *   length; NEED_INPUT; NEED_OUTPUT; or, for good, BAD_BLOCK_TYPE, BAD_STORED_LENGTH, BAD_CODE_LENGTHS,
 *   BAD_SYMBOL, BAD_DISTANCE
 */
export function inflateRun(s: Inflate): i32 {
  const input = s.input;
  const output = s.output;
  const result = inflateUpTo(s, s.outputEnd);
  settle(s, result, input, output);
  return result;
}

/** The state of one stream, in memory that the caller supplies. */
import { CODE_BITS, DISTANCE_ENTRIES, LITERAL_ENTRIES, PRECODE_BITS, PRECODE_SYMBOLS } from "./constants";

/** The part of the stream that comes next. */
export namespace Phase {
  export const ZLIB_HEADER: u32 = 0;
  export const BLOCK_HEADER: u32 = 1;
  export const STORED_HEADER: u32 = 2;
  export const STORED: u32 = 3;
  export const DYNAMIC_HEADER: u32 = 4;
  export const PRECODE_LENGTHS: u32 = 5;
  export const CODE_LENGTHS: u32 = 6;
  export const SYMBOLS: u32 = 7;
  export const MATCH: u32 = 8;
  export const DEFLATE_END: u32 = 9;
  export const ZLIB_END: u32 = 10;
  export const BAD: u32 = 11;
}

/**
 * The fields in front, to `expectedSize`, are the caller's; the rest is the decoder's.
 *
 *     history            output            outputEnd      + outputSlack
 *        │ decoded already  │ to be written     │ may be scribbled │
 *        └──────────────────┴───────────────────┴──────────────────┘
 *        matches reach back to here; 32 KiB are always enough
 *
 * Bits of the stream that were taken from the input and are not decoded yet lie in `bits`, the first of them
 * lowest, `bitCount` of them, at most 63; the bits above are zero whenever a function of this folder returns.
 */
@unmanaged
export class Inflate {
  /**
   * The input window, moved on by the decoder. Up to 8 bytes past `inputEnd` may be read; they have no
   * effect.
   */
  input: usize;
  inputEnd: usize;
  /** The output window, moved on by the decoder. */
  output: usize;
  outputEnd: usize;
  /** The lowest address that a match may reach: [history, output) is output of this stream. */
  history: usize;
  /** Bytes after `outputEnd` that may be overwritten with anything; 32 are all that the decoder can use. */
  outputSlack: usize;
  /**
   * Bytes taken and produced by all calls since the start. At the end of the stream `totalIn` is its exact
   * length.
   */
  totalIn: u64;
  totalOut: u64;
  /** Bytes that the stream is expected to inflate to, for the choice of table widths, or 0 if unknown. */
  expectedSize: u64;

  bits: u64;
  bitCount: u32;
  phase: u32;
  /** The answer of every further call, in `Phase.BAD`. */
  status: i32;
  isFinalBlock: u32;
  /** The end of the room for this call's output, at most `outputEnd`; and of the bytes that it may scribble over. */
  limit: usize;
  scribbleEnd: usize;
  /** The tables of the block, and the width in bits of the first level of each. */
  literalTable: usize;
  distanceTable: usize;
  literalBits: u32;
  distanceBits: u32;
  /** Bytes to be copied of a stored block, or of a match; and that match's distance. */
  pending: u32;
  distance: u32;
  /** A dynamic block's header: the sizes of its alphabets, and how far it is read. */
  literalCount: u32;
  distanceCount: u32;
  precodeCount: u32;
  index: u32;
  previous: u32;
  hasEndOfBlock: u32;
  /**
   * The last empty stored block that has been read (`FLUSHES`): the place in the stream behind it, and that in the
   * output. While a call is under way they are addresses, and `isFlushNew` is set.
   */
  flushIn: u64;
  flushOut: u64;
  isFlushNew: u32;
  /** The zlib wrapper. */
  adler: u32;
  checkAdler: u32;
}

/** Two alphabets are sorted at a time: slots 0 to 15 are the code lengths of one, 16 to 31 of the other. */
export const SLOTS: u32 = 2 * (CODE_BITS + 1);
/** Symbols of both alphabets, and the 288 + 32 of the fixed code. */
export const CHAIN_SYMBOLS: u32 = 288 + 32;
/** Bytes for the precode's code lengths, written eight at a time. */
const LENGTHS_SIZE: usize = 24;
if (CHAIN_SYMBOLS + SLOTS > 0x10000) ERROR("a link takes more than 16 bits");
if (PRECODE_SYMBOLS > <u32>LENGTHS_SIZE) ERROR("the precode has more lengths than there is room for");
if (<u32>1 << PRECODE_BITS > LITERAL_ENTRIES) ERROR("the precode's table does not fit in the literals' place");

/*
 * After the fields, by offset from the state:
 *
 *     NEXT     u16 × (320 + 32)  the symbols of each code length, chained in order, from 320 + slot on
 *     TAILS    u16 × 32          the last link of each chain
 *     COUNTS   u16 × 32          symbols in each chain
 *     LENGTHS  u8 × 24           the precode's code lengths, 19 of them
 *     LITERALS u32 × 2340        the literal/length table, and before that the precode's
 *     DISTANCES u32 × 400        the distance table
 */
export const NEXT: usize = (offsetof<Inflate>() + 15) & ~15;
export const TAILS: usize = NEXT + 2 * (CHAIN_SYMBOLS + SLOTS);
export const COUNTS: usize = TAILS + 2 * SLOTS;
export const LENGTHS: usize = COUNTS + 2 * SLOTS;
export const LITERALS: usize = (LENGTHS + LENGTHS_SIZE + 15) & ~15;
export const DISTANCES: usize = LITERALS + 4 * LITERAL_ENTRIES;

/** Bytes at a state's front that hold all of it but the tables, from which `inflateResume` makes these. */
export const INFLATE_KEPT: usize = LITERALS;
/** Bytes that a state takes. Align it to 16. */
export const INFLATE_SIZE: usize = (DISTANCES + 4 * DISTANCE_ENTRIES + 15) & ~15;

/**
 * The first `have` bytes at `input`, as the low bits of a word. `have` is at most 7. Callers refill with it:
 * `have = room(count, input, inputEnd)`, then `bits |= bytesAt(input, have) << count`.
 */
// @ts-ignore: decorator
@inline
export function bytesAt(input: usize, have: usize): u64 {
  return load<u64>(input) & (((<u64>1) << (<u64>have << 3)) - 1);
}

/** How many whole bytes both fit above `count` bits and are there. */
// @ts-ignore: decorator
@inline
export function room(count: u32, input: usize, inputEnd: usize): usize {
  return min<usize>((63 - count) >> 3, inputEnd - input);
}

/** Takes as many bytes into the bit buffer as it holds. */
export function refill(s: Inflate): void {
  const have = room(s.bitCount, s.input, s.inputEnd);
  s.bits |= bytesAt(s.input, have) << s.bitCount;
  s.input += have;
  s.bitCount += <u32>(have << 3);
}

/** Ends the stream: this status is the answer from now on. */
export function fail(s: Inflate, status: i32): i32 {
  s.phase = Phase.BAD;
  s.status = status;
  return status;
}

/**
 * The symbols of a block (RFC 1951, 3.2.3): a fast loop that runs inside proven margins, a careful one for
 * the ends.
 */
import { Status } from "../base/status";
import {
  BLOCK_END,
  CODE_BITS,
  DISTANCE_EXTRA,
  LENGTH_EXTRA,
  LITERAL,
  LITERAL_TABLE_BITS,
  NEED_INPUT,
  NEED_OUTPUT,
  REFILLED,
  SPECIAL,
  SUBTABLE,
} from "./constants";
import { COPY_OVERRUN, copyMatch, copyWithin } from "./copy";
import { bytesAt, Inflate, room } from "./state";

/** Reasons for the end of a loop, besides an error, `NEED_INPUT` and `NEED_OUTPUT`. */
export namespace Decoded {
  /** The end of the block. */
  export const BLOCK: i32 = 0;
  /** A match which the output window may not hold; in the state's `pending` and `distance`. */
  export const MATCH: i32 = -3;
  /** Too little input or room for the fast loop. */
  export const MARGIN: i32 = -4;
}

/** A refill of the fast loop moves on by up to 7 bytes, and loads 8. */
const REFILL_MOVE: usize = 7;
const REFILL_LOAD: usize = 8;
/** Bytes of input that the two refills of an iteration read. */
const INPUT_MARGIN: usize = REFILL_MOVE + REFILL_LOAD;
/** Literals of an iteration, at the most. */
const LITERALS: usize = 3;
/** The most bits of a length and of a distance, with their extra bits. */
const LENGTH_BITS: u32 = CODE_BITS + LENGTH_EXTRA;
const DISTANCE_BITS: u32 = CODE_BITS + DISTANCE_EXTRA;

if (REFILL_MOVE * 8 != REFILLED) ERROR("a refill moves on by other bytes than it counts");
if (<u32>LITERALS * LITERAL_TABLE_BITS > REFILLED) ERROR("literals of an iteration take more bits than there are");
if ((<u32>LITERALS - 1) * LITERAL_TABLE_BITS + LENGTH_BITS > REFILLED)
  ERROR("literals and a length take more bits than there are");
if (DISTANCE_BITS > REFILLED) ERROR("a distance takes more bits than there are");
if (LENGTH_BITS + DISTANCE_BITS > REFILLED) ERROR("the careful loop would wait for a match for ever");

/** The value of the extra bits that follow the code in `bits`. */
// @ts-ignore: decorator
@inline
function extraBits(bits: u64, entry: u32): u32 {
  return (<u32>bits & ((1 << entry) - 1)) >> (entry >> 8);
}

/** The entry that a pointer to a subtable and the bits after its prefix lead to. */
// @ts-ignore: decorator
@inline
function subEntry(table: usize, pointer: u32, bits: u64): u32 {
  const index = (pointer >> 16) + (<u32>bits & ((1 << (pointer >> 8)) - 1));
  return load<u32>(table + (index << 2));
}

/**
 * Decodes while both windows have room for whatever an iteration can take.
 *
 * In the loop only the low six bits of `count` mean anything, as entries are subtracted whole, and `bits` may
 * hold bits above `count`: those of bytes at `input`, which the next refill merges with themselves. A refill
 * leaves at least `REFILLED` bits: enough for three literals from the first-level table, or two of them and a
 * literal or length from a subtable.
 */
export function decodeFast(s: Inflate): i32 {
  const inputEnd = s.inputEnd;
  const scribbleEnd = s.scribbleEnd;
  let input = s.input;
  let out = s.output;
  if (inputEnd - input < INPUT_MARGIN + REFILL_LOAD) return Decoded.MARGIN;
  if (scribbleEnd - out < COPY_OVERRUN + LITERALS) return Decoded.MARGIN;
  const matchLimit = min(s.limit, scribbleEnd - COPY_OVERRUN);
  if (matchLimit < out + LITERALS) return Decoded.MARGIN;
  const outLimit = matchLimit - LITERALS;
  const inputLimit = inputEnd - INPUT_MARGIN;
  const history = s.history;
  const literalTable = s.literalTable;
  const distanceTable = s.distanceTable;
  const literalMask: u32 = (1 << s.literalBits) - 1;
  const distanceMask: u32 = (1 << s.distanceBits) - 1;
  let bits = s.bits;
  let count = s.bitCount;
  let result = Decoded.MARGIN;

  bits |= load<u64>(input) << count;
  input += 7 - ((count >> 3) & 7);
  count |= 56;
  let entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));

  while (input <= inputLimit && out <= outLimit) {
    let saved = bits;
    bits >>= entry;
    count -= entry;
    if (entry & LITERAL) {
      store<u8>(out++, entry >> 16);
      entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
      saved = bits;
      bits >>= entry;
      count -= entry;
      if (entry & LITERAL) {
        store<u8>(out++, entry >> 16);
        entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
        saved = bits;
        bits >>= entry;
        count -= entry;
        if (entry & LITERAL) {
          store<u8>(out++, entry >> 16);
          bits |= load<u64>(input) << count;
          input += 7 - ((count >> 3) & 7);
          count |= 56;
          entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
          continue;
        }
      }
    }
    if (entry & SPECIAL) {
      if (entry & SUBTABLE) {
        entry = subEntry(literalTable, entry, bits);
        saved = bits;
        bits >>= entry;
        count -= entry;
      }
      if (entry & LITERAL) {
        store<u8>(out++, entry >> 16);
        bits |= load<u64>(input) << count;
        input += 7 - ((count >> 3) & 7);
        count |= 56;
        entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
        continue;
      }
      if (entry & SPECIAL) {
        result = entry & BLOCK_END ? Decoded.BLOCK : Status.BAD_SYMBOL;
        break;
      }
    }
    const length = (entry >> 16) + extraBits(saved, entry);

    if ((count & 63) < DISTANCE_BITS) {
      bits |= load<u64>(input) << count;
      input += 7 - ((count >> 3) & 7);
      count |= 56;
    }
    entry = load<u32>(distanceTable + ((<u32>bits & distanceMask) << 2));
    if (entry & SPECIAL) {
      bits >>= entry;
      count -= entry;
      if (entry & SUBTABLE) entry = subEntry(distanceTable, entry, bits);
      if (entry & SPECIAL) {
        result = Status.BAD_SYMBOL;
        break;
      }
    }
    const distance = (entry >> 16) + extraBits(bits, entry);
    bits >>= entry;
    count -= entry;
    if (distance > out - history) {
      result = Status.BAD_DISTANCE;
      break;
    }
    const end = out + length;
    if (end > matchLimit) {
      s.pending = length;
      s.distance = distance;
      result = Decoded.MATCH;
      break;
    }
    // The next entry is on its way while the match is copied.
    bits |= load<u64>(input) << count;
    input += 7 - ((count >> 3) & 7);
    count |= 56;
    entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
    copyMatch(out, end, distance);
    out = end;
  }

  count &= 63;
  s.input = input;
  s.output = out;
  s.bits = bits & (((<u64>1) << count) - 1);
  s.bitCount = count;
  return result;
}

/** Decodes symbol by symbol, and takes none that is not wholly there or has no room. */
export function decodeCarefully(s: Inflate): i32 {
  const inputEnd = s.inputEnd;
  const limit = s.limit;
  const literalTable = s.literalTable;
  const literalBits = s.literalBits;
  const literalMask: u32 = (1 << literalBits) - 1;
  let input = s.input;
  let out = s.output;
  let bits = s.bits;
  let count = s.bitCount;
  let result: i32;

  while (true) {
    const have = room(count, input, inputEnd);
    bits |= bytesAt(input, have) << count;
    input += have;
    count += <u32>(have << 3);

    // A code that is not wholly there leads to an entry that needs more bits than there are.
    let rest = bits;
    let used: u32 = 0;
    let entry = load<u32>(literalTable + ((<u32>bits & literalMask) << 2));
    if (entry & SUBTABLE) {
      used = literalBits;
      rest >>= used;
      entry = subEntry(literalTable, entry, rest);
    }
    used += entry & 63;
    if (used > count) {
      result = NEED_INPUT;
      break;
    }
    if (entry & LITERAL) {
      if (out == limit) {
        result = NEED_OUTPUT;
        break;
      }
      store<u8>(out++, entry >> 16);
      bits >>= used;
      count -= used;
      continue;
    }
    if (entry & SPECIAL) {
      result = Status.BAD_SYMBOL;
      if (entry & BLOCK_END) {
        bits >>= used;
        count -= used;
        result = Decoded.BLOCK;
      }
      break;
    }
    const length = (entry >> 16) + extraBits(rest, entry);
    rest = bits >> used;
    entry = load<u32>(s.distanceTable + ((<u32>rest & ((1 << s.distanceBits) - 1)) << 2));
    if (entry & SUBTABLE) {
      used += s.distanceBits;
      rest >>= s.distanceBits;
      entry = subEntry(s.distanceTable, entry, rest);
    }
    used += entry & 63;
    if (used > count) {
      result = NEED_INPUT;
      break;
    }
    const distance = (entry >> 16) + extraBits(rest, entry);
    result = entry & SPECIAL ? Status.BAD_SYMBOL : Status.BAD_DISTANCE;
    if (entry & SPECIAL || distance > out - s.history) break;
    bits >>= used;
    count -= used;
    if (length > limit - out) {
      s.pending = length;
      s.distance = distance;
      result = Decoded.MATCH;
      break;
    }
    copyWithin(out, length, distance, s.scribbleEnd);
    out += length;
  }

  s.input = input;
  s.output = out;
  s.bits = bits;
  s.bitCount = count;
  return result;
}

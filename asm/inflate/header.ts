/** The header of a dynamic block (RFC 1951, 3.2.7), read as far as the input goes. */
import { Status } from "../base/status";
import {
  BLOCK_END,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LITERAL_SYMBOLS,
  NEED_INPUT,
  PRECODE_BITS,
  PRECODE_EXTRA,
  PRECODE_ORDER,
  SPECIAL,
} from "./constants";
import { buildDynamic, buildPrecode, chain, resetChains } from "./huffman";
import { bytesAt, fail, Inflate, LENGTHS, LITERALS, Phase, refill, room, SLOTS } from "./state";

/** HLIT, HDIST and HCLEN. */
export function readCounts(s: Inflate): i32 {
  refill(s);
  if (s.bitCount < 14) return NEED_INPUT;
  const bits = <u32>s.bits;
  s.literalCount = (bits & 31) + 257;
  s.distanceCount = ((bits >> 5) & 31) + 1;
  s.precodeCount = ((bits >> 10) & 15) + 4;
  s.bits >>= 14;
  s.bitCount -= 14;
  if (s.literalCount > LITERAL_SYMBOLS || s.distanceCount > DISTANCE_SYMBOLS)
    return fail(s, Status.BAD_CODE_LENGTHS);
  const lengths = changetype<usize>(s) + LENGTHS;
  store<u64>(lengths, 0);
  store<u64>(lengths, 0, 8);
  store<u64>(lengths, 0, 16);
  s.index = 0;
  s.phase = Phase.PRECODE_LENGTHS;
  return Status.OK;
}

/** The code lengths of the precode, three bits each. */
export function readPrecode(s: Inflate): i32 {
  const base = changetype<usize>(s);
  while (s.index < s.precodeCount) {
    if (s.bitCount < 3) {
      refill(s);
      if (s.bitCount < 3) return NEED_INPUT;
    }
    store<u8>(base + load<u8>(PRECODE_ORDER + s.index), <u8>s.bits & 7, LENGTHS);
    s.bits >>= 3;
    s.bitCount -= 3;
    s.index++;
  }
  if (!buildPrecode(s)) return fail(s, Status.BAD_CODE_LENGTHS);
  resetChains(s);
  s.index = 0;
  s.hasEndOfBlock = 0;
  s.phase = Phase.CODE_LENGTHS;
  return Status.OK;
}

/**
 * The slot that the length at `index` goes to: those of the distances follow those of the literals and
 * lengths.
 */
// @ts-ignore: decorator
@inline
function slotOf(index: u32, length: u32, literalCount: u32): u32 {
  return length + (index >= literalCount ? SLOTS >> 1 : 0);
}

/**
 * The code lengths of both alphabets, one sequence, in which a repeat may cross from the one to the other.
 */
export function readCodeLengths(s: Inflate): i32 {
  const base = changetype<usize>(s);
  const inputEnd = s.inputEnd;
  const literalCount = s.literalCount;
  const total = literalCount + s.distanceCount;
  const mask: u32 = (1 << s.literalBits) - 1;
  let input = s.input;
  let bits = s.bits;
  let count = s.bitCount;
  let index = s.index;
  let previous = s.previous;
  let result: i32 = Status.OK;

  while (index < total) {
    if (count < PRECODE_BITS + PRECODE_EXTRA) {
      const have = room(count, input, inputEnd);
      bits |= bytesAt(input, have) << count;
      input += have;
      count += <u32>(have << 3);
    }
    const entry = load<u32>(base + ((<u32>bits & mask) << 2), LITERALS);
    if ((entry & 63) > count) {
      result = NEED_INPUT;
      break;
    }
    let length = entry >> 16;
    if (!(entry & SPECIAL)) {
      previous = length;
      // A symbol without a code is chained too, to no use: cheaper than a branch that cannot be predicted.
      chain(base, index, slotOf(index, length, literalCount));
      if (index == END_OF_BLOCK) s.hasEndOfBlock = length;
      index++;
    } else {
      let repeat = length + ((<u32>bits & ((1 << entry) - 1)) >> (entry >> 8));
      length = 0;
      if (entry & BLOCK_END) length = previous;
      if (index + repeat > total || (entry & BLOCK_END && !index)) {
        result = Status.BAD_CODE_LENGTHS;
        break;
      }
      previous = length;
      if (length) {
        if (index <= END_OF_BLOCK && index + repeat > END_OF_BLOCK) s.hasEndOfBlock = length;
        for (; repeat; repeat--, index++) chain(base, index, slotOf(index, length, literalCount));
      }
      index += repeat;
    }
    bits >>= entry;
    count -= entry & 63;
  }

  s.input = input;
  s.bits = bits;
  s.bitCount = count;
  s.index = index;
  s.previous = previous;
  if (result == NEED_INPUT) return result;
  if (result != Status.OK || !s.hasEndOfBlock || !buildDynamic(s)) return fail(s, Status.BAD_CODE_LENGTHS);
  s.phase = Phase.SYMBOLS;
  return Status.OK;
}

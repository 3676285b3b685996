/** Blocks (RFC 1951, 3.2.3): what one takes in each of its three forms, and writing it in the smallest. */
import { alignOutput, bitBuffer, bitCount, fits, out, outEnd, putBits, putBytes, resumeAt } from "./bits";
import { planHeader, putHeader } from "./header";
import { buildCodes, buildLengths } from "./huffman";
import { DISTANCES_AT } from "./statistics";
import {
  CODE_BITS,
  DISTANCE_SYMBOLS,
  distanceExtra,
  END_OF_BLOCK,
  fixedLength,
  LENGTH_MASK,
  LITERAL_SYMBOLS,
  lengthBase,
  lengthExtra,
  lengthSlots,
  MATCH_MAX,
  MATCH_MIN,
  SLOT_SHIFT,
  VALUE_MASK,
  VALUE_SHIFT,
} from "./symbols";

/** BTYPE. */
const STORED: u32 = 0;
const FIXED: u32 = 1;
const DYNAMIC: u32 = 2;
/** BFINAL and BTYPE. */
const TYPE_BITS: u32 = 3;
const STORED_MAX: u32 = 65535;
/** Bytes of its header: BFINAL and BTYPE with the padding after them, LEN and NLEN. */
const STORED_HEADER: u32 = 5;

/** The fixed code gives lengths to two literal symbols and two distance symbols that stand for nothing. */
const FIXED_LITERALS: u32 = 288;
const FIXED_DISTANCES: u32 = 32;

const literalLengths: usize = memory.data(288);
const distanceLengths: usize = memory.data(32);
const literalCodes: usize = memory.data(4 * 288, 4);
const distanceCodes: usize = memory.data(4 * 32, 4);
/** For each match length its code with the extra bits: bits << 24 | code. */
const lengthCodes: usize = memory.data(4 * 259, 4);

/** The bytes that are yet to be stored, so that neighbours make one block. */
let heldPtr: usize = 0;
let heldLen: u32 = 0;

/** The bits of a block's symbols in the codes of the given lengths. */
function symbolBits(frequencies: usize, symbols: u32, lengths: usize): u32 {
  let bits: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++)
    bits += load<u32>(frequencies + (symbol << 2)) * load<u8>(lengths + symbol);
  return bits;
}

/** The extra bits of a block's matches. */
function extraBits(statistics: usize): u32 {
  let bits: u32 = 0;
  for (let symbol: u32 = END_OF_BLOCK + 1; symbol < LITERAL_SYMBOLS; symbol++)
    bits += load<u32>(statistics + (symbol << 2)) * lengthExtra(symbol - END_OF_BLOCK - 1);
  for (let symbol: u32 = 0; symbol < DISTANCE_SYMBOLS; symbol++)
    bits += load<u32>(statistics + (symbol << 2), DISTANCES_AT) * distanceExtra(symbol);
  return bits;
}

/** Bits of a block of these symbols in the fixed code. */
export function fixedBits(statistics: usize): u32 {
  let bits: u32 = TYPE_BITS + extraBits(statistics);
  for (let symbol: u32 = 0; symbol < LITERAL_SYMBOLS; symbol++)
    bits += load<u32>(statistics + (symbol << 2)) * fixedLength(symbol);
  for (let symbol: u32 = 0; symbol < DISTANCE_SYMBOLS; symbol++)
    bits += load<u32>(statistics + (symbol << 2), DISTANCES_AT) * 5;
  return bits;
}

/**
 * Makes the best codes for these symbols, and plans their header.
 * @param isQuick whether the header may be a little longer than need be
 * @returns the block's bits
 */
export function planDynamic(statistics: usize, isQuick: bool): u32 {
  const distances = statistics + DISTANCES_AT;
  buildLengths(statistics, LITERAL_SYMBOLS, CODE_BITS, literalLengths);
  buildLengths(distances, DISTANCE_SYMBOLS, CODE_BITS, distanceLengths);
  return (
    TYPE_BITS +
    planHeader(literalLengths, distanceLengths, isQuick) +
    extraBits(statistics) +
    symbolBits(statistics, LITERAL_SYMBOLS, literalLengths) +
    symbolBits(distances, DISTANCE_SYMBOLS, distanceLengths)
  );
}

/** Bytes of stored blocks of `len` bytes, where the output is aligned. */
export function storedLen(len: u32): u32 {
  return len + STORED_HEADER * max<u32>(1, (len + (STORED_MAX - 1)) / STORED_MAX);
}

/** Bits of stored blocks of `len` bytes from here: the first one's type is padded to a byte's end. */
function storedBitsFrom(len: u32): u64 {
  const typeEnd = (bitCount + TYPE_BITS + 7) & ~7;
  return ((<u64>storedLen(len) - 1) << 3) + typeEnd - bitCount;
}

/** Bits that it takes to store so many more bytes, after those that are held already. */
export function storedBits(len: u32): u64 {
  return heldLen ? (<u64>(storedLen(heldLen + len) - storedLen(heldLen))) << 3 : storedBitsFrom(len);
}

/** Writes stored blocks (RFC 1951, 3.2.4), at least one. @returns whether there was room for them */
export function putStored(ptr: usize, len: u32, isFinal: bool): bool {
  if (!fits(storedBitsFrom(len))) return false;
  do {
    const blockLen = min(len, STORED_MAX);
    len -= blockLen;
    putBits((isFinal && !len ? 1 : 0) | (STORED << 1), TYPE_BITS);
    alignOutput();
    putBits(blockLen | (~blockLen << 16), 32);
    putBytes(ptr, blockLen);
    ptr += blockLen;
  } while (len);
  return true;
}

/** Empties it. */
export function dropStored(): void {
  heldLen = 0;
}

/** Holds bytes to be stored: after others that they follow on, they make one block with them. */
export function holdStored(ptr: usize, len: u32): void {
  if (!heldLen) heldPtr = ptr;
  heldLen += len;
}

/** Writes what is held. @returns whether there was room for it */
export function flushStored(isFinal: bool): bool {
  if (!heldLen) return true;
  const len = heldLen;
  heldLen = 0;
  return putStored(heldPtr, len, isFinal);
}

/** Turns the match lengths' codes into those with their extra bits. */
function prepareLengthCodes(): void {
  for (let length = MATCH_MIN; length <= MATCH_MAX; length++) {
    const slot: u32 = load<u8>(lengthSlots + length);
    const code = load<u32>(literalCodes + ((END_OF_BLOCK + 1 + slot) << 2));
    const bits = code >> 16;
    const whole = (code & 0xffff) | ((length - lengthBase(slot)) << bits);
    store<u32>(lengthCodes + (length << 2), ((bits + lengthExtra(slot)) << 24) | whole);
  }
}

/** Writes the items of a parse from one index up to another, and the end of the block. */
function putItems(items: usize, from: u32, to: u32): void {
  let ptr = out;
  let buffer = bitBuffer;
  let count: u64 = bitCount;
  const wordEnd = outEnd - 8;
  for (let index = from; index < to; ) {
    const item = load<u32>(items + (index << 2));
    const length = item & LENGTH_MASK;
    const value = (item >> VALUE_SHIFT) & VALUE_MASK;
    if (length == 1) {
      const code = load<u32>(literalCodes + (value << 2));
      buffer |= (<u64>(code & 0xffff)) << count;
      count += code >> 16;
    } else {
      const code = load<u32>(lengthCodes + (length << 2));
      buffer |= (<u64>(code & 0xffffff)) << count;
      count += code >> 24;
      const slot = item >> SLOT_SHIFT;
      const distance = load<u32>(distanceCodes + (slot << 2));
      buffer |= (<u64>(distance & 0xffff)) << count;
      count += distance >> 16;
      const extra = distanceExtra(slot);
      buffer |= (<u64>(value & ((1 << extra) - 1))) << count;
      count += extra;
    }
    index += length;
    // A match takes at most 48 bits, and up to 7 are there.
    if (ptr <= wordEnd) {
      store<u64>(ptr, buffer);
      ptr += <usize>(count >> 3);
      buffer >>= count & 56;
      count &= 7;
    } else {
      for (; count >= 8; count -= 8) {
        store<u8>(ptr++, <u8>buffer);
        buffer >>= 8;
      }
    }
  }
  resumeAt(ptr, buffer, <u32>count);
  const code = load<u32>(literalCodes + 4 * END_OF_BLOCK);
  putBits(code & 0xffff, code >> 16);
}

/** Writes a block in the codes that were planned last. @returns whether there was room for its `bits` */
export function putDynamic(items: usize, from: u32, to: u32, bits: u32, isFinal: bool): bool {
  if (!flushStored(false) || !fits(bits)) return false;
  putBits((isFinal ? 1 : 0) | (DYNAMIC << 1), TYPE_BITS);
  putHeader();
  buildCodes(literalLengths, LITERAL_SYMBOLS, literalCodes);
  buildCodes(distanceLengths, DISTANCE_SYMBOLS, distanceCodes);
  prepareLengthCodes();
  putItems(items, from, to);
  return true;
}

/** Writes a block in the fixed code (RFC 1951, 3.2.6). @returns whether there was room for its `bits` */
export function putFixed(items: usize, from: u32, to: u32, bits: u32, isFinal: bool): bool {
  if (!flushStored(false) || !fits(bits)) return false;
  putBits((isFinal ? 1 : 0) | (FIXED << 1), TYPE_BITS);
  for (let symbol: u32 = 0; symbol < FIXED_LITERALS; symbol++)
    store<u8>(literalLengths + symbol, <u8>fixedLength(symbol));
  memory.fill(distanceLengths, 5, FIXED_DISTANCES);
  buildCodes(literalLengths, FIXED_LITERALS, literalCodes);
  buildCodes(distanceLengths, FIXED_DISTANCES, distanceCodes);
  prepareLengthCodes();
  putItems(items, from, to);
  return true;
}

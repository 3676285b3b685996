/**
 * Decoding tables from code lengths (RFC 1951, 3.2.2), in two levels. The symbols are sorted by code length
 * as their lengths are read: each is chained to the last one of the same length. A table is then filled in
 * the order of the codes, each length once, and doubled on the way to the next length.
 */
import {
  BLOCK_END,
  CODE_BITS,
  DISTANCE_SYMBOLS,
  DISTANCE_TABLE_BITS,
  END_OF_BLOCK,
  LITERAL,
  LITERAL_TABLE_BITS,
  PRECODE_BITS,
  PRECODE_SYMBOLS,
  SMALL_LITERAL_TABLE_BITS,
  SPECIAL,
  SUBTABLE,
} from "./constants";
import { CHAIN_SYMBOLS, COUNTS, DISTANCES, Inflate, LENGTHS, LITERALS, NEXT, SLOTS, TAILS } from "./state";

/** Bytes of output to come, below which a narrower table decodes it sooner, the time to fill it included. */
const SMALL_OUTPUT: u64 = 4096;
const FIXED_LITERAL_BITS: u32 = 9;
const FIXED_DISTANCE_BITS: u32 = 5;
if (FIXED_LITERAL_BITS > LITERAL_TABLE_BITS) ERROR("the fast loop counts on narrower tables");

/**
 * The entries of symbols, less the lengths of their codes: 288 literals and lengths, 32 distances, 19
 * of the precode.
 */
const literalResults: usize = memory.data(4 * 288, 16);
const distanceResults: usize = memory.data(4 * 32, 16);
const precodeResults: usize = memory.data(4 * 19, 16);
/** The fixed code's tables. */
const fixedLiterals: usize = memory.data(4 << FIXED_LITERAL_BITS, 16);
const fixedDistances: usize = memory.data(4 << FIXED_DISTANCE_BITS, 16);
let isReady: bool = false;

/** Forgets the symbols of both alphabets. */
export function resetChains(s: Inflate): void {
  const base = changetype<usize>(s);
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    store<u16>(base + (slot << 1), <u16>(CHAIN_SYMBOLS + slot), TAILS);
    store<u16>(base + (slot << 1), 0, COUNTS);
  }
}

/** Adds the symbol at `index` of the sequence of code lengths to the chain of its slot. */
// @ts-ignore: decorator
@inline
export function chain(base: usize, index: u32, slot: u32): void {
  const at = base + (slot << 1);
  store<u16>(base + (<usize>load<u16>(at, TAILS) << 1), <u16>index, NEXT);
  store<u16>(at, <u16>index, TAILS);
  store<u16>(at, <u16>(load<u16>(at, COUNTS) + 1), COUNTS);
}

/** The code after `code`, both of `length` bits and bit-reversed; `code` is not the last. */
// @ts-ignore: decorator
@inline
function nextCode(code: u32, length: u32): u32 {
  const bit: u32 = (1 << 31) >>> clz<u32>(code ^ ((1 << length) - 1));
  return (code & (bit - 1)) | bit;
}

/** Repeats the `size` bytes at `table` after themselves; 8, 16, 32 ... bytes. */
// @ts-ignore: decorator
@inline
function double(table: usize, size: usize): void {
  const end = table + size;
  if (ASC_FEATURE_SIMD) {
    if (size >= 16) {
      for (let at = table; at < end; at += 16) v128.store(at + size, v128.load(at));
      return;
    }
  }
  for (let at = table; at < end; at += 8) store<u64>(at + size, load<u64>(at));
}

/** The longest code of the 16 slots at `counts`, in bits; 0 if there is none. */
function longestCode(counts: usize): u32 {
  let length = CODE_BITS;
  while (length && !load<u16>(counts + (length << 1))) length--;
  return length;
}

/** Codes left unused, in units of 2^-15 of the code space; negative if more are used than there are. */
function unusedCodes(counts: usize): i32 {
  let left: i32 = 1;
  for (let length: u32 = 1; length <= CODE_BITS; length++)
    left = (left << 1) - load<u16>(counts + (length << 1));
  return left;
}

/**
 * Fills a first-level table of `width` bits, and after it the subtables, with the symbols of a complete code.
 */
function fill(s: Inflate, slot: u32, width: u32, longest: u32, table: usize, results: usize): void {
  const next = changetype<usize>(s) + NEXT;
  const counts = changetype<usize>(s) + COUNTS + (slot << 1);
  let code: u32 = 0;
  let length: u32 = 1;
  let count: u32 = load<u16>(counts, 2);
  while (!count) count = load<u16>(counts + (++length << 1));

  for (; length <= width; length++) {
    count = load<u16>(counts + (length << 1));
    let symbol: usize = CHAIN_SYMBOLS + slot + length;
    const added = length * 0x101;
    while (count--) {
      symbol = load<u16>(next + (symbol << 1));
      store<u32>(table + (code << 2), load<u32>(results + (symbol << 2)) + added);
      if (code == (<u32>1 << length) - 1) {
        // The last code: a shorter table is to be repeated up to the width.
        for (; length < width; length++) double(table, 4 << length);
        return;
      }
      code = nextCode(code, length);
    }
    if (length < width) double(table, 4 << length);
  }

  let prefix: u32 = -1;
  let start: u32 = 0;
  let end: u32 = 1 << width;
  const mask: u32 = end - 1;
  for (; length <= longest; length++) {
    count = load<u16>(counts + (length << 1));
    let symbol: usize = CHAIN_SYMBOLS + slot + length;
    const added = (length - width) * 0x101;
    for (; count; count--) {
      if ((code & mask) != prefix) {
        // A subtable is as wide as the codes left, filled in order, need to complete its prefix.
        prefix = code & mask;
        start = end;
        let subWidth = length - width;
        let used = count;
        while (used < <u32>1 << subWidth)
          used = (used << 1) + load<u16>(counts + ((width + ++subWidth) << 1));
        end = start + (1 << subWidth);
        store<u32>(table + (prefix << 2), (start << 16) | SPECIAL | SUBTABLE | (subWidth << 8) | width);
      }
      symbol = load<u16>(next + (symbol << 1));
      const entry = load<u32>(results + (symbol << 2)) + added;
      const stride: u32 = 4 << (length - width);
      const tableEnd = table + (end << 2);
      for (let at = table + ((start + (code >> width)) << 2); at < tableEnd; at += stride)
        store<u32>(at, entry);
      if (code == (<u32>1 << length) - 1) return;
      code = nextCode(code, length);
    }
  }
}

/**
 * Builds the table of the alphabet whose lengths are in the slots from `slot`. What is no complete code is
 * refused as zlib does it: one code of one bit will do, except for the precode (`isStrict`), and no code at
 * all, except there too.
 * @param results entries by position in the sequence of code lengths
 * @returns the table's width in bits, or 0 for code lengths that make no code
 */
function build(s: Inflate, slot: u32, widest: u32, table: usize, results: usize, isStrict: bool): u32 {
  const counts = changetype<usize>(s) + COUNTS + (slot << 1);
  const longest = longestCode(counts);
  const left = unusedCodes(counts);
  if (left == 0) {
    const width = min(longest, widest);
    fill(s, slot, width, longest, table, results);
    return width;
  }
  if (left < 0 || longest > 1 || isStrict) return 0;
  let entry: u32 = SPECIAL | 1;
  store<u32>(table, entry, 4);
  if (longest) {
    const symbol: usize = load<u16>(changetype<usize>(s) + NEXT + ((CHAIN_SYMBOLS + slot + 1) << 1));
    entry = load<u32>(results + (symbol << 2)) + 0x101;
  }
  store<u32>(table, entry);
  return 1;
}

/** Builds the precode's table, in the place of the literal table, from the lengths at `LENGTHS`. */
export function buildPrecode(s: Inflate): bool {
  const base = changetype<usize>(s);
  resetChains(s);
  for (let symbol: u32 = 0; symbol < PRECODE_SYMBOLS; symbol++) {
    const length = load<u8>(base + symbol, LENGTHS);
    if (length) chain(base, symbol, length);
  }
  s.literalBits = build(s, 0, PRECODE_BITS, base + LITERALS, precodeResults, true);
  return s.literalBits != 0;
}

/** Builds a dynamic block's two tables from the chains. */
export function buildDynamic(s: Inflate): bool {
  const base = changetype<usize>(s);
  // Filling a wide table does not pay where little is decoded with it.
  const expected = s.expectedSize > s.totalOut ? s.expectedSize - s.totalOut : u64.MAX_VALUE;
  const literalWidest = expected < SMALL_OUTPUT ? SMALL_LITERAL_TABLE_BITS : LITERAL_TABLE_BITS;
  const distanceSlot = SLOTS >> 1;
  // The chains of the distances go by the position after those of the literals.
  const results = distanceResults - (s.literalCount << 2);
  s.literalTable = base + LITERALS;
  s.distanceTable = base + DISTANCES;
  s.literalBits = build(s, 0, literalWidest, s.literalTable, literalResults, false);
  if (!s.literalBits) return false;
  s.distanceBits = build(s, distanceSlot, DISTANCE_TABLE_BITS, s.distanceTable, results, false);
  return s.distanceBits != 0;
}

/** Makes the tables of the block again, in a state that is a copy of another's first `INFLATE_KEPT` bytes. */
export function rebuildTables(s: Inflate): void {
  if (s.literalTable != fixedLiterals) buildDynamic(s);
}

/** Takes the fixed code's tables (RFC 1951, 3.2.6). */
export function useFixed(s: Inflate): void {
  s.literalTable = fixedLiterals;
  s.distanceTable = fixedDistances;
  s.literalBits = FIXED_LITERAL_BITS;
  s.distanceBits = FIXED_DISTANCE_BITS;
}

/**
 * Lengths (RFC 1951, 3.2.5): after the first eight, each number of extra bits serves four codes; 258 has its
 * own.
 */
function prepareLengths(): void {
  let base: u32 = 3;
  for (let code: u32 = 0; code < 28; code++) {
    const extra = code < 8 ? 0 : (code >> 2) - 1;
    store<u32>(literalResults + ((END_OF_BLOCK + 1 + code) << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(literalResults, 258 << 16, 4 * 285);
  store<u32>(literalResults, SPECIAL, 4 * 286);
  store<u32>(literalResults, SPECIAL, 4 * 287);
}

/** Distances: after the first four, each number of extra bits serves two codes. */
function prepareDistances(): void {
  let base: u32 = 1;
  for (let code: u32 = 0; code < DISTANCE_SYMBOLS; code++) {
    const extra = code < 4 ? 0 : (code >> 1) - 1;
    store<u32>(distanceResults + (code << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(distanceResults, SPECIAL, 4 * 30);
  store<u32>(distanceResults, SPECIAL, 4 * 31);
}

/** Fills the static tables, once for all streams; `s` lends its chains. */
export function prepareTables(s: Inflate): void {
  if (isReady) return;
  isReady = true;
  const base = changetype<usize>(s);
  for (let symbol: u32 = 0; symbol < 256; symbol++)
    store<u32>(literalResults + (symbol << 2), LITERAL | (symbol << 16));
  store<u32>(literalResults, SPECIAL | BLOCK_END, 4 * END_OF_BLOCK);
  prepareLengths();
  prepareDistances();
  // The base and the extra bits of the repeats (RFC 1951, 3.2.7): 16, 17 and 18.
  for (let symbol: u32 = 0; symbol < 16; symbol++) store<u32>(precodeResults + (symbol << 2), symbol << 16);
  store<u32>(precodeResults, SPECIAL | BLOCK_END | (3 << 16) | 2, 4 * 16);
  store<u32>(precodeResults, SPECIAL | (3 << 16) | 3, 4 * 17);
  store<u32>(precodeResults, SPECIAL | (11 << 16) | 7, 4 * 18);

  resetChains(s);
  for (let symbol: u32 = 0; symbol < 288; symbol++)
    chain(base, symbol, symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
  for (let index: u32 = 288; index < 320; index++) chain(base, index, (SLOTS >> 1) + FIXED_DISTANCE_BITS);
  build(s, 0, FIXED_LITERAL_BITS, fixedLiterals, literalResults, true);
  build(s, SLOTS >> 1, FIXED_DISTANCE_BITS, fixedDistances, distanceResults - 4 * 288, true);
}

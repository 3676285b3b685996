/**
 * The header of a dynamic block (RFC 1951, 3.2.7): both alphabets' code lengths as one sequence of symbols.
 */
import { putBits } from "./bits";
import { buildCodes, buildLengths } from "./huffman";
import { DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS, PRECODE_BITS, PRECODE_SYMBOLS } from "./symbols";

/** The repeats: the length before, 3 to 6 times; zero, 3 to 10 times, and 11 to 138 times. */
const REPEAT: u32 = 16;
const ZEROS: u32 = 17;
const MANY_ZEROS: u32 = 18;

/** The order in which the precode's lengths are given. */
const ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const ORDER_MIN: u32 = 4;

const SEQUENCE_MAX: u32 = LITERAL_SYMBOLS + DISTANCE_SYMBOLS;
/** The sequence of code lengths; how long the run of equal ones is that begins at each. */
const sequence: usize = memory.data(316);
const runs: usize = memory.data(2 * 316, 2);
/** For the rest of the sequence from each place: the fewest bits, and the step that they begin with. */
const bitsLeft: usize = memory.data(4 * 317, 4);
/** A step, u16: count << 5 | symbol. */
const steps: usize = memory.data(2 * 316, 2);

const frequencies: usize = memory.data(4 * 19, 4);
const lengths: usize = memory.data(19);
const prices: usize = memory.data(19);
const codes: usize = memory.data(4 * 19, 4);

let literalCount: u32 = 0;
let distanceCount: u32 = 0;
let total: u32 = 0;

// @ts-ignore: decorator
@inline
function extraBits(symbol: u32): u32 {
  return symbol < REPEAT ? 0 : symbol == REPEAT ? 2 : symbol == ZEROS ? 3 : 7;
}

/** The extra bits' value for a count: they begin where the symbol's range does. */
// @ts-ignore: decorator
@inline
function extraOf(symbol: u32, count: u32): u32 {
  return symbol == MANY_ZEROS ? count - 11 : count - 3;
}

/** Lays the lengths in use into one sequence. */
function readLengths(literalLengths: usize, distanceLengths: usize): void {
  literalCount = LITERAL_SYMBOLS;
  while (literalCount > END_OF_BLOCK + 1 && !load<u8>(literalLengths + literalCount - 1)) literalCount--;
  distanceCount = DISTANCE_SYMBOLS;
  while (distanceCount > 1 && !load<u8>(distanceLengths + distanceCount - 1)) distanceCount--;
  total = literalCount + distanceCount;
  memory.copy(sequence, literalLengths, literalCount);
  memory.copy(sequence + literalCount, distanceLengths, distanceCount);
  let run: u16 = 1;
  for (let i = <i32>total - 1; i >= 0; i--) {
    const same = <u32>i + 1 < total && load<u8>(sequence + i) == load<u8>(sequence + i, 1);
    run = same ? run + 1 : 1;
    store<u16>(runs + (i << 1), run);
  }
}

/** Sets what the symbols cost with the precode's lengths; one without a code is taken for a long one. */
function setPrices(): void {
  for (let symbol: u32 = 0; symbol < PRECODE_SYMBOLS; symbol++) {
    const length: u32 = load<u8>(lengths + symbol);
    store<u8>(prices + symbol, <u8>((length ? length : PRECODE_BITS) + extraBits(symbol)));
  }
}

/** The price of a step and of what follows it. */
// @ts-ignore: decorator
@inline
function priceOf(left: usize, count: u32, symbol: u32): u32 {
  return load<u32>(left + (count << 2)) + load<u8>(prices + symbol);
}

/** The cheapest steps, but that a run of zeros is taken as far as a symbol goes. */
function chooseSteps(): void {
  setPrices();
  store<u32>(bitsLeft + (total << 2), 0);
  for (let i = <i32>total - 1; i >= 0; i--) {
    const left = bitsLeft + (i << 2);
    const length: u32 = load<u8>(sequence + i);
    const run: u32 = load<u16>(runs + (i << 1));
    let best = priceOf(left, 1, length);
    let step = (1 << 5) | length;
    if (run >= 3) {
      if (!length) {
        const few = min<u32>(run, 10);
        const price = priceOf(left, few, ZEROS);
        step = select<u32>((few << 5) | ZEROS, step, price < best);
        best = min(price, best);
        if (run > 10) {
          const many = min<u32>(run, 138);
          const price = priceOf(left, many, MANY_ZEROS);
          step = select<u32>((many << 5) | MANY_ZEROS, step, price < best);
          best = min(price, best);
        }
      } else if (i && length == load<u8>(sequence + i - 1)) {
        for (let count = min<u32>(run, 6); count >= 3; count--) {
          const price = priceOf(left, count, REPEAT);
          step = select<u32>((count << 5) | REPEAT, step, price < best);
          best = min(price, best);
        }
      }
    }
    store<u32>(left, best);
    store<u16>(steps + (i << 1), <u16>step);
  }
}

/** Builds the precode for the steps. @returns the header's bits */
function buildPrecode(): u32 {
  memory.fill(frequencies, 0, 4 * PRECODE_SYMBOLS);
  for (let i: u32 = 0; i < total; ) {
    const step: u32 = load<u16>(steps + (i << 1));
    const at = frequencies + ((step & 31) << 2);
    store<u32>(at, load<u32>(at) + 1);
    i += step >> 5;
  }
  // A precode of one code is incomplete, which decoders refuse: another symbol takes the second.
  if (buildLengths(frequencies, PRECODE_SYMBOLS, PRECODE_BITS, lengths) < 2)
    store<u8>(lengths + (load<u8>(lengths) ? 1 : 0), 1);
  let bits = 5 + 5 + 4 + 3 * orderCount();
  for (let symbol: u32 = 0; symbol < PRECODE_SYMBOLS; symbol++)
    bits += load<u32>(frequencies + (symbol << 2)) * (load<u8>(lengths + symbol) + extraBits(symbol));
  return bits;
}

function orderCount(): u32 {
  let count = PRECODE_SYMBOLS;
  while (count > ORDER_MIN && !load<u8>(lengths + load<u8>(ORDER + count - 1))) count--;
  return count;
}

/**
 * Prepares the header for two codes.
 * @param literalLengths `LITERAL_SYMBOLS` lengths, u8 each
 * @param distanceLengths `DISTANCE_SYMBOLS`; all zeros where the block has no match
 * @param isQuick whether the first good way to write it will do
 * @returns its bits, without the three that say which block it is
 */
export function planHeader(literalLengths: usize, distanceLengths: usize, isQuick: bool): u32 {
  readLengths(literalLengths, distanceLengths);
  // Steps are chosen by their costs: first by those of a usual precode, then by those of the resulting one.
  memory.fill(lengths, 4, PRECODE_SYMBOLS);
  chooseSteps();
  let bits = buildPrecode();
  while (!isQuick) {
    chooseSteps();
    const next = buildPrecode();
    if (next >= bits) return next;
    bits = next;
  }
  return bits;
}

/** Writes the header that was planned. */
export function putHeader(): void {
  putBits(literalCount - END_OF_BLOCK - 1, 5);
  putBits(distanceCount - 1, 5);
  const count = orderCount();
  putBits(count - ORDER_MIN, 4);
  for (let i: u32 = 0; i < count; i++) putBits(load<u8>(lengths + load<u8>(ORDER + i)), 3);
  buildCodes(lengths, PRECODE_SYMBOLS, codes);
  for (let i: u32 = 0; i < total; ) {
    const step: u32 = load<u16>(steps + (i << 1));
    const symbol = step & 31;
    const code = load<u32>(codes + (symbol << 2));
    putBits(code & 0xffff, code >> 16);
    if (symbol >= REPEAT) putBits(extraOf(symbol, step >> 5), extraBits(symbol));
    i += step >> 5;
  }
}

/**
 * How often each symbol occurs, and what that says of its cost: entropies in fixed point, the same
 * everywhere.
 */
import {
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LENGTH_MASK,
  LITERAL_SYMBOLS,
  lengthSlots,
  SLOT_SHIFT,
  VALUE_MASK,
  VALUE_SHIFT,
} from "./symbols";

/** Frequencies: u32 for each literal and length symbol, then for each distance symbol. */
export const STATISTICS: usize = 4 * (286 + 30);
export const DISTANCES_AT: usize = 4 * 286;

/** Fractions of a bit in which costs are counted, as a power of two. */
export const COST_BITS: u32 = 6;

const LOG_BITS: u32 = 10;
/** For each i, 2^LOG_BITS · log2(1 + i / 2^LOG_BITS). */
const logarithms: usize = memory.data(2 << 10, 2);
let isReady: bool = false;

/** Fills the static tables, once: a square doubles the logarithm, and so gives its next bit. */
export function prepareStatistics(): void {
  if (isReady) return;
  isReady = true;
  for (let i: u32 = 0; i < 1 << LOG_BITS; i++) {
    let x: u64 = ((1 << LOG_BITS) + i) << (30 - LOG_BITS);
    let log: u32 = 0;
    // One bit more, to round by.
    for (let bit: u32 = 0; bit <= LOG_BITS; bit++) {
      x = (x * x) >> 30;
      const isTwo = <u32>(x >> 31);
      x >>= isTwo;
      log = (log << 1) | isTwo;
    }
    store<u16>(logarithms + (i << 1), <u16>((log + 1) >> 1));
  }
}

/** 2^LOG_BITS · log2 of a number above 0. */
// @ts-ignore: decorator
@inline
function log2(x: u32): u32 {
  const whole: u32 = 31 - clz(x);
  const mantissa = whole >= LOG_BITS ? x >> (whole - LOG_BITS) : x << (LOG_BITS - whole);
  return (whole << LOG_BITS) + load<u16>(logarithms + ((mantissa & ((1 << LOG_BITS) - 1)) << 1));
}

export function clearStatistics(statistics: usize): void {
  memory.fill(statistics, 0, STATISTICS);
}

/** Counts one item. */
// @ts-ignore: decorator
@inline
export function countItem(statistics: usize, item: u32): void {
  const length = item & LENGTH_MASK;
  if (length == 1) {
    const at = statistics + (((item >> VALUE_SHIFT) & VALUE_MASK) << 2);
    store<u32>(at, load<u32>(at) + 1);
  } else {
    const at = statistics + ((END_OF_BLOCK + 1 + <u32>load<u8>(lengthSlots + length)) << 2);
    store<u32>(at, load<u32>(at) + 1);
    const distance = statistics + ((item >> SLOT_SHIFT) << 2);
    store<u32>(distance, load<u32>(distance, DISTANCES_AT) + 1, DISTANCES_AT);
  }
}

/** Counts the items of a parse from one position up to another, and the end of the block. */
export function countItems(statistics: usize, items: usize, from: u32, to: u32): void {
  clearStatistics(statistics);
  store<u32>(statistics, 1, 4 * END_OF_BLOCK);
  while (from < to) {
    const item = load<u32>(items + (from << 2));
    countItem(statistics, item);
    from += item & LENGTH_MASK;
  }
}

/** Adds up the frequencies of two: `sum` may be either. */
export function addStatistics(sum: usize, a: usize, b: usize): void {
  for (let at: usize = 0; at < STATISTICS; at += 4)
    store<u32>(sum + at, load<u32>(a + at) + load<u32>(b + at));
}

/**
 * Estimates the bits of a block of the symbols of two statistics together, without the extra bits, in
 * 2^LOG_BITS: each symbol's entropy, and what the header says of it.
 * @param b may be 0, for none
 */
export function estimateBits(a: usize, b: usize): u64 {
  return (
    estimateAlphabet(a, b, LITERAL_SYMBOLS) +
    estimateAlphabet(a + DISTANCES_AT, b ? b + DISTANCES_AT : 0, DISTANCE_SYMBOLS) +
    (HEADER_BITS << LOG_BITS)
  );
}

/** An estimate of the bits of a dynamic block's header: in all, and for each symbol that occurs. */
const HEADER_BITS: u64 = 200;
const HEADER_SYMBOL_BITS: u64 = 5;

function estimateAlphabet(a: usize, b: usize, symbols: u32): u64 {
  let total: u32 = 0;
  let sum: u64 = 0;
  let used: u64 = 0;
  for (let at: usize = 0; at < (<usize>symbols) << 2; at += 4) {
    let frequency = load<u32>(a + at);
    if (b) frequency += load<u32>(b + at);
    if (!frequency) continue;
    total += frequency;
    used++;
    sum += <u64>frequency * log2(frequency);
  }
  if (!total) return 0;
  return <u64>total * log2(total) - sum + ((used * HEADER_SYMBOL_BITS) << LOG_BITS);
}

/**
 * The cost of each symbol of an alphabet in 2^COST_BITS parts of a bit: its entropy; what does not occur
 * would cost about one bit more than what occurs once.
 */
export function entropyCosts(frequencies: usize, symbols: u32, costs: usize): void {
  let total: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) total += load<u32>(frequencies + (symbol << 2));
  const most = total ? log2(total) : 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(frequencies + (symbol << 2));
    const bits = frequency ? most - log2(frequency) : most + (1 << LOG_BITS);
    store<u32>(costs + (symbol << 2), bits >> (LOG_BITS - COST_BITS));
  }
}

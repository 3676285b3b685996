/** The alphabets of deflate (RFC 1951, 3.2.5), and how a parse is written down. */

/** The longest code of a literal/length or distance alphabet, in bits. */
export const CODE_BITS: u32 = 15;
/** The longest code of the alphabet that code lengths are themselves written in (RFC 1951, 3.2.7). */
export const PRECODE_BITS: u32 = 7;
export const LITERAL_SYMBOLS: u32 = 286;
export const DISTANCE_SYMBOLS: u32 = 30;
export const PRECODE_SYMBOLS: u32 = 19;
export const END_OF_BLOCK: u32 = 256;

export const MATCH_MIN: u32 = 3;
export const MATCH_MAX: u32 = 258;
/** No distance reaches farther, in bytes. */
export const WINDOW: u32 = 32768;

/*
 * An item, u32: one step of a parse. A literal is a step of length 1.
 *
 *     31..24         23..9          8..0
 *     distance slot │ distance − 1 │ length, 3 to 258
 *     0             │ the byte     │ 1
 */
export const LENGTH_MASK: u32 = 511;
export const VALUE_SHIFT: u32 = 9;
export const VALUE_MASK: u32 = 0x7fff;
export const SLOT_SHIFT: u32 = 24;

/** For each length up to `MATCH_MAX`, its symbol less 257. */
export const lengthSlots: usize = memory.data(259);
let isReady: bool = false;

// @ts-ignore: decorator
@inline
export function literalItem(byte: u32): u32 {
  return (byte << VALUE_SHIFT) | 1;
}

// @ts-ignore: decorator
@inline
export function matchItem(length: u32, distance: u32): u32 {
  const value = distance - 1;
  return (distanceSlot(value) << SLOT_SHIFT) | (value << VALUE_SHIFT) | length;
}

/** The symbol of a distance, given less 1: two to each power of two. */
// @ts-ignore: decorator
@inline
function distanceSlot(value: u32): u32 {
  if (value < 4) return value;
  const log = 31 - clz(value);
  return (log << 1) + ((value >> (log - 1)) & 1);
}

/** Extra bits of a distance's symbol. */
// @ts-ignore: decorator
@inline
export function distanceExtra(slot: u32): u32 {
  return slot < 4 ? 0 : (slot >> 1) - 1;
}

/** Extra bits of a length's symbol less 257. */
// @ts-ignore: decorator
@inline
export function lengthExtra(slot: u32): u32 {
  return slot < 8 || slot == 28 ? 0 : (slot >> 2) - 1;
}

/** The smallest length of a symbol less 257. */
// @ts-ignore: decorator
@inline
export function lengthBase(slot: u32): u32 {
  if (slot < 8) return slot + MATCH_MIN;
  return slot == 28 ? MATCH_MAX : ((4 | (slot & 3)) << ((slot >> 2) - 1)) + MATCH_MIN;
}

/** Bits of a literal or length symbol in the fixed code (RFC 1951, 3.2.6). */
// @ts-ignore: decorator
@inline
export function fixedLength(symbol: u32): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}

/** Fills the static tables, once. */
export function prepareSymbols(): void {
  if (isReady) return;
  isReady = true;
  for (let slot: u32 = 0; slot < 29; slot++) {
    const base = lengthBase(slot);
    // The last but one shares its range's last length with the last, which is 258 alone.
    memory.fill(lengthSlots + base, <u8>slot, min<u32>(1 << lengthExtra(slot), MATCH_MAX + 1 - base));
  }
}

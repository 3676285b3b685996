/** Ways through the matches that were found: a quick one, and the cheapest for given costs of the symbols. */
import { COST_BITS, DISTANCES_AT, entropyCosts } from "./statistics";
import {
  DISTANCE_SYMBOLS,
  distanceExtra,
  END_OF_BLOCK,
  fixedLength,
  LENGTH_MASK,
  LITERAL_SYMBOLS,
  lengthExtra,
  lengthSlots,
  literalItem,
  MATCH_MAX,
  MATCH_MIN,
  SLOT_SHIFT,
  VALUE_SHIFT,
} from "./symbols";
import { costs, matchStarts } from "./workspace";

/**
 * Costs of the literal and length symbols, and of each distance symbol and length with their extra bits:
 * keys.
 */
const symbolCosts: usize = memory.data(4 * 286, 4);
const distanceCosts: usize = memory.data(4 * 30, 4);
const lengthCosts: usize = memory.data(4 * 259, 4);

/** The longest match at an index, or 0. */
// @ts-ignore: decorator
@inline
function longest(index: u32): u32 {
  const start = matchStarts() + (index << 2);
  const end = load<u32>(start, 4);
  return end > load<u32>(start) ? load<u32>(<usize>end - 4) : 0;
}

/** A short match saves nothing over its literals if its distance takes many extra bits. */
// @ts-ignore: decorator
@inline
function isWorthwhile(match: u32): bool {
  const length = match & LENGTH_MASK;
  return length > 4 || match >> SLOT_SHIFT < (length == 3 ? 20 : 26);
}

/** The rest of a long match that began before an index, within which no matches were looked for; or 0. */
function restAt(index: u32): u32 {
  const first = index > MATCH_MAX ? index - MATCH_MAX : 0;
  for (let at = index; at > first; ) {
    const match = longest(--at);
    if (match) return at + (match & LENGTH_MASK) >= index + MATCH_MIN ? match - (index - at) : 0;
  }
  return 0;
}

/**
 * Takes the longest match at each step, unless the next position has a longer one.
 * @param content the address of index 0
 * @param count positions
 */
export function parseLongest(items: usize, content: usize, count: u32): void {
  let index: u32 = 0;
  let isAfterMatch = false;
  while (index < count) {
    let match = longest(index);
    // After a literal, what began before it could have been taken there.
    if (!match && isAfterMatch) match = restAt(index);
    const length = match & LENGTH_MASK;
    const isTaken =
      length != 0 &&
      index + length <= count &&
      isWorthwhile(match) &&
      (length >= 64 || index + 1 == count || (longest(index + 1) & LENGTH_MASK) <= length);
    store<u32>(items + (index << 2), isTaken ? match : literalItem(load<u8>(content + index)));
    index += isTaken ? length : 1;
    isAfterMatch = isTaken;
  }
}

/** Sets what symbols cost by how often they occurred. */
export function setCosts(statistics: usize): void {
  entropyCosts(statistics, LITERAL_SYMBOLS, symbolCosts);
  entropyCosts(statistics + DISTANCES_AT, DISTANCE_SYMBOLS, distanceCosts);
  makeKeys();
}

/** Sets what symbols cost in the fixed code (RFC 1951, 3.2.6). */
export function setFixedCosts(): void {
  for (let symbol: u32 = 0; symbol < LITERAL_SYMBOLS; symbol++)
    store<u32>(symbolCosts + (symbol << 2), fixedLength(symbol) << COST_BITS);
  for (let symbol: u32 = 0; symbol < DISTANCE_SYMBOLS; symbol++)
    store<u32>(distanceCosts + (symbol << 2), 5 << COST_BITS);
  makeKeys();
}

/** Completes the costs, and makes keys of them. */
function makeKeys(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    const at = symbolCosts + (byte << 2);
    store<u32>(at, (load<u32>(at) << KEY_SHIFT) | 1);
  }
  for (let symbol: u32 = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    const at = distanceCosts + (symbol << 2);
    store<u32>(at, (load<u32>(at) + (distanceExtra(symbol) << COST_BITS)) << KEY_SHIFT);
  }
  for (let length = MATCH_MIN; length <= MATCH_MAX; length++) {
    const slot: u32 = load<u8>(lengthSlots + length);
    const cost = load<u32>(symbolCosts + ((END_OF_BLOCK + 1 + slot) << 2));
    store<u32>(
      lengthCosts + (length << 2),
      ((cost + (lengthExtra(slot) << COST_BITS)) << KEY_SHIFT) | length,
    );
  }
}

/*
 * Ways are compared as keys, i32: what they cost, less what the way from the next index costs, above the
 * length of their first step. Costs are taken modulo 2^23 parts of a bit, and yet keys compare rightly: ways
 * from within a match's length of each other differ by less than 258 · 20 bits, and 2^22 parts are 2^16 bits.
 */
const KEY_SHIFT: u32 = 9;

/** The least key of the steps of lengths `first` to `last`, both times 4, without the distance. */
// @ts-ignore: decorator
@inline
function leastKey(at: usize, first: u32, last: u32, next: i32): i32 {
  if (ASC_FEATURE_SIMD) {
    if (last - first >= 12) {
      const base = i32x4.splat(next);
      // The last four lengths, and those before them by fours: some come twice.
      let least = i32x4.sub(i32x4.add(v128.load(at + last - 12), v128.load(lengthCosts + last - 12)), base);
      for (; first + 12 < last; first += 16)
        least = i32x4.min_s(
          least,
          i32x4.sub(i32x4.add(v128.load(at + first), v128.load(lengthCosts + first)), base),
        );
      least = i32x4.min_s(least, i32x4.shuffle(least, least, 2, 3, 0, 1));
      least = i32x4.min_s(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
      return i32x4.extract_lane(least, 0);
    }
  }
  let least = i32.MAX_VALUE;
  for (; first <= last; first += 4) {
    const key = load<i32>(at + first) + load<i32>(lengthCosts + first) - next;
    least = select(key, least, key < least);
  }
  return least;
}

/**
 * The cheapest way from one index to another, found from its end.
 * @param content the address of index 0
 */
export function parseCheapest(items: usize, content: usize, from: u32, to: u32): void {
  const cost = costs();
  const starts = matchStarts();
  store<u32>(cost + (to << 2), 0);
  let after = <u32>load<u32>(starts + (to << 2));
  let next: i32 = 0;
  for (let index = to; index-- > from; ) {
    const byte: u32 = load<u8>(content + index);
    const at = cost + (index << 2);
    let best = load<i32>(symbolCosts + (byte << 2));
    let base = byte << VALUE_SHIFT;
    const start = load<u32>(starts + (index << 2));
    if (start != after) {
      const room = (to - index) << 2;
      let length: u32 = MATCH_MIN << 2;
      for (let match: usize = start; match < <usize>after; match += 4) {
        const entry = load<u32>(match);
        const last = min<u32>((entry & LENGTH_MASK) << 2, room);
        if (length > last) break;
        const key =
          leastKey(at, length, last, next) + load<i32>(distanceCosts + ((entry >> SLOT_SHIFT) << 2));
        base = select(entry & ~LENGTH_MASK, base, key < best);
        best = select(key, best, key < best);
        length = last + 4;
      }
    }
    store<u32>(items + (index << 2), base | (best & LENGTH_MASK));
    next += best & ~LENGTH_MASK;
    store<u32>(at, next);
    after = start;
  }
}

/**
 * Finds all matches worth a look: for each position, longer and longer ones, each at the smallest distance
 * that was met. A binary tree for each hash of four bytes holds the window's positions, ordered by what
 * follows them, the last one on top (as in LZMA's and libdeflate's finders); and one head for each hash of
 * three bytes.
 */
import { niceLength, treeDepth } from "./effort";
import { LENGTH_MASK, MATCH_MAX, MATCH_MIN, matchItem, WINDOW } from "./symbols";
import {
  HASH3_BITS,
  hashShift,
  heads3,
  heads4,
  MATCHES,
  MATCHES_EACH,
  matchList,
  matchStarts,
  nodes,
} from "./workspace";

/** A match of the greatest length enters only its last positions, so many of them: long runs of zeros are quick. */
export const ENTERED: u32 = 16;
/** Three bytes are no match from farther away. */
export const NEAR: u32 = 16384;

const MULTIPLIER: u32 = 0x9e3779b1;

/** How much has been done so far: one for each step down a tree, and one for each length that was found. */
let steps: u64 = 0;

export function stepsTaken(): u64 {
  return steps;
}

export function countSteps(count: u32): void {
  steps += count;
}

// @ts-ignore: decorator
@inline
export function hash4(word: u32, shift: u32): u32 {
  return (word * MULTIPLIER) >> shift;
}

// @ts-ignore: decorator
@inline
export function hash3(word: u32): u32 {
  return ((word << 8) * MULTIPLIER) >> (32 - HASH3_BITS);
}

/** How many bytes are equal at two addresses, up to `most`, if the first `length` are known to be. */
// @ts-ignore: decorator
@inline
export function extend(a: usize, b: usize, length: u32, most: u32): u32 {
  while (length + 8 <= most) {
    const difference = load<u64>(a + length) ^ load<u64>(b + length);
    if (difference) return length + (<u32>ctz(difference) >> 3);
    length += 8;
  }
  while (length < most && load<u8>(a + length) == load<u8>(b + length)) length++;
  return length;
}

/**
 * Finds the matches from one position up to another and writes them to `matchList`, their places to
 * `matchStarts`.
 * @param origin what makes an address of a position, by addition
 * @param from `WINDOW` or more, so that 0, which stands for none, is in no position's window
 * @param end of the content; no match reaches past it
 * @param quietEnd up to where positions are only taken note of, without a search for their matches
 * @returns up to where they were found: less than `to` where there are very many
 */
export function findMatches(
  origin: usize,
  from: u32,
  to: u32,
  end: u32,
  quietEnd: u32,
): u32 {
  const tree = nodes();
  const mostSteps = treeDepth;
  const enough = niceLength;
  const first = heads4();
  const short = heads3();
  const shift = hashShift;
  const listEnd = matchList() + ((MATCHES - MATCHES_EACH) << 2);
  let start = matchStarts();
  let list = matchList();
  let position = from;
  let done: u32 = 0;
  let skipEnd: u32 = 0;
  for (; position < to && list < listEnd; position++, start += 4) {
    store<u32>(start, <u32>list);
    const most = min<u32>(end - position, MATCH_MAX);
    if (most < 4 || position < skipEnd) continue;
    const at = origin + position;
    const nice = min(most, enough);
    const bottom = position - (WINDOW - 1);
    const word = load<u32>(at);
    const isQuiet = position < quietEnd;
    let best: u32 = MATCH_MIN;

    const shortHead = short + (hash3(word) << 2);
    const near = load<u32>(shortHead);
    store<u32>(shortHead, position);

    const head = first + (hash4(word, shift) << 2);
    let other = load<u32>(head);
    store<u32>(head, position);

    if (!isQuiet && near >= bottom && near != other && position - near <= NEAR) {
      if (!((load<u32>(origin + near) ^ word) & 0xffffff)) {
        store<u32>(list, matchItem(MATCH_MIN, position - near));
        list += 4;
      }
    }

    // The places for the next smaller and the next greater position, and the bytes that they share with this one.
    let smaller = tree + ((position & (WINDOW - 1)) << 3);
    let greater = smaller + 4;
    let smallerLength: u32 = 0;
    let greaterLength: u32 = 0;
    let length: u32 = 0;
    let depth = mostSteps;
    while (true) {
      if (other < bottom || !depth) {
        store<u32>(smaller, 0);
        store<u32>(greater, 0);
        break;
      }
      depth--;
      const otherAt = origin + other;
      const node = tree + ((other & (WINDOW - 1)) << 3);
      if (load<u8>(otherAt + length) == load<u8>(at + length)) {
        length = extend(otherAt, at, length + 1, most);
        if (length > best) {
          best = length;
          if (!isQuiet) {
            store<u32>(list, matchItem(length, position - other));
            list += 4;
          }
          if (length >= nice) {
            // The present position takes the other's place.
            store<u32>(smaller, load<u32>(node));
            store<u32>(greater, load<u32>(node, 4));
            break;
          }
        }
      }
      if (load<u8>(otherAt + length) < load<u8>(at + length)) {
        store<u32>(smaller, other);
        smaller = node + 4;
        other = load<u32>(smaller);
        smallerLength = length;
      } else {
        store<u32>(greater, other);
        greater = node;
        other = load<u32>(greater);
        greaterLength = length;
      }
      length = min(smallerLength, greaterLength);
    }
    done += mostSteps - depth + (isQuiet ? 0 : best - MATCH_MIN);
    if (best >= enough && !isQuiet) {
      quietEnd = position + (load<u32>(list - 4) & LENGTH_MASK);
      if (best == MATCH_MAX) skipEnd = quietEnd - ENTERED;
    }
  }
  store<u32>(start, <u32>list);
  countSteps(done);
  return position;
}

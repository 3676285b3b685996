/**
 * Finds matches as `findMatches` does, in a fraction of the time, and fewer: two chains of positions, of those with
 * equal hashes of four and of seven bytes, the last one first, of which only the first few are tried. A position within
 * a long match is entered, which takes two links, and hardly searched.
 */
import { niceLength } from "./effort";
import { countSteps, ENTERED, extend, hash3, hash4, NEAR } from "./matches";
import { MATCH_MAX, MATCH_MIN, matchItem, WINDOW } from "./symbols";
import {
  CHAIN_LINKS,
  HASH7_BITS,
  hashShift,
  heads3,
  heads4,
  heads7,
  MATCHES,
  MATCHES_EACH,
  matchList,
  matchStarts,
  nodes,
} from "./workspace";

/** Positions of each chain that are tried, and those where a match of `GOOD` bytes or more goes on. */
const TRIED: u32 = 6;
const TRIED_WITHIN: u32 = 1;
const GOOD: u32 = 12;
/** Bytes that a search looks at, at least. */
const LEAST: u32 = 8;
const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** A hash of seven bytes. */
// @ts-ignore: decorator
@inline
function hash7(ptr: usize): u32 {
  return <u32>(((load<u64>(ptr) << 8) * MULTIPLIER) >> (64 - HASH7_BITS));
}

/** The end of the list of matches, as `tryChain` leaves it. */
let listEnd: usize = 0;

/**
 * Tries the positions of a chain, and appends matches that are longer than those before.
 * @param links the chain's, by position modulo `WINDOW`
 * @param other its first position
 * @param best the greatest length so far
 * @param enough a match that long ends the search
 * @returns the greatest length
 */
// @ts-ignore: decorator
@inline
function tryChain(
  links: usize,
  origin: usize,
  position: u32,
  other: u32,
  best: u32,
  most: u32,
  enough: u32,
  tried: u32,
): u32 {
  const at = origin + position;
  const bottom = position - (WINDOW - 1);
  for (; other >= bottom && tried && best < enough; tried--) {
    const otherAt = origin + other;
    // A longer match has equal bytes here, too.
    if (load<u32>(otherAt + best - 3) == load<u32>(at + best - 3)) {
      const length = extend(otherAt, at, 0, most);
      if (length > best) {
        best = length;
        store<u32>(listEnd, matchItem(length, position - other));
        listEnd += 4;
      }
    }
    other = load<u32>(links + ((other & (WINDOW - 1)) << 2));
  }
  return best;
}

/** See `findMatches`, and the head of this file. */
export function findNearMatches(origin: usize, from: u32, to: u32, end: u32, quietEnd: u32): u32 {
  const links4 = nodes();
  const links7 = links4 + CHAIN_LINKS;
  const lastList = matchList() + ((MATCHES - MATCHES_EACH) << 2);
  const nice = niceLength;
  let start = matchStarts();
  let position = from;
  let goodEnd: u32 = 0;
  let skipEnd: u32 = 0;
  let done: u32 = 0;
  listEnd = matchList();
  for (; position < to && listEnd < lastList; position++, start += 4) {
    store<u32>(start, <u32>listEnd);
    const most = min<u32>(end - position, MATCH_MAX);
    if (most < LEAST || position < skipEnd) continue;
    const at = origin + position;
    const word = load<u32>(at);
    const link = (position & (WINDOW - 1)) << 2;
    const head3 = heads3() + (hash3(word) << 2);
    const head4 = heads4() + (hash4(word, hashShift) << 2);
    const head7 = heads7() + (hash7(at) << 2);
    const near = load<u32>(head3);
    const other = load<u32>(head4);
    const far = load<u32>(head7);
    store<u32>(head3, position);
    store<u32>(head4, position);
    store<u32>(head7, position);
    store<u32>(links4 + link, other);
    store<u32>(links7 + link, far);
    if (position < quietEnd) continue;
    if (near >= position - (WINDOW - 1) && near != other && position - near <= NEAR) {
      if (!((load<u32>(origin + near) ^ word) & 0xffffff)) {
        store<u32>(listEnd, matchItem(MATCH_MIN, position - near));
        listEnd += 4;
      }
    }
    const tried = position < goodEnd ? TRIED_WITHIN : TRIED;
    const enough = min(most, nice);
    let best = tryChain(links4, origin, position, other, MATCH_MIN, most, enough, tried);
    best = tryChain(links7, origin, position, far, best, most, enough, tried);
    done += 2 * tried + best - MATCH_MIN;
    if (best >= GOOD) goodEnd = max(goodEnd, position + best - MATCH_MIN);
    if (best >= nice) {
      quietEnd = position + best;
      if (best == MATCH_MAX) skipEnd = quietEnd - ENTERED;
    }
  }
  store<u32>(start, <u32>listEnd);
  countSteps(done);
  return position;
}

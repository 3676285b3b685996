/**
 * The quick parse: hash chains, of which a few links are followed, and the longest match is taken unless the
 * next position has a longer one.
 */
import { extend, hash4 } from "./matches";
import { LENGTH_MASK, literalItem, MATCH_MAX, matchItem, WINDOW } from "./symbols";
import { hashShift, heads4, nodes } from "./workspace";

/** Links of a chain that are followed. */
const DEPTH: u32 = 6;
/** A match that long is taken without looking further. */
const NICE: u32 = 32;
const MATCH_LEAST: u32 = 4;

/** The positions that the chains begin from, and those below which there is nothing. */
let origin: usize = 0;
let lowest: u32 = 0;
let end: u32 = 0;

/**
 * Puts a position at the head of its chain, and returns the one that was there; the caller has four bytes.
 */
// @ts-ignore: decorator
@inline
function insert(at: usize, position: u32): u32 {
  const head = heads4() + (hash4(load<u32>(at), hashShift) << 2);
  const next = load<u32>(head);
  store<u32>(nodes() + ((position & (WINDOW - 1)) << 2), next);
  store<u32>(head, position);
  return next;
}

/** Inserts a position and finds its longest match above a length. @returns an item, or 0 */
function search(position: u32, above: u32): u32 {
  const most = min<u32>(end - position, MATCH_MAX);
  if (most < MATCH_LEAST) return 0;
  const at = origin + position;
  let other = insert(at, position);
  if (most <= above) return 0;
  const bottom = max(lowest, position - (WINDOW - 1));
  const word = load<u32>(at);
  let best = above;
  let found: u32 = 0;
  for (let depth = DEPTH; other >= bottom && depth; depth--) {
    const otherAt = origin + other;
    if (load<u32>(otherAt) == word && load<u8>(otherAt + best) == load<u8>(at + best)) {
      const length = extend(otherAt, at, MATCH_LEAST, most);
      if (length > best) {
        best = length;
        found = position - other;
        if (length >= NICE || length == most) break;
      }
    }
    other = load<u32>(nodes() + ((other & (WINDOW - 1)) << 2));
  }
  return found ? matchItem(best, found) : 0;
}

/**
 * Parses the content from one position up to another, beyond which no match reaches.
 * @param items of the first position
 * @param start what makes an address of a position, by addition
 * @param bottom the lowest position that a match may begin at
 */
export function parseQuickly(items: usize, start: usize, from: u32, to: u32, bottom: u32): void {
  origin = start;
  lowest = bottom;
  end = to;
  let position = from;
  let match = search(position, MATCH_LEAST - 1);
  while (position < to) {
    const length = match & LENGTH_MASK;
    const isLong = length >= NICE;
    const next = isLong ? 0 : search(position + 1, max(length, MATCH_LEAST - 1));
    const isTaken = length && !next;
    store<u32>(items, isTaken ? match : literalItem(load<u8>(origin + position)));
    if (isTaken) {
      const after = position + length;
      const hashed = min(after, max(to, 3) - 3);
      for (position += isLong ? 1 : 2; position < hashed; position++) insert(origin + position, position);
      position = after;
      items += length << 2;
      match = search(position, MATCH_LEAST - 1);
    } else {
      position++;
      items += 4;
      match = next;
    }
  }
}

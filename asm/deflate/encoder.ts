/**
 * Encodes content that lies in memory into blocks. Positions count on from call to call, with more than a
 * window between, so that no match reaches into what an earlier call has left.
 */
import {
  dropStored,
  fixedBits,
  flushStored,
  holdStored,
  planDynamic,
  putDynamic,
  putFixed,
  storedBits,
} from "./block";
import { findNearMatches } from "./chains";
import { passes, usesChains } from "./effort";
import { findMatches } from "./matches";
import { isNoise } from "./noise";
import { parseCheapest, parseLongest, setCosts, setFixedCosts } from "./parse";
import { blockEnd, splitBlocks } from "./split";
import { countItems, STATISTICS } from "./statistics";
import { WINDOW } from "./symbols";
import { clearTables, items, sizeTables, SPAN_MAX, spareItems } from "./workspace";

/** Bytes that are looked at at a time for whether they are noise; at the end up to twice as many. */
const CHUNK: u32 = 8192;
/** Bytes parsed at a time, where there are more than `SPAN_MAX`. */
const SPAN: u32 = 64 << 10;
/** Up to this length, in bytes, some bytes are much, and the fixed code may do. */
const SMALL: u32 = 2048;

/**
 * Positions that would pass this begin anew. Content alone does not come to 2^32: the workspace is in memory,
 * too, and takes more than a window.
 */
const POSITION_END: u32 = 0xfff00000;
/** Bits of an empty block in the fixed code: its type and the end. */
const EMPTY_BITS: u32 = 10;

const statistics: usize = memory.data(4 * 316, 4);
const trialStatistics: usize = memory.data(4 * 316, 4);
/** Bits of the best parse of a block. */
let leastBits: u32 = 0;

/** The next position. */
let position: u32 = 0;
/** Addresses are this and a position. */
let origin: usize = 0;
let contentEnd: u32 = 0;
let isLast: bool = false;

/**
 * Sets where the next call begins and forgets what was before, so that a test need not encode 4 GiB to come
 * to the end of the positions.
 */
export function setPosition(next: u32): void {
  clearTables();
  position = next;
}

/** Begins anew with `len` bytes: nothing before them is seen any more. */
function begin(ptr: usize, len: u32): void {
  sizeTables(len);
  dropStored();
  // `WINDOW` or more beyond what was last; and at a multiple of it, so that short contents use the same few nodes.
  position = (position + (2 * WINDOW - 1)) & ~(WINDOW - 1);
  if (position >= POSITION_END || len >= POSITION_END - position) {
    clearTables();
    position = WINDOW;
  }
  origin = ptr - position;
  contentEnd = position + len;
}

/**
 * Encodes content in whole blocks.
 * @param ptr where `len` bytes are, and right before them `historyLen` bytes that precede them in the stream,
 *   `WINDOW` at most
 * @param isFinal whether the stream ends with them
 * @returns whether there was room for the blocks
 */
export function encodeBlocks(ptr: usize, historyLen: u32, len: u32, isFinal: bool): bool {
  begin(ptr - historyLen, historyLen + len);
  isLast = isFinal;
  find(position, position + historyLen, contentEnd);
  position += historyLen;
  let checked = position;
  let noiseEnd = position;
  while (position < contentEnd) {
    if (checked == position && noiseEnd > position) {
      holdStored(origin + position, noiseEnd - position);
      position = checked = noiseEnd;
    }
    // One parse ends at the beginning of noise.
    while (noiseEnd <= checked && checked < contentEnd && checked - position < SPAN_MAX) {
      const left = contentEnd - checked;
      const chunk = left < 2 * CHUNK ? left : CHUNK;
      if (isNoise(origin + checked, chunk)) noiseEnd = checked + chunk;
      else checked += chunk;
    }
    if (checked > position && !encodeSpan(checked)) return false;
  }
  if (!flushStored(isLast)) return false;
  return !isLast || len != 0 || putFixed(items(), 0, 0, EMPTY_BITS, true);
}

/** Finds the matches from one position up to another, or to where there are too many. @returns up to where */
function find(from: u32, to: u32, quietEnd: u32): u32 {
  return usesChains
    ? findNearMatches(origin, from, to, contentEnd, quietEnd)
    : findMatches(origin, from, to, contentEnd, quietEnd);
}

/** Encodes from `position` up to `to`, or a part of it. @returns whether there was room */
function encodeSpan(to: u32): bool {
  const from = position;
  if (to - from > SPAN_MAX) to = from + SPAN;
  to = find(from, to, from);
  parseLongest(items(), origin + from, to - from);
  position = to;
  const content = origin + from;
  const blocks = splitBlocks(items(), to - from);
  let start: u32 = 0;
  for (let block: u32 = 0; block < blocks; block++) {
    const end = blockEnd(block);
    if (!encodeBlock(content, start, end, isLast && from + end == contentEnd)) return false;
    start = end;
  }
  return true;
}

/** Chooses a block's items and its form. @returns whether there was room for it */
function encodeBlock(content: usize, from: u32, to: u32, isFinal: bool): bool {
  countItems(statistics, items(), from, to);
  const fixed = to - from <= SMALL ? tryFixed(content, from, to) : fixedBits(statistics);
  const best = improve(content, from, to);
  if (storedBits(to - from) <= min(leastBits, fixed)) {
    holdStored(content + from, to - from);
    return true;
  }
  if (leastBits < fixed) return putDynamic(best, from, to, leastBits, isFinal);
  return putFixed(spareItems(), from, to, tryFixed(content, from, to), isFinal);
}

/** Parses a block for the fixed code, into the spare items. @returns its bits */
function tryFixed(content: usize, from: u32, to: u32): u32 {
  setFixedCosts();
  parseCheapest(spareItems(), content, from, to);
  countItems(trialStatistics, spareItems(), from, to);
  return fixedBits(trialStatistics);
}

/**
 * Parses a block again, with the costs that the parse before has shown, and plans the codes of the best one. More than one
 * pass gains a third of a per cent, and takes a fifth of the time: it is for the effort that makes small images.
 * @returns the best items; `leastBits` are theirs
 */
function improve(content: usize, from: u32, to: u32): usize {
  let bits = planDynamic(statistics, true);
  let best = items();
  let trial = spareItems();
  for (let left = passes; left; left--) {
    setCosts(statistics);
    parseCheapest(trial, content, from, to);
    countItems(trialStatistics, trial, from, to);
    const trialBits = planDynamic(trialStatistics, true);
    if (trialBits >= bits) break;
    bits = trialBits;
    memory.copy(statistics, trialStatistics, STATISTICS);
    const swapped = best;
    best = trial;
    trial = swapped;
  }
  leastBits = planDynamic(statistics, false);
  return best;
}

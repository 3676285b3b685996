/**
 * Encodes content that lies in memory into blocks. Positions count on from stream to stream, and the content
 * before `lowest` is another stream's; the match finders keep the last `WINDOW` positions.
 */
import { addStored, fixedBits, flushStored, planDynamic, putDynamic, putFixed, storedBits } from "./block";
import { findMatches } from "./matches";
import { isNoise } from "./noise";
import { parseCheapest, parseLongest, setCosts, setFixedCosts } from "./parse";
import { parseQuickly } from "./quick";
import { blockEnd, splitBlocks } from "./split";
import { countItems } from "./statistics";
import { WINDOW } from "./symbols";
import { clearTables, items, shiftTables, sizeTables, SPAN_MAX, spareItems } from "./workspace";

/** How much work is done for a stream. */
export namespace Effort {
  export const QUICK: u32 = 0;
  export const THOROUGH: u32 = 1;
}

/** Bytes that are looked at at a time for whether they are noise; the last part is up to twice as long. */
const PART: u32 = 8192;
/** Bytes parsed at a time, where there are more than `SPAN_MAX`. */
const SPAN: u32 = 64 << 10;
/**
 * Times that a block is parsed at most; and a small one, where some bytes are much, and the fixed code may
 * do.
 */
const PASSES: u32 = 2;
const PASSES_SMALL: u32 = 4;
const SMALL: u32 = 2048;

/** No position comes up to this. */
const POSITION_END: u32 = 0xfff00000;

const statistics: usize = memory.data(4 * 316, 4);
const trialStatistics: usize = memory.data(4 * 316, 4);
/** Bits of the best parse of a block. */
let leastBits: u32 = 0;

/** The next position, and the first of the present stream. */
let position: u32 = 0;
let lowest: u32 = 0;
/** Addresses are this and a position. */
let origin: usize = 0;
let effort: u32 = 0;
let isLastPiece: bool = false;
let pieceEnd: u32 = 0;

/**
 * Begins a stream: nothing before it is seen any more.
 * @param len bytes that it is going to have, or `u64.MAX_VALUE` where that is not known
 */
export function beginStream(level: u32, len: u64): void {
  sizeTables(len);
  effort = level;
  // At a multiple of the window's size, so that short streams use the same few nodes.
  position = (position + (2 * WINDOW - 1)) & ~(WINDOW - 1);
  lowest = position;
}

/**
 * Sets where the next stream begins and forgets what was before, so that a test need not encode 4 GiB to come
 * to the end of the positions.
 */
export function setPosition(next: u32): void {
  clearTables();
  position = next;
}

/** Makes room for positions, when they come to their end. */
function makeRoom(len: u32): void {
  if (position < POSITION_END && len < POSITION_END - position) return;
  if (lowest == position) {
    clearTables();
    position = lowest = WINDOW;
    return;
  }
  const delta = (position - 2 * WINDOW) & ~(WINDOW - 1);
  shiftTables(delta);
  position -= delta;
  lowest = lowest > delta + WINDOW ? lowest - delta : WINDOW;
}

/**
 * Encodes the next piece of the stream, in whole blocks.
 * @param ptr the piece; before it lie the `WINDOW` bytes that precede it in the stream, or all that do
 * @param isLast whether the stream ends with the piece, which may then be empty
 * @returns whether there was room for it
 */
export function encodePiece(ptr: usize, len: u32, isLast: bool): bool {
  makeRoom(len);
  origin = ptr - position;
  pieceEnd = position + len;
  isLastPiece = isLast;
  let checked = position;
  let noiseEnd = position;
  while (position < pieceEnd) {
    if (checked == position && noiseEnd > position) {
      addStored(origin + position, noiseEnd - position);
      position = checked = noiseEnd;
    }
    // What is parsed at once goes up to where noise begins.
    while (noiseEnd <= checked && checked < pieceEnd && checked - position < SPAN_MAX) {
      const left = pieceEnd - checked;
      const part = left < 2 * PART ? left : PART;
      if (isNoise(origin + checked, part)) noiseEnd = checked + part;
      else checked += part;
    }
    if (checked > position && !encodeSpan(checked)) {
      position = pieceEnd;
      return false;
    }
  }
  if (!flushStored(isLast)) return false;
  return !isLast || len != 0 || putFixed(items(), 0, 0, EMPTY_BITS, true);
}

/** An empty block in the fixed code: its type and the end. */
const EMPTY_BITS: u32 = 10;

/**
 * Takes note of content that precedes what is to be encoded.
 * @param len bytes of it, up to `WINDOW`
 * @param whole bytes that lie at `ptr`: that content, and what is to be encoded next, after which nothing comes
 */
export function skipHistory(ptr: usize, len: u32, whole: u32): void {
  makeRoom(whole);
  findMatches(ptr - position, position, position + len, position + whole, true, lowest);
  position += len;
}

/** Encodes from `position` up to `to`, or a part of it. @returns whether there was room */
function encodeSpan(to: u32): bool {
  const from = position;
  if (to - from > SPAN_MAX) to = from + SPAN;
  if (effort == Effort.QUICK) {
    parseQuickly(items(), origin, from, to, lowest);
  } else {
    to = findMatches(origin, from, to, pieceEnd, isLastPiece, lowest);
    parseLongest(items(), origin + from, to - from);
  }
  position = to;
  const content = origin + from;
  const blocks = splitBlocks(items(), to - from);
  let start: u32 = 0;
  for (let block: u32 = 0; block < blocks; block++) {
    const end = blockEnd(block);
    if (!encodeBlock(content, start, end, isLastPiece && from + end == pieceEnd)) return false;
    start = end;
  }
  return true;
}

/** Chooses a block's items and its form. */
function encodeBlock(content: usize, from: u32, to: u32, isFinal: bool): bool {
  let best = items();
  countItems(statistics, best, from, to);
  let fixed = fixedBits(statistics);
  let dynamic: u32 = 0;
  if (effort == Effort.QUICK) {
    dynamic = planDynamic(statistics, true);
  } else {
    if (to - from <= SMALL) fixed = tryFixed(content, from, to);
    best = improve(content, from, to);
    dynamic = leastBits;
  }
  if (storedBits(to - from) <= min(dynamic, fixed)) {
    addStored(content + from, to - from);
    return true;
  }
  if (dynamic < fixed) return putDynamic(best, from, to, dynamic, isFinal);
  if (effort != Effort.QUICK) fixed = tryFixed(content, from, to);
  return putFixed(effort == Effort.QUICK ? best : spareItems(), from, to, fixed, isFinal);
}

/** Parses a block for the fixed code, into the spare items. @returns its bits */
function tryFixed(content: usize, from: u32, to: u32): u32 {
  setFixedCosts();
  parseCheapest(spareItems(), content, from, to);
  countItems(trialStatistics, spareItems(), from, to);
  return fixedBits(trialStatistics);
}

/**
 * Parses a block over and over, each time with the costs that the best parse has shown, as long as it gets
 * better, and plans the codes.
 * @returns the best items; `leastBits` are theirs
 */
function improve(content: usize, from: u32, to: u32): usize {
  let best = items();
  let trial = spareItems();
  let bestCounts = statistics;
  let trialCounts = trialStatistics;
  leastBits = planDynamic(bestCounts, true);
  for (let pass = to - from <= SMALL ? PASSES_SMALL : PASSES; pass; pass--) {
    setCosts(bestCounts);
    parseCheapest(trial, content, from, to);
    countItems(trialCounts, trial, from, to);
    const bits = planDynamic(trialCounts, true);
    if (bits >= leastBits) break;
    leastBits = bits;
    const items = best;
    best = trial;
    trial = items;
    const counts = bestCounts;
    bestCounts = trialCounts;
    trialCounts = counts;
  }
  leastBits = planDynamic(bestCounts, false);
  return best;
}

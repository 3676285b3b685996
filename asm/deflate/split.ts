/**
 * Boundaries of blocks: a parse is cut into many parts, and neighbours are joined as long as that saves bits,
 * those first that save most.
 */
import { addStatistics, clearStatistics, countItem, estimateBits, STATISTICS } from "./statistics";
import { LENGTH_MASK } from "./symbols";

/** Parts to begin with, at most, and the items of each, at least. */
const PARTS: u32 = 64;
const PART_ITEMS: u32 = 400;

const statistics: usize = memory.data(64 * 4 * 316, 4);
/** For each part: its end, its bits, and the bits saved by joining it with the next. */
const ends: usize = memory.data(4 * 64, 4);
const bits: usize = memory.data(8 * 64, 8);
const savings: usize = memory.data(8 * 64, 8);

let partCount: u32 = 0;

// @ts-ignore: decorator
@inline
function statisticsOf(part: u32): usize {
  return statistics + part * STATISTICS;
}

/** Cuts the items of `count` positions into parts of as many items each. */
function cut(items: usize, count: u32): void {
  let itemCount: u32 = 0;
  for (let index: u32 = 0; index < count; index += load<u32>(items + (index << 2)) & LENGTH_MASK) itemCount++;
  const parts = max<u32>(1, min<u32>(PARTS, itemCount / PART_ITEMS));
  let index: u32 = 0;
  for (let part: u32 = 0; part < parts; part++) {
    clearStatistics(statisticsOf(part));
    let left = itemCount / (parts - part);
    itemCount -= left;
    for (; left; left--) {
      const item = load<u32>(items + (index << 2));
      countItem(statisticsOf(part), item);
      index += item & LENGTH_MASK;
    }
    store<u32>(ends + (part << 2), index);
    store<u64>(bits + (part << 3), estimateBits(statisticsOf(part), 0));
  }
  partCount = parts;
}

function updateSaving(part: u32): void {
  const apart = load<u64>(bits + (part << 3)) + load<u64>(bits + (part << 3), 8);
  store<i64>(savings + (part << 3), apart - estimateBits(statisticsOf(part), statisticsOf(part + 1)));
}

/** Joins a part with the next. */
function join(part: u32): void {
  addStatistics(statisticsOf(part), statisticsOf(part), statisticsOf(part + 1));
  const joined =
    load<u64>(bits + (part << 3)) + load<u64>(bits + (part << 3), 8) - load<u64>(savings + (part << 3));
  store<u64>(bits + (part << 3), joined);
  store<u32>(ends + (part << 2), load<u32>(ends + (part << 2), 4));
  partCount--;
  const rest = partCount - part - 1;
  memory.copy(statisticsOf(part + 1), statisticsOf(part + 2), rest * STATISTICS);
  memory.copy(ends + ((part + 1) << 2), ends + ((part + 2) << 2), rest << 2);
  memory.copy(bits + ((part + 1) << 3), bits + ((part + 2) << 3), rest << 3);
  memory.copy(savings + ((part + 1) << 3), savings + ((part + 2) << 3), rest << 3);
  if (part) updateSaving(part - 1);
  if (rest) updateSaving(part);
}

/**
 * Splits a parse into blocks.
 * @param count positions that the parse spans
 * @returns how many blocks: `blockEnd` says where they end
 */
export function splitBlocks(items: usize, count: u32): u32 {
  cut(items, count);
  for (let part: u32 = 0; part + 1 < partCount; part++) updateSaving(part);
  while (partCount > 1) {
    let best: u32 = 0;
    for (let part: u32 = 1; part + 1 < partCount; part++)
      if (load<i64>(savings + (part << 3)) > load<i64>(savings + (best << 3))) best = part;
    if (load<i64>(savings + (best << 3)) <= 0) break;
    join(best);
  }
  return partCount;
}

/** The end of a block that `splitBlocks` made. */
export function blockEnd(block: u32): u32 {
  return load<u32>(ends + (block << 2));
}

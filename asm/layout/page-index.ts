/**
 * Indexes of leaves, so that a search does not decode every record before the one that it looks for. A leaf gets its index
 * when it is searched for the second time:
 *
 *     │ entries + 1 u32; 1 after the first search, 0 before │ offsets u32 │ places u16 │ shared u8 │
 *
 * An entry stands for a record: its object's offset, its place in the page, and the bytes that its key shares with the key
 * before, 255 for more. Tails before a record belong to it, and count as if it shared nothing, so that no search passes
 * over them. A leaf has no index if its records are too many, or lie beyond 4 GiB in the PACK.
 */
import { indexRoom, page, pageIndex } from "./pages";
import { isMalformed, isTailNext, recordNext, recordOffset, recordsAt, recordsBegin, recordsEnd, recordsPlace, shared } from "./records";

const SEARCHED: u32 = 1;
const SHARED_MAX: u32 = 255;
const OFFSETS: usize = 4;

/** The next entry of the search. */
let next: u32 = 0;

// @ts-ignore: decorator
@inline
function placesOf(index: usize, room: u32): usize {
  return index + OFFSETS + (room << 2);
}

// @ts-ignore: decorator
@inline
function sharedOf(index: usize, room: u32): usize {
  return placesOf(index, room) + (room << 1);
}

/** Begins a search of the leaf that was read last. @returns whether it has an index: `indexNext` then finds the records */
export function indexBegin(): bool {
  recordsBegin();
  next = 0;
  const state = load<u32>(pageIndex);
  if (state > SEARCHED) return true;
  store<u32>(pageIndex, SEARCHED);
  return state == SEARCHED && make();
}

function make(): bool {
  const index = pageIndex;
  const room = indexRoom();
  let count: u32 = 0;
  while (count < room) {
    const place = recordsPlace();
    const isTail = isTailNext();
    if (!recordNext() || recordOffset >> 32) break;
    store<u32>(index + (count << 2), <u32>recordOffset, OFFSETS);
    store<u16>(placesOf(index, room) + (count << 1), <u16>(place - page));
    store<u8>(sharedOf(index, room) + count, isTail ? 0 : <u8>min<u32>(shared, SHARED_MAX));
    count++;
  }
  const isWhole = recordsEnd() && !isMalformed;
  if (isWhole) store<u32>(index, count + SEARCHED);
  recordsBegin();
  return isWhole;
}

/** Goes on to the next record that may share at most `most` bytes with the one before. @returns false at the page's end */
export function indexNext(most: u32): bool {
  const index = pageIndex;
  const room = indexRoom();
  const count = load<u32>(index) - SEARCHED;
  const shares = sharedOf(index, room);
  let entry = next;
  while (entry < count && load<u8>(shares + entry) > most) entry++;
  if (entry >= count) return false;
  next = entry + 1;
  const place = load<u16>(placesOf(index, room) + (entry << 1));
  recordsAt(page + place, entry ? load<u32>(index + (entry << 2), OFFSETS - 4) : 0);
  return recordNext();
}

/**
 * Indexes of bases, for the delta encoder: where in a base are the bytes that a target has at some place?
 *
 * An index, one block of the heap:
 *
 *     ┌ base u32 │ len u32 │ step u16 │ word u16 │ shift u32 ┬ starts, u32 each ────────────┬ entries, u32 each ┐
 *     └──────────┴─────────┴──────────┴──────────┴───────────┴─ by hash, and one for the end ┴─ tag │ slot ──────┘
 *
 * Slot s stands for the `word` bytes at `s * step` of the base. The entries of one hash ascend; their upper bits are a
 * tag out of the hash's other bits. Of a run of slots that hold the same bytes only the first is entered.
 */
import { heapAlloc, heapFree } from "../base/heap";

const HEADER: usize = 16;
/** Slots of an index at the most: large bases are not indexed at every byte. */
const SLOTS_MAX: u32 = 1 << 21;
/** The bits of an entry that are its slot. */
export const SLOT_MASK: u32 = 0x1fffff;
/** The fewest hashes, by their bits. */
const BITS_MIN: u32 = 4;
const MULTIPLIER_A: u64 = 0x9e3779b97f4a7c15;
const MULTIPLIER_B: u64 = 0xd6e8feb86659fd93;

/** The index in use: the base, and what `openIndex` found in the header. */
export let base: usize = 0;
export let baseEnd: usize = 0;
export let starts: usize = 0;
export let entries: usize = 0;
export let step: u32 = 1;
export let word: u32 = 8;
export let shift: u64 = 0;

/** The hash of the bytes at `ptr` and `ptr + behind`, 8 each. */
// @ts-ignore: decorator
@inline
function mix(ptr: usize, behind: u32): u64 {
  return (load<u64>(ptr) * MULTIPLIER_A + load<u64>(ptr + behind)) * MULTIPLIER_B;
}

/** The hash of a word: of its first and last 8 bytes, which overlap in words of less than 16. */
// @ts-ignore: decorator
@inline
export function hash(ptr: usize): u64 {
  return mix(ptr, word - 8);
}

/** The slot of a hash's first entry. The hash's upper bits select it. */
// @ts-ignore: decorator
@inline
export function startOf(hash: u64): usize {
  return starts + (<usize>(hash >> shift) << 2);
}

/** Other bits of a hash, where an entry has its tag. */
// @ts-ignore: decorator
@inline
export function tagOf(hash: u64): u32 {
  return <u32>hash & ~SLOT_MASK;
}

/** Whether the words at two places are equal. */
// @ts-ignore: decorator
@inline
export function sameWord(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a + word - 8) == load<u64>(b + word - 8);
}

/**
 * Bytes that are hashed together: what is shorter is found only where it goes on a copy's way. A copy from far into a
 * large base does not pay for less, and common words have many entries.
 */
function wordOf(len: u32): u32 {
  return len < 1 << 14 ? 8 : len < 1 << 17 ? 12 : 16;
}

/** Every how manieth byte of a base of that length is indexed. */
function stepOf(len: u32, isFine: bool): u32 {
  const least = (len + SLOTS_MAX - 1) / SLOTS_MAX;
  if (isFine) return max<u32>(least, len < 1 << 17 ? 1 : len < 1 << 19 ? 2 : 4);
  return max<u32>(least, len < 1 << 12 ? 1 : len < 1 << 15 ? 2 : len < 1 << 17 ? 4 : len < 1 << 21 ? 8 : 12);
}

/**
 * Indexes a base.
 * @param len bytes
 * @param isFine for `deltaEncode`: takes longer, and more memory, up to 28 MiB, and finds more; for `deltaMeasure` it
 *   does not pay
 * @returns the index, to be given back with `deltaIndexFree`, valid as long as the base stays in its place; 0 where
 *   there is no memory
 */
export function deltaIndex(ptr: usize, len: u32, isFine: bool): usize {
  word = wordOf(len);
  const words = len < word ? 0 : len - word + 1;
  const every = stepOf(len, isFine);
  const slotCount = (words + every - 1) / every;
  const bits: u32 = max<u32>(32 - clz<u32>(slotCount), BITS_MIN);
  const startsLen: usize = (4 << bits) + 4;
  const index = heapAlloc(HEADER + startsLen + (<usize>slotCount << 2));
  if (!index) return 0;
  store<u32>(index, <u32>ptr);
  store<u32>(index, len, 4);
  store<u16>(index, <u16>every, 8);
  store<u16>(index, <u16>word, 10);
  store<u32>(index, 64 - bits, 12);
  openIndex(index);
  memory.fill(starts, 0, startsLen);
  fillIndex(slotCount);
  return index;
}

/** Sorts the slots by hash: counts, sums up, and places them from the last one on. Equal hashes are equal words. */
function fillIndex(slotCount: u32): void {
  const first = starts;
  const every = step;
  const behind = word - 8;
  let ptr = base;
  let last: u64 = u64.MAX_VALUE;
  for (let slot: u32 = 0; slot < slotCount; slot++, ptr += every) {
    const mixed = mix(ptr, behind);
    if (mixed != last) {
      const start = first + (<usize>(mixed >> shift) << 2);
      store<u32>(start, load<u32>(start) + 1);
    }
    last = mixed;
  }
  let sum: u32 = 0;
  for (let start = first; start < entries; start += 4) {
    sum += load<u32>(start);
    store<u32>(start, sum);
  }
  const list = entries;
  for (let slot = slotCount; slot > 0; ) {
    slot--;
    ptr -= every;
    const mixed = last;
    last = slot ? mix(ptr - every, behind) : u64.MAX_VALUE;
    if (mixed == last) continue;
    const start = first + (<usize>(mixed >> shift) << 2);
    const place = load<u32>(start) - 1;
    store<u32>(start, place);
    store<u32>(list + (place << 2), slot | tagOf(mixed));
  }
}

/** Makes an index the one in use. */
export function openIndex(index: usize): void {
  base = load<u32>(index);
  baseEnd = base + load<u32>(index, 4);
  step = load<u16>(index, 8);
  word = load<u16>(index, 10);
  shift = load<u32>(index, 12);
  starts = index + HEADER;
  entries = starts + (<usize>4 << <usize>(64 - shift)) + 4;
}

/** Gives back an index; 0 is ignored. */
export function deltaIndexFree(index: usize): void {
  heapFree(index);
}

/**
 * Selects `most` entries about a place, from the entries `first` to `last`, which are more than `most`.
 * @param place bytes from the base's start; may lie outside of it
 */
export function nearestEntries(first: u32, last: u32, place: isize, most: u32): u32 {
  const slot: u32 = place < 0 ? 0 : <u32>place / step;
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((load<u32>(entries + (middle << 2)) & SLOT_MASK) < slot) low = middle + 1;
    else high = middle;
  }
  return min(max(low, first + most / 2) - most / 2, last - most);
}

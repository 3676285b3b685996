/**
 * The allocator: good-fit over segregated free lists with boundary tags, after TLSF (Masmano et al., ECRTS
 * 2004). It owns the memory from `__heap_base` up, grows it on demand up to a cap, and answers 0, never a
 * trap, when there is no more. An operation may be suspended (AGAIN) and outlive a call, which is why this is
 * no mark/reset arena. If others grow the memory, too (`OWNS_MEMORY`), it owns only the parts that it has grown
 * itself; a block that is never given back covers each part of the others.
 *
 * A block, 16-byte aligned payload:
 *
 *     ┌ header, 8 bytes ──────────────┬ payload, SIZE bytes ──────────────────┐
 *     │ prevSize u32 │ size u32 | USED │ next u32 │ prev u32 │ … (when free)  │
 *     └──────────────┴────────────────┴───────────────────────────────────────┘
 *
 * `size` and `prevSize` count the payload; a payload is 8 mod 16 bytes long, so that headers never break the
 * alignment. The last header is a sentinel: size 0, USED.
 */
import { OWNS_MEMORY } from "./features";
import { Limit } from "./limits";

const HEADER: usize = 8;
const USED: u32 = 1;
/** Flag of a block that covers memory of others. It is USED, too. */
const FOREIGN: u32 = 2;
const MIN_PAYLOAD: u32 = 24;
const SUB_BITS: u32 = 2;
const BINS: u32 = 128;
const PAGE: u32 = 0x10000;
/** The largest allocation. */
const SIZE_MAX: usize = 0x7ffffff0;

/** Heads of the free lists, by `binOf`; and a bitmap of those that hold a block. */
const heads: usize = memory.data(128 * 4, 16);
let bitmapLow: u64 = 0;
let bitmapHigh: u64 = 0;

let first: usize = 0;
let sentinel: usize = 0;
let cap: usize = Limit.MEMORY;
let used: usize = 0;
/** Bytes of others below the heap's end, which do not count towards the cap. */
let foreign: usize = 0;
/** The sentinel of a heap that has no memory yet and owns none. */
// @ts-ignore: decorator
@lazy const empty: usize = memory.data(16, 16);

// @ts-ignore: decorator
@inline
function sizeOf(block: usize): u32 {
  return load<u32>(block, 4) & ~(USED | FOREIGN);
}

// @ts-ignore: decorator
@inline
function isUsed(block: usize): bool {
  return (load<u32>(block, 4) & USED) != 0;
}

// @ts-ignore: decorator
@inline
function nextOf(block: usize): usize {
  return block + HEADER + sizeOf(block);
}

/** The list in which a free block of that payload belongs: four lists to each power of two. */
function binOf(size: u32): u32 {
  const log = 31 - clz(size);
  return (log << SUB_BITS) | ((size >> (log - SUB_BITS)) & ((1 << SUB_BITS) - 1));
}

function setSize(block: usize, size: u32, flag: u32): void {
  store<u32>(block, size | flag, 4);
  store<u32>(block + HEADER + size, size);
}

function link(block: usize): void {
  const bin = binOf(sizeOf(block));
  const head = load<u32>(heads + (bin << 2));
  store<u32>(block + HEADER, head);
  store<u32>(block + HEADER, 0, 4);
  if (head) store<u32>(head + HEADER, <u32>block, 4);
  store<u32>(heads + (bin << 2), <u32>block);
  if (bin < 64) bitmapLow |= <u64>1 << bin;
  else bitmapHigh |= <u64>1 << (bin - 64);
}

function unlink(block: usize): void {
  const next = load<u32>(block + HEADER);
  const prev = load<u32>(block + HEADER, 4);
  if (next) store<u32>(next + HEADER, prev, 4);
  if (prev) {
    store<u32>(prev + HEADER, next);
    return;
  }
  const bin = binOf(sizeOf(block));
  store<u32>(heads + (bin << 2), next);
  if (next) return;
  if (bin < 64) bitmapLow &= ~(<u64>1 << bin);
  else bitmapHigh &= ~(<u64>1 << (bin - 64));
}

/** The first non-empty list at or above `bin`, or `BINS`. */
function binFrom(bin: u32): u32 {
  if (bin < 64) {
    const low = (bitmapLow >> bin) << bin;
    if (low) return <u32>ctz(low);
    bin = 64;
  }
  if (bin >= BINS) return BINS;
  const high = (bitmapHigh >> (bin - 64)) << (bin - 64);
  return high ? 64 + <u32>ctz(high) : BINS;
}

/** A block for `size` in its own list, which may hold smaller ones too, among the first `most`. */
function findInList(size: u32, most: u32): usize {
  let block: usize = load<u32>(heads + (binOf(size) << 2));
  while (block && most--) {
    if (sizeOf(block) >= size) return block;
    block = load<u32>(block + HEADER);
  }
  return 0;
}

function find(size: u32): usize {
  const block = findInList(size, 8);
  if (block) return block;
  // Every block of a list above is large enough.
  const above = binFrom(binOf(size) + 1);
  if (above < BINS) return load<u32>(heads + (above << 2));
  // Rather a long look than a larger memory; `grow` relies on there being no block that would do.
  return findInList(size, u32.MAX_VALUE);
}

/** Bytes behind the heap's end, which others have taken since it grew. */
function othersAt(top: u64): u64 {
  return OWNS_MEMORY ? 0 : top - sentinel - HEADER;
}

/** Extends the memory so that a block of `size` fits at its end. */
function grow(size: u32): bool {
  // A guest may ask before it has mounted an image.
  if (!OWNS_MEMORY && !sentinel) return false;
  const top: u64 = <u64>memory.size() * PAGE;
  const isApart = othersAt(top) != 0;
  const tail: usize = load<u32>(sentinel) ? sentinel - HEADER - load<u32>(sentinel) : 0;
  const have: usize = tail && !isUsed(tail) && !isApart ? sizeOf(tail) + HEADER : 0;
  const need: u64 = <u64>size + HEADER - have + (isApart ? 2 * HEADER : 0);
  // Growing costs the host more than the bytes do, so that the memory grows by a part of what it is, if it may.
  return extend(top, whole(top + need + (top >> 4))) || extend(top, whole(top + need));
}

/** Bytes in whole pages. */
function whole(bytes: u64): u64 {
  return (bytes + (PAGE - 1)) & ~<u64>(PAGE - 1);
}

/** Grows the memory from `top` to `want` bytes, both whole pages. */
function extend(top: u64, want: u64): bool {
  const others = othersAt(top);
  if (want - foreign - others > cap || want > 0xffff0000) return false;
  if (memory.grow(<i32>((want - top) / PAGE)) < 0) return false;
  if (others) cover(<usize>top);
  adopt(<usize>want);
  return true;
}

/** Turns the bytes of others before `top` into a block that is never given back, with a sentinel behind it. */
function cover(top: usize): void {
  const others = <u32>(top - sentinel - HEADER);
  foreign += others;
  // Headers stand at 8 mod 16.
  setSize(sentinel, others + HEADER, USED | FOREIGN);
  sentinel = top + HEADER;
}

/** Turns the bytes between the sentinel and `end` into a free block, and writes a sentinel before `end`. */
function adopt(end: usize): void {
  let block = sentinel;
  const prevSize = load<u32>(block);
  let size = <u32>(end - HEADER - block - HEADER);
  const before: usize = prevSize ? block - HEADER - prevSize : 0;
  if (before && !isUsed(before)) {
    unlink(before);
    size += prevSize + HEADER;
    block = before;
  }
  setSize(block, size, 0);
  sentinel = end - HEADER;
  store<u32>(sentinel, USED, 4);
  link(block);
}

/** Makes one free block of all blocks between two that cover memory of others. */
function freeAll(): void {
  let free = first;
  for (let block = first; ; block = nextOf(block)) {
    if (block != sentinel && !(load<u32>(block, 4) & FOREIGN)) continue;
    if (block > free) {
      setSize(free, <u32>(block - free - HEADER), 0);
      link(free);
    }
    if (block == sentinel) return;
    free = nextOf(block);
  }
}

/**
 * Takes the memory above the static data, whatever was allocated there before, and caps the whole of it. If the memory
 * is not the heap's alone, it takes what it had, and caps the sum of its parts.
 * @param limit bytes; at least `Limit.MEMORY_MIN`
 */
export function heapInit(limit: u32): void {
  memory.fill(heads, 0, BINS << 2);
  bitmapLow = bitmapHigh = 0;
  used = 0;
  cap = limit;
  if (OWNS_MEMORY) {
    // Headers stand at 8 mod 16.
    first = ((__heap_base + 15) & ~15) + 8;
    if (first + 2 * HEADER + MIN_PAYLOAD > (<usize>memory.size() << 16)) memory.grow(1);
    store<u32>(first, 0);
    sentinel = first;
    adopt(<usize>memory.size() << 16);
  } else if (first) freeAll();
  else {
    first = sentinel = empty + HEADER;
    store<u32>(sentinel, USED, 4);
    foreign = sentinel + HEADER;
  }
}

/** Bytes of the memory that count towards the cap. */
export function heapSize(): usize {
  return OWNS_MEMORY ? <usize>memory.size() * PAGE : sentinel + HEADER - foreign;
}

/** The payload, 8 mod 16 bytes, that holds `size`. */
// @ts-ignore: decorator
@inline
function payloadOf(size: usize): u32 {
  return max<u32>(((<u32>size + 7) & ~15) + 8, MIN_PAYLOAD);
}

/** Takes a free block that holds `payload` out of its list, growing the memory where there is none; or 0. */
function obtain(payload: u32): usize {
  let block = find(payload);
  if (!block) {
    if (!grow(payload)) return 0;
    block = find(payload);
    if (!block) return 0;
  }
  unlink(block);
  return block;
}

/**
 * @param size bytes
 * @returns a 16-byte aligned pointer to at least `size` bytes, or 0 where the cap or the host leaves no room
 */
export function heapAlloc(size: usize): usize {
  if (size > SIZE_MAX) return 0;
  const payload = payloadOf(size);
  const block = obtain(payload);
  if (!block) return 0;
  const rest = sizeOf(block) - payload;
  if (rest >= HEADER + MIN_PAYLOAD) {
    setSize(block, payload, USED);
    const remainder = nextOf(block);
    setSize(remainder, rest - HEADER, 0);
    link(remainder);
  } else {
    store<u32>(block, sizeOf(block) | USED, 4);
  }
  used += sizeOf(block);
  return block + HEADER;
}

/**
 * Like `heapAlloc`, from the upper end of the free block: large buffers that alternate between the ends leave
 * one hole between them, not two.
 */
export function heapAllocHigh(size: usize): usize {
  if (size > SIZE_MAX) return 0;
  const payload = payloadOf(size);
  let block = obtain(payload);
  if (!block) return 0;
  const rest = sizeOf(block) - payload;
  if (rest >= HEADER + MIN_PAYLOAD) {
    setSize(block, rest - HEADER, 0);
    link(block);
    block = nextOf(block);
    setSize(block, payload, USED);
  } else {
    store<u32>(block, sizeOf(block) | USED, 4);
  }
  used += sizeOf(block);
  return block + HEADER;
}

/**
 * Sets what `heapAlloc` may grow the memory to.
 * @param limit bytes
 */
export function heapSetCap(limit: u32): void {
  cap = limit;
}

/**
 * Grows the memory so that a block of `size` bytes is free at its end, or as near to that as the cap allows.
 */
export function heapReserve(size: usize): void {
  if (size > SIZE_MAX || find(payloadOf(size)) || grow(payloadOf(size))) return;
  const top: u64 = <u64>memory.size() * PAGE;
  const end = (foreign + othersAt(top) + cap) & ~<u64>(PAGE - 1);
  if (end > top) extend(top, end);
}

/** Gives back what `heapAlloc` returned; 0 is ignored. */
export function heapFree(ptr: usize): void {
  if (!ptr) return;
  let block = ptr - HEADER;
  let size = sizeOf(block);
  used -= size;
  const next = nextOf(block);
  if (!isUsed(next)) {
    unlink(next);
    size += sizeOf(next) + HEADER;
  }
  const prevSize = load<u32>(block);
  if (prevSize && !isUsed(block - HEADER - prevSize)) {
    block -= HEADER + prevSize;
    unlink(block);
    size += prevSize + HEADER;
  }
  setSize(block, size, 0);
  link(block);
}

/** Bytes that `heapAlloc` could return for sure: the usable size of an allocation. */
export function heapSizeOf(ptr: usize): usize {
  return sizeOf(ptr - HEADER);
}

/** Bytes allocated now. */
export function heapUsed(): usize {
  return used;
}

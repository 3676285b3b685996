/**
 * Memory of the tree's nodes and leaves: bump allocation in slabs from the heap, and free lists, one a size class,
 * for the blocks that growing nodes leave behind. Blocks have no header: callers know the size of a block that
 * they free.
 *
 *     slab (a heap allocation)                      free block
 *     ┌ next u32 ┬ size u32 ┬ blocks … ┬ PAD ┐      ┌ next u32 ┬ … ┐
 *     └──────────┴──────────┴──────────┴─────┘      └──────────┴───┘
 *
 * Classes are 4 bytes apart up to `FINE`, 64 bytes apart beyond. A block may be read up to `PAD` bytes past its end.
 */
import { heapAlloc, heapFree, heapSizeOf } from "../base/heap";
import { PAD } from "./compare";

const GRAIN: u32 = 4;
const COARSE: u32 = 64;
const FINE: u32 = 512;
const FINE_CLASSES: u32 = FINE / GRAIN + 1;
/** The largest block: a Node256 under a prefix of `Limit.PATH` bytes, rounded up. */
const BLOCK_MAX: u32 = 5184;
const CLASSES: u32 = FINE_CLASSES + (BLOCK_MAX - FINE) / COARSE;

const SLAB_HEADER: u32 = 8;
const SLAB_MIN: u32 = 64 << 10;
const SLAB_MAX: u32 = 1 << 20;
/** Bytes that the heap puts before an allocation. A request that is shorter by them fills whole pages. */
const HEAP_HEADER: u32 = 8;

const heads: usize = memory.data(CLASSES * 4, 4);
let slabs: usize = 0;
let bump: usize = 0;
let bumpEnd: usize = 0;
let held: usize = 0;
let cap: usize = 0;

// @ts-ignore: decorator
@inline
function roundUp(size: u32): u32 {
  return size <= FINE ? (size + (GRAIN - 1)) & ~(GRAIN - 1) : (size + (COARSE - 1)) & ~(COARSE - 1);
}

/** The head of the free list of blocks of that rounded size. */
// @ts-ignore: decorator
@inline
function headOf(size: u32): usize {
  return heads + (size <= FINE ? size : (FINE_CLASSES - 1 + (size - FINE) / COARSE) << 2);
}

function push(block: usize, size: u32): void {
  const head = headOf(size);
  store<u32>(block, load<u32>(head));
  store<u32>(head, <u32>block);
}

/** Opens a slab with room for a block of `size`, after giving the rest of the last one to the free lists. */
function refill(size: u32): bool {
  const need = <usize>size + (SLAB_HEADER + PAD);
  let want = min<usize>(max<usize>((held >> 4) & ~<usize>(SLAB_MIN - 1), SLAB_MIN), SLAB_MAX) - HEAP_HEADER;
  want = min<usize>(want, cap > held ? cap - held : 0);
  let slab: usize = 0;
  while (want >= need) {
    slab = heapAlloc(want);
    // The heap rounds up; near the cap that is too much.
    if (slab && heapSizeOf(slab) <= cap - held) break;
    heapFree(slab);
    slab = 0;
    want >>= 1;
  }
  if (!slab) return false;
  while (bump < bumpEnd) {
    const rest = <u32>min<usize>(bumpEnd - bump, BLOCK_MAX);
    const piece = rest > FINE ? rest & ~(COARSE - 1) : rest;
    push(bump, piece);
    bump += piece;
  }
  const usable = heapSizeOf(slab);
  store<u32>(slab, <u32>slabs);
  slabs = slab;
  held += usable;
  bump = slab + SLAB_HEADER;
  bumpEnd = bump + ((usable - (SLAB_HEADER + PAD)) & ~<usize>(GRAIN - 1));
  return true;
}

/**
 * Forgets all slabs without freeing them: for a heap that has just been initialised.
 * @param maxBytes the most that slabs may take of the heap
 */
export function slabInit(maxBytes: usize): void {
  cap = maxBytes;
  slabs = bump = bumpEnd = held = 0;
  memory.fill(heads, 0, CLASSES * 4);
}

/** Gives all slabs back to the heap. */
export function slabReset(): void {
  let slab = slabs;
  while (slab) {
    const next: usize = load<u32>(slab);
    heapFree(slab);
    slab = next;
  }
  slabInit(cap);
}

/**
 * @param size bytes, 1 to `BLOCK_MAX`
 * @returns a 4-byte aligned block, or 0 at the cap or where the heap has no more
 */
export function slabAlloc(size: u32): usize {
  const rounded = roundUp(size);
  const head = headOf(rounded);
  const block: usize = load<u32>(head);
  if (block) {
    store<u32>(head, load<u32>(block));
    return block;
  }
  if (bumpEnd - bump < rounded && !refill(rounded)) return 0;
  const fresh = bump;
  bump += rounded;
  return fresh;
}

/** Takes back a block of `slabAlloc(size)`. */
export function slabFree(block: usize, size: u32): void {
  push(block, roundUp(size));
}

/** Counts other memory of the tree's, which the caller allocates or has freed; false where that would pass the cap. */
export function slabCharge(bytes: isize): bool {
  if (bytes > 0 && <usize>bytes > cap - held) return false;
  held += bytes;
  return true;
}

/** Bytes of the heap that slabs hold, and what was charged. */
export function slabBytes(): usize {
  return held;
}

/** Bytes of the last slab that no block has used yet. */
export function slabUnused(): usize {
  return bumpEnd - bump;
}

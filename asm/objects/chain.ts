/**
 * Delta chains: the headers from an object down to its base, read before anything is inflated. The walk stops
 * at the base or at an object that the cache holds, is bounded by `Limit.CHAIN_DEPTH`, and sees cycles (which
 * ref-deltas close).
 *
 * A link, 32 bytes:
 *
 *     │ offset u64, from the PACK's start │ data u64, absolute: the zlib stream │ size u64, inflated │ the header's CRC-32 u32 │ … │
 */
import { blockRelease, blockRequest } from "../device/sector-cache";
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { GitObject, cacheAlloc, cacheFind } from "./cache";
import { crcBegin, entryCrc } from "./entry-crc";
import { heapFree } from "../base/heap";
import { findEntry } from "./index";
import { idxOffset } from "../git/idx";
import { Kind, entryBase, entryBaseOid, entryData, entryKind, entrySize, readEntry } from "../git/entry";
import { provesCrc } from "./proof";

const LINK: usize = 32;
const CAPACITY_MIN: u32 = 64;
/** Bytes asked for behind a link's data when a device is slow to answer, at the most. */
const REQUEST_MAX: u64 = 0x10000;

let links: usize = 0;
let capacity: u32 = 0;

/** Links walked; the last one is nearest to the base. */
export let chainCount: u32 = 0;
/** A cached object that the walk ended at, held; or null, and the last link is the base. */
export let chainCached: GitObject | null = null;
/** The base's kind, where it is not cached. */
export let chainKind: u32 = 0;

let next: u64 = 0;
/** Brent's cycle detection: the offset at the last power of two. */
let landmark: u64 = 0;

export function chainInit(): void {
  links = 0;
  capacity = 0;
}

/** Begins at an object. */
export function chainBegin(offset: u64): void {
  chainCount = 0;
  chainCached = null;
  next = offset;
  landmark = offset;
}

// @ts-ignore: decorator
@inline
export function linkOffset(index: u32): u64 {
  return load<u64>(links + index * LINK);
}

// @ts-ignore: decorator
@inline
export function linkData(index: u32): u64 {
  return load<u64>(links + index * LINK, 8);
}

// @ts-ignore: decorator
@inline
export function linkSize(index: u32): u64 {
  return load<u64>(links + index * LINK, 16);
}

/** The CRC-32 of a link's header, where CRC-32s are checked. */
// @ts-ignore: decorator
@inline
export function linkCrc(index: u32): u32 {
  return load<u32>(links + index * LINK, 24);
}

function push(): i32 {
  if (chainCount == capacity) {
    const wider = max<u32>(CAPACITY_MIN, capacity << 1);
    const ptr = cacheAlloc(wider * LINK);
    if (!ptr) return Status.OUT_OF_MEMORY;
    memory.copy(ptr, links, capacity * LINK);
    heapFree(links);
    links = ptr;
    capacity = wider;
  }
  const link = links + chainCount * LINK;
  store<u64>(link, next);
  store<u64>(link, entryData, 8);
  store<u64>(link, entrySize, 16);
  if (provesCrc()) store<u32>(link, entryCrc, 24);
  chainCount++;
  return Status.OK;
}

/**
 * Walks on, after AGAIN from where it stopped.
 * @returns OK at the base or at a cached object, which is held; CHAIN_TOO_DEEP, which may hold one, too;
 *   BAD_BASE for a cycle, MISSING_BASE, what `readEntry` and `findEntry` return
 */
export function chainWalk(): i32 {
  while (true) {
    chainCached = cacheFind(next);
    if (chainCached != null) {
      // With its own depth, so that it does not hang on what was read before whether a chain is too deep.
      return chainCount + chainCached!.depth > Limit.CHAIN_DEPTH ? Status.CHAIN_TOO_DEEP : Status.OK;
    }
    if (chainCount > Limit.CHAIN_DEPTH) return Status.CHAIN_TOO_DEEP;
    let status = readEntry(next);
    if (status == Status.OK && provesCrc()) status = crcBegin(next, entryData);
    if (status != Status.OK) return status;
    const kind = entryKind;
    let base = entryBase;
    if (kind == Kind.REF_DELTA) {
      status = findEntry(entryBaseOid);
      if (status == Status.MISSING_OBJECT) return Status.MISSING_BASE;
      if (status != Status.OK) return status;
      base = idxOffset;
    }
    status = push();
    if (status != Status.OK) return status;
    blockRelease();
    if (kind <= Kind.TAG) {
      chainKind = kind;
      return Status.OK;
    }
    if (base == landmark) return Status.BAD_BASE;
    if ((chainCount & (chainCount - 1)) == 0) landmark = next;
    next = base;
  }
}

/** The offset that the walk has come to: where an error was met. */
export function chainOffset(): u64 {
  return next;
}

/** Asks for the compressed bytes of every link that is not inflated yet: the links below `count`. */
export function chainRequest(count: u32): void {
  while (count > 0) {
    count--;
    blockRequest(linkData(count), min<u64>(linkSize(count) + 32, REQUEST_MAX));
  }
}

/** Gives memory back that an unusually long chain took. */
export function chainTrim(): void {
  if (capacity <= 1024) return;
  heapFree(links);
  links = 0;
  capacity = 0;
}

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
import { cacheAlloc, cacheFind } from "./cache";
import { crcHeader, headerCrc } from "./entry-crc";
import { heapFree } from "../base/heap";
import { findEntry } from "./index";
import { idxOffset } from "../git/idx";
import { ENTRY_HEADER, EntryHeader, Kind, readEntry } from "../git/entry";
import { loading } from "./loading";
import { provesCrc } from "./proof";

const LINK: usize = 32;
const CAPACITY_MIN: u32 = 64;
/** Links that room is kept for, at most. */
const LINKS_KEPT: u32 = 1024;
/** When a device is slow to answer: the most bytes that are asked for behind a link's data. */
const REQUEST_MAX: u64 = 0x10000;

/** The header that was read last. */
const entry = changetype<EntryHeader>(memory.data(ENTRY_HEADER, 8));

/** Begins a walk at an object. */
export function chainBegin(offset: u64): void {
  const chain = loading;
  chain.chainCount = 0;
  chain.chainCached = null;
  chain.chainNext = offset;
  chain.landmark = offset;
}

// @ts-ignore: decorator
@inline
function link(index: u32): usize {
  return loading.links + index * LINK;
}

export function linkOffset(index: u32): u64 {
  return load<u64>(link(index));
}

export function linkData(index: u32): u64 {
  return load<u64>(link(index), 8);
}

export function linkSize(index: u32): u64 {
  return load<u64>(link(index), 16);
}

/** The CRC-32 of a link's header, if CRC-32s are checked. */
// @ts-ignore: decorator
@inline
export function linkCrc(index: u32): u32 {
  return load<u32>(link(index), 24);
}

/** Adds a link for the entry whose header was read last. */
function push(): i32 {
  const chain = loading;
  const count = chain.chainCount;
  if (count == chain.linkCapacity) {
    const wider = max<u32>(CAPACITY_MIN, count << 1);
    const ptr = cacheAlloc(wider * LINK);
    if (!ptr) return Status.OUT_OF_MEMORY;
    memory.copy(ptr, chain.links, count * LINK);
    heapFree(chain.links);
    chain.links = ptr;
    chain.linkCapacity = wider;
  }
  const added = chain.links + count * LINK;
  store<u64>(added, chain.chainNext);
  store<u64>(added, entry.data, 8);
  store<u64>(added, entry.size, 16);
  if (provesCrc()) store<u32>(added, headerCrc, 24);
  chain.chainCount = count + 1;
  return Status.OK;
}

/**
 * Walks on, after AGAIN from where it stopped.
 * @returns OK at the base or at a cached object, which is held; CHAIN_TOO_DEEP, which may hold one, too;
 *   BAD_BASE for a cycle, MISSING_BASE, or a status of `readEntry` or `findEntry`
 */
export function chainWalk(): i32 {
  const chain = loading;
  while (true) {
    const next = chain.chainNext;
    const cached = cacheFind(next);
    chain.chainCached = cached;
    if (cached != null) {
      // Its own depth counts too: earlier reads must not decide whether a chain is too deep.
      return chain.chainCount + cached.depth > Limit.CHAIN_DEPTH ? Status.CHAIN_TOO_DEEP : Status.OK;
    }
    if (chain.chainCount > Limit.CHAIN_DEPTH) return Status.CHAIN_TOO_DEEP;
    let status = readEntry(entry, next);
    if (status == Status.OK && provesCrc()) status = crcHeader(next, entry.data);
    if (status != Status.OK) return status;
    const kind = entry.kind;
    let base = entry.base;
    if (kind == Kind.REF_DELTA) {
      status = findEntry(entry.baseOid);
      if (status == Status.MISSING_OBJECT) return Status.MISSING_BASE;
      if (status != Status.OK) return status;
      base = idxOffset;
    }
    status = push();
    if (status != Status.OK) return status;
    blockRelease();
    if (kind <= Kind.TAG) {
      chain.chainKind = kind;
      return Status.OK;
    }
    if (base == chain.landmark) return Status.BAD_BASE;
    const count = chain.chainCount;
    if ((count & (count - 1)) == 0) chain.landmark = next;
    chain.chainNext = base;
  }
}

/** Asks for the compressed bytes of every link that is not inflated yet: the links below `count`. */
export function chainRequest(count: u32): void {
  while (count > 0) {
    count--;
    blockRequest(linkData(count), min<u64>(linkSize(count) + 32, REQUEST_MAX));
  }
}

/** Gives the links' memory back. */
export function chainFree(): void {
  const chain = loading;
  heapFree(chain.links);
  chain.links = 0;
  chain.linkCapacity = 0;
}

/** Gives back memory that an unusually long chain took. */
export function chainTrim(): void {
  if (loading.linkCapacity > LINKS_KEPT) chainFree();
}

/**
 * The library core's exports, for embedders in any language: docs/ABI.md. It imports `solo5.block_read` and
 * nothing else, and every function takes plain numbers and pointers into its memory. One instance serves one
 * volume.
 */
import { cacheAlloc, cacheBytes, cacheHits, cacheMisses } from "./objects/cache";
import { artBytes } from "./art/art";
import { blockBytes, blockHits, blockMisses, blockReads } from "./device/sector-cache";
import { deltaBytes } from "./objects/load";
import { streamedBytes } from "./objects/stream";
import { heapFree, heapUsed } from "./base/heap";
import { Limit } from "./base/limits";
import { windowBytes } from "./volume/windows";

export {
  cancel,
  list,
  mount,
  mountBegin,
  object,
  operation,
  read,
  release,
  result,
  resume,
  stat,
} from "./volume/handles";
export { infoPtr as info, volumeProve as prove } from "./volume/volume";

/** Of this interface: raised when an export or a struct changes. */
export const ABI_VERSION: i32 = 3;

const pathBuffer: usize = memory.data(Limit.PATH * 2, 16);
/** │ device reads u64 │ device bytes │ sector hits │ sector misses │ object hits │ object misses │ object bytes │ ART bytes │ heap bytes │ bytes inflated │ bytes made by deltas │ */
const statistics: usize = memory.data(88, 16);

/** 8192 bytes for the caller to write paths and ids into. */
export function input(): usize {
  return pathBuffer;
}

/** Fills the statistics: eleven u64. */
export function stats(): usize {
  store<u64>(statistics, blockReads);
  store<u64>(statistics, blockBytes, 8);
  store<u64>(statistics, blockHits, 16);
  store<u64>(statistics, blockMisses, 24);
  store<u64>(statistics, cacheHits, 32);
  store<u64>(statistics, cacheMisses, 40);
  store<u64>(statistics, <u64>(cacheBytes() + windowBytes()), 48);
  store<u64>(statistics, <u64>artBytes(), 56);
  store<u64>(statistics, <u64>heapUsed(), 64);
  store<u64>(statistics, streamedBytes, 72);
  store<u64>(statistics, deltaBytes, 80);
  return statistics;
}

/** Memory for the caller, under the instance's cap; 0 where there is none. Given back with `free`. */
export function alloc(size: u32): usize {
  return cacheAlloc(size);
}

export function free(ptr: usize): void {
  heapFree(ptr);
}

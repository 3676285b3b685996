/**
 * The ids of the objects that the ART knows, if objects are proven. A leaf then holds the number of an entry
 * here, 28 bytes:
 *
 *     │ id 20 │ offset u64, from the PACK's start; 0 for a submodule │
 */
import { copyOid } from "../base/bytes";
import { cacheAlloc } from "../objects/cache";
import { heapFree } from "../base/heap";

const ENTRY: usize = 28;
const CAPACITY_MIN: u32 = 256;

let entries: usize = 0;
let count: u32 = 0;
let capacity: u32 = 0;
let capacityMax: u32 = 0;

/** @param max bytes that the entries may take */
export function idsInit(max: u32): void {
  entries = 0;
  count = capacity = 0;
  capacityMax = max / <u32>ENTRY;
}

/** Forgets all entries, and gives their memory back. */
export function idsReset(): void {
  heapFree(entries);
  entries = 0;
  count = capacity = 0;
}

function grow(): bool {
  const wider = min<u32>(max<u32>(CAPACITY_MIN, capacity << 1), capacityMax);
  if (wider == capacity) return false;
  const ptr = cacheAlloc(<usize>wider * ENTRY);
  if (!ptr) return false;
  memory.copy(ptr, entries, <usize>count * ENTRY);
  heapFree(entries);
  entries = ptr;
  capacity = wider;
  return true;
}

/** @returns the number of the new entry, or -1 if memory has no room for it */
export function idsAdd(oid: usize, offset: u64): i64 {
  if (count == capacity && !grow()) return -1;
  const entry = entries + <usize>count * ENTRY;
  copyOid(entry, oid);
  store<u64>(entry, offset, 20);
  return count++;
}

/** A pointer to the 20 bytes of an entry's id, valid until the next one is added. */
export function idOf(index: u32): usize {
  return entries + <usize>index * ENTRY;
}

export function idOffset(index: u32): u64 {
  return load<u64>(idOf(index), 20);
}

/**
 * The index of a PACK in memory, as `analyze` rebuilds it: a record for each entry in the PACK's order, and a
 * hash from ids to records.
 *
 *     record, 40 bytes:  │ oid 20 │ CRC-32 u32 │ offset u64, from the PACK's start │ kind u8, 0 while unresolved │ … │
 *     hash:  u32 each: a record's index + 1, or 0; open addressing, at most half full. Whoever makes ids that fall near each
 *       other would have them step over each other: how far each steps is in its id, too
 */
import { loadBE32, sameOid } from "../base/bytes";
import { heapAlloc } from "../base/heap";
import { Status } from "../base/status";

export const RECORD: usize = 40;

let records: usize = 0;
let hash: usize = 0;
let hashMask: u32 = 0;

/** Whether lookups are served from here instead of the image's IDX. */
export let tableActive: bool = false;
/** What `tableFind` found. */
export let tableIndex: u32 = 0;

export function tableReset(): void {
  tableActive = false;
  records = hash = 0;
}

/** @param count entries; their records are zero */
export function tableInit(count: u32): i32 {
  const slots: u64 = (<u64>1) << (64 - <u64>clz(max<u64>(<u64>count * 2 - 1, 1)));
  const recordsLen: u64 = <u64>count * RECORD;
  if (recordsLen + slots * 4 > 0x7fff0000) return Status.OUT_OF_MEMORY;
  records = heapAlloc(<usize>recordsLen);
  hash = heapAlloc(<usize>slots << 2);
  if (!records || !hash) return Status.OUT_OF_MEMORY;
  memory.fill(records, 0, <usize>recordsLen);
  memory.fill(hash, 0, <usize>slots << 2);
  hashMask = <u32>slots - 1;
  tableActive = true;
  return Status.OK;
}

// @ts-ignore: decorator
@inline
export function record(index: u32): usize {
  return records + index * RECORD;
}

export function recordOffset(index: u32): u64 {
  return load<u64>(record(index), 24);
}

export function recordKind(index: u32): u32 {
  return load<u8>(record(index), 32);
}

/** How far to go from a slot that is taken: any odd number meets all slots. */
// @ts-ignore: decorator
@inline
function stepOf(oid: usize): u32 {
  return load<u32>(oid, 4) | 1;
}

/** The id of record `index` has been written: makes it findable. */
export function tableAdd(index: u32, kind: u32): void {
  const oid = record(index);
  store<u8>(oid, kind, 32);
  let slot = loadBE32(oid) & hashMask;
  while (load<u32>(hash + (slot << 2))) slot = (slot + stepOf(oid)) & hashMask;
  store<u32>(hash + (slot << 2), index + 1);
}

/** @returns whether an object of that id (20 bytes) is known; then `tableIndex` is its record's */
export function tableFind(oid: usize): bool {
  let slot = loadBE32(oid) & hashMask;
  while (true) {
    const index = load<u32>(hash + (slot << 2));
    if (!index) return false;
    if (sameOid(record(index - 1), oid)) {
      tableIndex = index - 1;
      return true;
    }
    slot = (slot + stepOf(oid)) & hashMask;
  }
}

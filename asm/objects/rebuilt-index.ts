/**
 * The index of a PACK in memory, as `analyze` rebuilds it: a record for each entry in the PACK's order, and a
 * search by ids.
 *
 *     record, 40 bytes:  │ oid 20 │ CRC-32 u32 │ offset u64, from the PACK's start │ kind u8, 0 while unresolved │ … │
 *     heads, u32 each:   by the first bits of an id
 *     below, 8 bytes:    for each record │ u32, for a bit 0 │ u32, for a bit 1 │
 *
 * A head leads to a digital search tree: at each level another bit of the id leads below. Nearly all trees have one or
 * two records. None is deeper than the number of an id's bits, even if an attacker chose the ids. Numbers are those of
 * records, plus one; 0 is none.
 */
import { oidBit, sameOid } from "../base/bytes";
import { heapAlloc } from "../base/heap";
import { Status } from "../base/status";

export const RECORD: usize = 40;

let records: usize = 0;
let heads: usize = 0;
let headMask: u32 = 0;
let below: usize = 0;

/** Whether lookups are served from here instead of the image's IDX. */
export let tableActive: bool = false;
/** The result of `tableFind`: a record's index. */
export let tableIndex: u32 = 0;

export function tableReset(): void {
  tableActive = false;
}

/** @param count entries; their records are zero */
export function tableInit(count: u32): i32 {
  const headCount: u32 = 1 << (31 - clz(count | 1));
  const len = <u64>count * (RECORD + 8) + (<u64>headCount << 2);
  if (len > 0x7fff0000) return Status.OUT_OF_MEMORY;
  records = heapAlloc(<usize>len);
  if (!records) return Status.OUT_OF_MEMORY;
  memory.fill(records, 0, <usize>len);
  below = records + count * RECORD;
  heads = below + (<usize>count << 3);
  headMask = headCount - 1;
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

/** The link to the record of an id, or the empty link where it belongs. */
function placeOf(oid: usize): usize {
  let place = heads + ((load<u32>(oid) & headMask) << 2);
  // The first 32 bits come last, as the head already tells most of them.
  let bit: u32 = 32;
  while (true) {
    const number = load<u32>(place);
    if (!number || sameOid(record(number - 1), oid)) return place;
    place = below + (<usize>(number - 1) << 3) + (oidBit(oid, bit) << 2);
    bit = bit == 159 ? 0 : bit + 1;
  }
}

/** Makes record `index` findable, whose id has been written. If two records have one id, the first one is found. */
export function tableAdd(index: u32, kind: u32): void {
  const oid = record(index);
  store<u8>(oid, kind, 32);
  const place = placeOf(oid);
  if (!load<u32>(place)) store<u32>(place, index + 1);
}

/** @returns whether an object of that id (20 bytes) is known; then `tableIndex` is its record's */
export function tableFind(oid: usize): bool {
  tableIndex = load<u32>(placeOf(oid)) - 1;
  return tableIndex != u32.MAX_VALUE;
}

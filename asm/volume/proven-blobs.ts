/**
 * Blobs that have been proven and are not in memory. A blob that is too large for memory is then not hashed for each
 * of its pieces, nor is a blob hashed again for its size. The table has a fixed size, and the newest blob wins:
 *
 *     a slot, 40 bytes:  │ offset u64, from the PACK's start; 0 free │ size u64, bytes │ id 20 │ … │
 */
import { copyOid, sameOid } from "../base/bytes";

const SLOT: usize = 40;
const SLOTS: u32 = 512;
// @ts-ignore: decorator
@lazy
const slots: usize = memory.data(SLOT * SLOTS, 8);

/** The size of the blob that `provenFind` found. */
export let provenFound: u64 = 0;

export function provenInit(): void {
  memory.fill(slots, 0, SLOT * SLOTS);
}

function slotOf(offset: u64): usize {
  return slots + <usize>((<u32>offset * 0x9e3779b1) >> 23) * SLOT;
}

/** Whether the object at an offset has been proven to have this id; then `provenFound` is its size. */
export function provenFind(offset: u64, oid: usize): bool {
  const slot = slotOf(offset);
  if (load<u64>(slot) != offset || !sameOid(slot + 16, oid)) return false;
  provenFound = load<u64>(slot, 8);
  return true;
}

/** Forgets a proof, because the bytes are not those that were proven. */
export function provenDrop(offset: u64): void {
  const slot = slotOf(offset);
  if (load<u64>(slot) == offset) store<u64>(slot, 0);
}

export function provenAdd(offset: u64, oid: usize, size: u64): void {
  const slot = slotOf(offset);
  store<u64>(slot, offset);
  store<u64>(slot, size, 8);
  copyOid(slot + 16, oid);
}

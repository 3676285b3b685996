/**
 * The place of an operation's error, kept here alone. Code writes it where it meets an error, or before a step that
 * may fail; the operation reads it when it ends.
 */
import { copyOid } from "./bytes";
import { Status } from "./status";

const oidBytes: usize = memory.data(20, 8);

/** The offset of the entry in question, from the PACK's start; 0 where none is. */
export let faultOffset: u64 = 0;
/** A pointer to the id of the object in question, 20 bytes; 0 where none is. */
export let faultOid: usize = 0;

/** Begins an operation: no error has been met. */
export function faultClear(): void {
  faultOffset = 0;
  faultOid = 0;
}

export function faultAt(offset: u64): void {
  faultOffset = offset;
}

/** Names the object of an error. @param oid 20 bytes, which are copied @returns the status */
export function faultOf(status: i32, oid: usize): i32 {
  if (status > Status.AGAIN) {
    copyOid(oidBytes, oid);
    faultOid = oidBytes;
  }
  return status;
}

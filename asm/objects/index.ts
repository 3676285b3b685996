/** Finds the entry of an object: by the image's IDX, or by the index that `analyze` rebuilds from the PACK. */
import { packCount } from "../git/entry";
import { idxCount, idxFind, idxOpen, setIdxOffset } from "../git/idx";
import { recordOffset, tableActive, tableFind, tableIndex } from "./rebuilt-index";
import { Status } from "../base/status";

/** Whether the IDX has been opened. */
let isOpen: bool = false;

/** Says that another image is mounted. */
export function indexForget(): void {
  isOpen = false;
}

/** Opens the IDX, once. @returns OK, BAD_IDX, TRUNCATED or the device's status */
export function indexOpen(): i32 {
  if (isOpen) return Status.OK;
  const status = idxOpen();
  if (status != Status.OK) return status;
  if (idxCount != packCount) return Status.BAD_IDX;
  isOpen = true;
  return Status.OK;
}

/**
 * Finds an object by its id.
 * @param oid 20 bytes
 * @returns OK with `idxOffset`, MISSING_OBJECT, BAD_IDX, TRUNCATED or the device's status
 */
export function findEntry(oid: usize): i32 {
  if (!tableActive) {
    const status = indexOpen();
    return status == Status.OK ? idxFind(oid) : status;
  }
  if (!tableFind(oid)) return Status.MISSING_OBJECT;
  setIdxOffset(recordOffset(tableIndex));
  return Status.OK;
}

/** Finds the entry of an object: by the image's IDX, or by the index that `analyze` rebuilds from the PACK. */
import { idxFind, setIdxOffset } from "../git/idx";
import { recordOffset, tableActive, tableFind, tableIndex } from "./rebuilt-index";
import { Status } from "../base/status";

/**
 * Finds an object by its id.
 * @param oid 20 bytes
 * @returns OK with `idxOffset`, MISSING_OBJECT, BAD_IDX, TRUNCATED or the device's status
 */
export function findEntry(oid: usize): i32 {
  if (!tableActive) return idxFind(oid);
  if (!tableFind(oid)) return Status.MISSING_OBJECT;
  setIdxOffset(recordOffset(tableIndex));
  return Status.OK;
}

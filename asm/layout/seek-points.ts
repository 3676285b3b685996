/**
 * Seek points: the places in large blobs' entries at which inflating can begin. They lie in pages of their own, u64 each,
 * behind the leaves (docs/FORMAT.md).
 */
import { Status } from "../base/status";
import { leafCount, pageSize, seekPageCount } from "./footer";
import { BAD_PAGE, RECORDS, page, pageEnd, pageLevel, pageRead } from "./pages";

const SEEK_LEVEL: u32 = 255;
const POINT_SHIFT: u32 = 3;

/** The point that was read last: an offset from its entry's start. */
export let seekPoint: u64 = 0;

/** Reads a point. @param number counts those of all blobs @returns OK, BAD_PAGE, or the device's status */
export function seekPointRead(number: u32): i32 {
  const most = (pageSize() - RECORDS) >> POINT_SHIFT;
  const index = number / most;
  if (index >= seekPageCount()) return BAD_PAGE;
  const status = pageRead(leafCount() + index, 1);
  if (status != Status.OK) return status;
  const ptr = page + RECORDS + ((number % most) << POINT_SHIFT);
  if (pageLevel() != SEEK_LEVEL || ptr + 8 > pageEnd()) return BAD_PAGE;
  seekPoint = load<u64>(ptr);
  return Status.OK;
}

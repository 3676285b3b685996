/**
 * Seek records, one for each segment of a large blob: the place in its entry at which inflating can begin, and checksums of
 * the content up to the start of each cell, a sixteenth of the segment. They lie in pages of their own, behind the leaves
 * (docs/FORMAT.md):
 *
 *     │ place u64 │ Adler-32 u32 × 16 │
 */
import { Status } from "../base/status";
import { leafCount, pageSize, seekPageCount } from "./footer";
import { BAD_PAGE, RECORDS, page, pageEnd, pageLevel, pageRead } from "./pages";

const SEEK_LEVEL: u32 = 255;
const CHECKSUMS: u32 = 8;
/** A segment has 2^4 cells. */
export const CELL_SHIFT: u32 = 4;
const RECORD: u32 = CHECKSUMS + (4 << CELL_SHIFT);
/** Bytes of content in a segment are a multiple of 2^16. */
export const UNIT_SHIFT: u32 = 16;

/** The results of `seekRecordRead`: an offset from the entry's start, and a checksum. */
export let seekPlace: u64 = 0;
export let seekChecksum: u32 = 0;

/**
 * Reads a record.
 * @param number counts those of all blobs
 * @param cell of which the checksum is wanted
 * @returns OK, BAD_PAGE, or the device's status
 */
export function seekRecordRead(number: u64, cell: u32): i32 {
  const most = (pageSize() - RECORDS) / RECORD;
  const index = number / most;
  if (index >= seekPageCount()) return BAD_PAGE;
  const status = pageRead(leafCount() + <u32>index, 1);
  if (status != Status.OK) return status;
  const ptr = page + RECORDS + <u32>(number % most) * RECORD;
  if (pageLevel() != SEEK_LEVEL || ptr + RECORD > pageEnd()) return BAD_PAGE;
  seekPlace = load<u64>(ptr);
  seekChecksum = load<u32>(ptr + (cell << 2), CHECKSUMS);
  return Status.OK;
}

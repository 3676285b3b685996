/**
 * Seek points of the blob that the operation reads, or of the base that it is a delta of: the places in that entry at which
 * inflating can begin, and checksums that prove what comes of it, cell by cell. A page that is damaged costs the section its
 * trust. If a page is sound and a checksum does not match, the entry is damaged.
 */
import { Status } from "../base/status";
import { blockIsSlow, blockRequest } from "../device/sector-cache";
import { PACK_START, entriesEnd, isEntryOffset } from "../git/entry";
import { Layout } from "../layout/footer";
import { BAD_PAGE } from "../layout/pages";
import { CELL_SHIFT, seekChecksum, seekPlace, seekRecordRead } from "../layout/seek-points";
import { layoutState } from "./layout";
import { here } from "./operation";

export { seekChecksum };

/** The point that `seekBefore` found: its position in the blob, and its offset in the entry. */
export let seekAt: u64 = 0;
export let seekFrom: u64 = 0;
/** The position of the next checksum, or the blob's end. */
export let seekStopAt: u64 = 0;

/** Whether the operation has seek points of a blob. Mounts that prove entries or objects do not use the section. */
export function seeks(blob: u64): bool {
  const read = here();
  return read.segment != 0 && read.seekBlob == blob && layoutState == Layout.USED;
}

/** Reads the record of the segment, and the checksum of the cell, in which a position is. */
function recordAt(position: u64): i32 {
  const read = here();
  const segment = read.segment;
  const within = <u32>(position % segment);
  return seekRecordRead(read.seek + position / segment, within / (segment >> CELL_SHIFT));
}

/** Whether a position lies behind another one and a point between them. */
export function seekBetween(reached: u64, position: u64): bool {
  return position - (position % here().segment) > reached;
}

/**
 * Finds the last point at or before a position of the operation's blob, which the blob's start is, too. If the device is
 * slow, all that the segment needs is asked for.
 * @returns OK with `seekAt`, `seekFrom` and `seekChecksum`; BAD_PAGE; or the device's status
 */
export function seekBefore(blob: u64, size: u64, position: u64): i32 {
  const read = here();
  const at = min<u64>(position, size - 1);
  const start = at - (at % read.segment);
  let end = read.seekLen;
  if (size - start > read.segment) {
    const status = recordAt(start + read.segment);
    if (status != Status.OK) return status;
    end = seekPlace;
  }
  const status = recordAt(start);
  if (status != Status.OK) return status;
  if (!seekPlace || seekPlace >= end || end > entriesEnd() - PACK_START - blob) return BAD_PAGE;
  if (blockIsSlow()) blockRequest(PACK_START + blob + seekPlace, end - seekPlace);
  seekAt = start;
  seekFrom = seekPlace;
  return Status.OK;
}

/** Finds the checksum that comes next behind a position. @returns OK with `seekStopAt`, BAD_PAGE, or the device's status */
export function seekStop(position: u64, size: u64): i32 {
  const cell = here().segment >> CELL_SHIFT;
  seekStopAt = min<u64>(position - (position % cell) + cell, size);
  return seekStopAt == size ? Status.OK : recordAt(seekStopAt);
}

/**
 * While the operation is about to wait for the entry's header: asks for what a read from a position on needs. Most deltas
 * hardly move what they copy, so that this is a good guess for them, too.
 */
export function seekRequest(position: u64): void {
  const read = here();
  if (seeks(read.seekBlob) && isEntryOffset(read.seekBlob)) seekBefore(read.seekBlob, read.knownSize, position);
}

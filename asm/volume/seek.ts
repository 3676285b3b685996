/**
 * Seek points of the blob that the operation reads: where in its entry inflating can begin, and where it must come to.
 * They are hints: what they lead to is checked on the way, and a wrong one costs the section its trust.
 */
import { Status } from "../base/status";
import { blockPeek, blockRequest, blockStatus } from "../device/sector-cache";
import { PACK_START, entriesEnd } from "../git/entry";
import { Layout, segmentLen } from "../layout/footer";
import { BAD_PAGE } from "../layout/pages";
import { seekPoint, seekPointRead } from "../layout/seek-points";
import { provesCrc, provesOid } from "../objects/proof";
import { layoutState } from "./layout";
import { here } from "./operation";

/** LEN and NLEN of an empty stored block, which a point lies behind. */
const FLUSH: u32 = 0xffff0000;
const FLUSH_LEN: u64 = 4;

/** The point that `seekBefore` found: its position in the blob, 0 for none; its offset in the entry; and that of the next. */
export let seekAt: u64 = 0;
export let seekFrom: u64 = 0;
export let seekTo: u64 = 0;

/** Whether the operation has seek points for a blob. */
export function seeks(blob: u64): bool {
  const read = here();
  return (
    read.seek != 0 && read.resolvedOffset == blob && layoutState == Layout.USED && !provesOid() && !provesCrc()
  );
}

/**
 * Finds the offset in the entry of the point at a position, a multiple of the segment; at the blob's end, that of the
 * entry's.
 */
function pointAt(position: u64, size: u64): i32 {
  const read = here();
  const index = position / segmentLen();
  seekTo = read.entryLen;
  if (position >= size) return Status.OK;
  if (index > <u64>u32.MAX_VALUE - read.seek) return BAD_PAGE;
  const status = seekPointRead(read.seek - 2 + <u32>index);
  seekTo = seekPoint;
  return status;
}

/** Whether a position lies behind another one and a point between them. */
export function seekBetween(reached: u64, position: u64): bool {
  return position - (position % segmentLen()) > reached;
}

/**
 * Finds the last point at or before a position of the operation's blob.
 * @returns OK, BAD_PAGE, or the device's status: all that the segment needs is then asked for
 */
export function seekBefore(blob: u64, size: u64, position: u64): i32 {
  seekAt = 0;
  const at = min<u64>(position, size - 1);
  const start = at - (at % segmentLen());
  if (!start) return Status.OK;
  let status = pointAt(start, size);
  if (status != Status.OK) return status;
  seekFrom = seekTo;
  status = pointAt(start + segmentLen(), size);
  if (status != Status.OK) return status;
  const room = entriesEnd() - PACK_START - blob;
  if (seekFrom <= FLUSH_LEN || seekFrom >= seekTo || seekTo > room) return BAD_PAGE;
  const from = PACK_START + blob + seekFrom - FLUSH_LEN;
  const ptr = blockPeek(from, <u32>FLUSH_LEN);
  if (!ptr) {
    if (blockStatus == Status.AGAIN) blockRequest(from, seekTo - seekFrom + FLUSH_LEN);
    return blockStatus;
  }
  if (load<u32>(ptr) != FLUSH) return BAD_PAGE;
  seekAt = start;
  return Status.OK;
}

/** Finds the place of the point behind one at `position`. @returns OK with `seekTo`, BAD_PAGE, or the device's status */
export function seekAfter(position: u64, size: u64): i32 {
  return pointAt(position + segmentLen(), size);
}

/** While the operation is about to wait for the entry's header: asks for what a read from a position on needs. */
export function seekRequest(blob: u64, position: u64): void {
  if (seeks(blob)) seekBefore(blob, here().knownSize, position);
}

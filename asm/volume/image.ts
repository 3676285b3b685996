/** The image's header (docs/FORMAT.md): the commit's id and where the IDX begins. */
import { blockCapacity, blockPeek, blockStatus } from "../device/sector-cache";
import { copyOid } from "../base/bytes";
import { PACK_START } from "../git/entry";
import { Status } from "../base/status";

/** The smallest PACK: header, one entry of 9 bytes, trailer. */
const PACK_MIN: u64 = 12 + 9 + 20;
/** The smallest IDX: header, fanout, one object, trailers. */
const IDX_MIN: u64 = 8 + 1024 + 28 + 40;

/** The commit's id, 20 bytes. */
export const imageCommit: usize = memory.data(20, 8);
/** The absolute offset of the IDX. */
export let imageIdx: u64 = 0;

/** @returns OK, BAD_HEADER, TRUNCATED or the device's status */
export function imageOpen(): i32 {
  const ptr = blockPeek(0, <u32>PACK_START);
  if (!ptr) return blockStatus;
  copyOid(imageCommit, ptr);
  imageIdx = load<u64>(ptr, 20);
  if (imageIdx < PACK_START + PACK_MIN) return Status.BAD_HEADER;
  if (imageIdx > blockCapacity() || blockCapacity() - imageIdx < IDX_MIN) return Status.TRUNCATED;
  return Status.OK;
}

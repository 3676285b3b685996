/** The footer of the layout section, the image's last 512 bytes (docs/FORMAT.md): where the section's pages are. */
import { Status } from "../base/status";
import { crc32 } from "../checksum/crc32";
import { blockCapacity, blockCopy } from "../device/sector-cache";
import { sameOid } from "../base/bytes";

/** The states of the section that a mount has looked for. `LAYOUT_STATES` of src/core/abi.ts has their names. */
export namespace Layout {
  /** The image has none, or this mount does not use it. */
  export const NONE: u32 = 0;
  export const USED: u32 = 1;
  /** It is of a version that this core does not know. */
  export const UNKNOWN: u32 = 2;
  /** It is damaged, or belongs to another PACK. Paths are looked up in trees. */
  export const DAMAGED: u32 = 3;
}

const FOOTER: u32 = 512;
/** "docteurL", read as a little-endian u64. */
const MAGIC: u64 = 0x4c72756574636f64;
const VERSION: u32 = 2;
const CRC: usize = FOOTER - 4;

/** The sizes that a page may have. */
const PAGE_MIN: u32 = 512;
const PAGE_MAX: u32 = 65536;

// Where the fields are.
const AT_VERSION: usize = 8;
const AT_PAGE_SIZE: usize = 12;
const AT_FIRST_PAGE: usize = 16;
const AT_PAGES: usize = 24;
const AT_LEAVES: usize = 28;
const AT_COMMIT: usize = 40;
const AT_TRAILER: usize = 60;
const AT_SEEK_PAGES: usize = 80;
const AT_COMMIT_OFFSET: usize = 88;
const AT_TREE_OFFSET: usize = 96;
const AT_IMAGE_SIZE: usize = 104;
const AT_PACK_SIZE: usize = 112;

const footer: usize = memory.data(FOOTER, 16);

/** Reads the footer. @returns OK with the section's state, or the device's status */
export function footerOpen(commit: usize): i32 {
  footerState = Layout.NONE;
  const capacity = blockCapacity();
  if (capacity < FOOTER) return Status.OK;
  const status = blockCopy(capacity - FOOTER, footer, FOOTER);
  if (status != Status.OK || load<u64>(footer) != MAGIC) return status;
  if (load<u32>(footer, AT_VERSION) != VERSION) footerState = Layout.UNKNOWN;
  else footerState = isSound(commit) ? Layout.USED : Layout.DAMAGED;
  return status;
}

function isSound(commit: usize): bool {
  if (crc32(0, footer, CRC) != load<u32>(footer, CRC)) return false;
  const size = pageSize();
  const count: u64 = pageCount();
  const capacity = blockCapacity();
  return (
    size >= PAGE_MIN &&
    size <= PAGE_MAX &&
    popcnt(size) == 1 &&
    leafCount() > 0 &&
    count > <u64>leafCount() + seekPageCount() &&
    load<u64>(footer, AT_IMAGE_SIZE) == capacity &&
    count * size <= capacity - FOOTER &&
    firstPage() == capacity - FOOTER - count * size &&
    sameOid(footer + AT_COMMIT, commit)
  );
}

/** What `footerOpen` found. */
export let footerState: u32 = Layout.NONE;

export function pageSize(): u32 {
  return load<u32>(footer, AT_PAGE_SIZE);
}

/** The offset of the first page in the image. */
export function firstPage(): u64 {
  return load<u64>(footer, AT_FIRST_PAGE);
}

/** All pages. The last one is the root. */
export function pageCount(): u32 {
  return load<u32>(footer, AT_PAGES);
}

/** The leaves are the first pages. */
export function leafCount(): u32 {
  return load<u32>(footer, AT_LEAVES);
}

/** Pages of seek records, which follow the leaves. */
export function seekPageCount(): u32 {
  return load<u32>(footer, AT_SEEK_PAGES);
}

/** The PACK's trailer that the section is bound to, 20 bytes. */
export function boundTrailer(): usize {
  return footer + AT_TRAILER;
}

/** The entry of the commit, from the PACK's start. */
export function footerCommit(): u64 {
  return load<u64>(footer, AT_COMMIT_OFFSET);
}

/** The entry of the root tree, from the PACK's start. */
export function footerTree(): u64 {
  return load<u64>(footer, AT_TREE_OFFSET);
}

/** Bytes of the PACK. */
export function footerPackSize(): u64 {
  return load<u64>(footer, AT_PACK_SIZE);
}

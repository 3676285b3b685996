/**
 * Entries of a PACK (gitformat-pack, "pack-*.pack files have the following format"): header, kind, size,
 * base.
 */
import { blockCapacity, blockPeek, blockStatus } from "../device/sector-cache";
import { copyOid, loadBE32 } from "../base/bytes";
import { Limit } from "../base/limits";
import { Status } from "../base/status";

/** Kinds of entries. */
export namespace Kind {
  export const COMMIT: u32 = 1;
  export const TREE: u32 = 2;
  export const BLOB: u32 = 3;
  export const TAG: u32 = 4;
  export const OFS_DELTA: u32 = 6;
  export const REF_DELTA: u32 = 7;
}

/** The PACK's offset in the image: it follows the commit's id and the IDX's offset (docs/FORMAT.md). */
export const PACK_START: u64 = 28;
/** Bytes of the PACK's own header: magic, version, count. */
export const PACK_HEADER: u64 = 12;
const TRAILER: u64 = 20;
/** A size takes 9 bytes at most, an offset 10, a base's id 20. */
export const HEADER_MAX: u64 = 32;
/** The last shift of a size's bits that git's own readers take (`unpack_object_header_buffer`). */
const SHIFT_MAX: u32 = 57;
/** Deflate's best ratio (zlib's technical notes) is 1032 to 1. */
const DEFLATE_RATIO: u64 = 1032;

/** The PACK's end in the image, trailer included: an upper bound until the pack has been read whole. */
let packEnd: u64 = 0;

/** An entry's header, as `readEntry` fills it: `ENTRY_HEADER` bytes, in memory that the caller supplies. */
@unmanaged
export class EntryHeader {
  /** Bytes that the entry's stream inflates to. */
  size: u64;
  /** Where the zlib stream begins, from the image's start. */
  data: u64;
  /** An ofs-delta's base, from the PACK's start. */
  base: u64;
  /** `Kind`. */
  kind: u32;

  /** A ref-delta's base: its id, 20 bytes. */
  @inline
  get baseOid(): usize {
    return changetype<usize>(this) + BASE_OID;
  }
}

const BASE_OID: usize = 28;
export const ENTRY_HEADER: i32 = 48;

/** @param end the absolute offset behind the PACK's trailer, or more where padding may follow */
export function packAttach(end: u64): void {
  packEnd = end;
}

/** The absolute offset behind the last byte that can belong to an entry. */
// @ts-ignore: decorator
@inline
export function entriesEnd(): u64 {
  return packEnd - TRAILER;
}

/**
 * Checks the PACK's header.
 * @returns OK with the number of objects in `packCount`, BAD_PACK, or the device's status
 */
export function packOpen(): i32 {
  const ptr = blockPeek(PACK_START, <u32>PACK_HEADER);
  if (!ptr) return blockStatus;
  if (loadBE32(ptr) != 0x5041434b) return Status.BAD_PACK;
  const version = loadBE32(ptr + 4);
  if (version != 2 && version != 3) return Status.BAD_PACK;
  packCount = loadBE32(ptr + 8);
  return Status.OK;
}

/** The number of objects that the PACK's header announces. */
export let packCount: u32 = 0;

/** Whether an entry can begin at that offset from the PACK's start. */
export function isEntryOffset(offset: u64): bool {
  return offset >= PACK_HEADER && offset < packEnd - PACK_START - TRAILER;
}

/**
 * Reads an entry's header.
 * @param entry filled: for a delta, `base` or `baseOid`, too
 * @param offset from the PACK's start
 * @returns OK, BAD_ENTRY, BAD_BASE, TRUNCATED, OBJECT_TOO_LARGE or the device's status
 */
export function readEntry(entry: EntryHeader, offset: u64): i32 {
  if (!isEntryOffset(offset)) return Status.BAD_ENTRY;
  const start = offset + PACK_START;
  const len = min<u64>(HEADER_MAX, min<u64>(entriesEnd(), blockCapacity()) - start);
  let ptr = blockPeek(start, <u32>len);
  if (!ptr) return blockStatus;
  const first = ptr;
  const end = ptr + <usize>len;

  // Size: 4 bits, then 7 a byte, the least significant first.
  let byte: u32 = load<u8>(ptr++);
  const kind = (byte >> 4) & 7;
  entry.kind = kind;
  let size: u64 = byte & 15;
  let shift: u32 = 4;
  while (byte & 0x80) {
    if (ptr == end) return Status.TRUNCATED;
    if (shift > SHIFT_MAX) return Status.BAD_ENTRY;
    byte = load<u8>(ptr++);
    size |= <u64>(byte & 0x7f) << shift;
    shift += 7;
  }
  entry.size = size;
  if (size > Limit.OBJECT_SIZE) return Status.OBJECT_TOO_LARGE;

  if (kind == Kind.OFS_DELTA) {
    const status = readBaseOffset(entry, ptr, end, offset);
    if (status != Status.OK) return status;
    ptr = baseEnd;
  } else if (kind == Kind.REF_DELTA) {
    if (end - ptr < 20) return Status.TRUNCATED;
    copyOid(entry.baseOid, ptr);
    ptr += 20;
  } else if (kind < Kind.COMMIT || kind > Kind.TAG) {
    return Status.BAD_ENTRY;
  }
  entry.data = start + (ptr - first);
  // A size that no stream of the bytes left can reach is refused before memory is taken for it.
  if (size / DEFLATE_RATIO > entriesEnd() - entry.data) return Status.BAD_ENTRY;
  return Status.OK;
}

let baseEnd: usize = 0;

/**
 * The offset encoding of ofs-delta: 7 bits a byte, the most significant first, each but the last one less
 * than it stands for.
 */
function readBaseOffset(entry: EntryHeader, ptr: usize, end: usize, offset: u64): i32 {
  let distance: u64 = 0;
  let byte: u32 = 0x80;
  for (let count = 0; byte & 0x80; count++) {
    if (ptr == end) return Status.TRUNCATED;
    if (count == 9) return Status.BAD_BASE;
    byte = load<u8>(ptr++);
    distance = ((distance + (count ? 1 : 0)) << 7) | (byte & 0x7f);
  }
  if (distance == 0 || distance > offset || !isEntryOffset(offset - distance)) return Status.BAD_BASE;
  entry.base = offset - distance;
  baseEnd = ptr;
  return Status.OK;
}

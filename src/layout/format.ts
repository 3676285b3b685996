/** The layout section's format: docs/FORMAT.md describes it byte by byte. */
import { crc32 } from "../git/crc32.js";
import { OID } from "../git/entry.js";

/** "docteurL" in ASCII: the footer's first bytes. */
export const MAGIC = Uint8Array.from([0x64, 0x6f, 0x63, 0x74, 0x65, 0x75, 0x72, 0x4c]);
export const VERSION = 2;

/** Bytes of the footer, which ends the image. */
export const FOOTER = 512;

/** Offsets of the footer's fields. Integers are little-endian. */
export const FIELD = {
  version: 8,
  pageSize: 12,
  firstPage: 16,
  pages: 24,
  leaves: 28,
  paths: 32,
  commit: 40,
  trailer: 60,
  seekPages: 80,
  commitOffset: 88,
  treeOffset: 96,
  imageSize: 104,
  packSize: 112,
  bareSize: 120,
  crc: FOOTER - 4,
} as const;

/** Offsets of a page's header. Records follow it. */
export const PAGE = { crc: 0, used: 4, level: 6, child: 8, records: 12 } as const;

/** The level of pages that hold seek records. */
export const SEEK_LEVEL = 255;

/**
 * Bytes of a blob's content between two seek points: a multiple of `unit`, of `min` at least and `max` at most. They are a part
 * of the format: which points a PACK has depends on them.
 */
export const SEGMENT = { unit: 1 << 16, min: 4 << 16, max: 16 << 16 } as const;
/** A segment has so many cells of equal length, with a checksum each. */
export const CELLS = 16;
/** A seek record: offsets of the place and of the checksums, and its length. */
export const SEEK = { place: 0, checksums: 8, length: 8 + 4 * CELLS } as const;

/** The sizes that a page can have: the first one of few and short paths, the last one where a path is long. */
export const PAGE_SIZES = [512, 4096, 16384] as const;

/**
 * Parts of a leaf record's first byte: the kind (`ENTRY`), the slot of the tail that the key ends in, and whether extents and
 * the place of seek records follow. Kind 0 fills a slot.
 */
export const KIND_MASK = 7;
export const TAIL_SHIFT = 3;
/** Slots for tails are 1 to 7; 0 stands for no tail. */
export const TAILS_MAX = 7;
export const HAS_EXTENTS = 0x40;
export const HAS_SEEK = 0x80;
/** The most extents of a record, and the most bytes of a tail. */
export const EXTENTS_MAX = 32;
export const TAIL_MAX = 32;

/**
 * The reach of a delta: its bases begin within so many bytes before it, told in these units. Such a delta is small, so that a
 * reader asks for both in one range.
 */
export const REACH_UNIT = 64;
export const REACH_ENTRY_MAX = 1024;
/** A farther reach than the first one is told only where extents are left out, and none is beyond the second. */
export const REACH_NEAR = 1 << 16;
export const REACH_MAX = 1 << 18;

/** The footer's content. */
export interface Footer {
  pageSize: number;
  /** In the image. */
  firstPage: number;
  /** All pages: leaves, then pages of seek records, then inner pages by level, the root last. */
  pages: number;
  leaves: number;
  seekPages: number;
  /** Entries of all directories; the root is not one. */
  paths: number;
  /** The commit's id and the PACK's trailer, 20 bytes each. */
  commit: Uint8Array;
  trailer: Uint8Array;
  /** Of the entries of the commit and its root tree, from the PACK's start: mounting needs no IDX. */
  commitOffset: number;
  treeOffset: number;
  imageSize: number;
  /** Bytes of the PACK: its trailer, to which the section is bound, ends there. */
  packSize: number;
  /** Bytes of the image without its section. */
  bareSize: number;
}

/** Encodes a footer. */
export function encodeFooter(footer: Footer): Uint8Array {
  const bytes = new Uint8Array(FOOTER);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(FIELD.version, VERSION, true);
  view.setUint32(FIELD.pageSize, footer.pageSize, true);
  view.setBigUint64(FIELD.firstPage, BigInt(footer.firstPage), true);
  view.setUint32(FIELD.pages, footer.pages, true);
  view.setUint32(FIELD.leaves, footer.leaves, true);
  view.setBigUint64(FIELD.paths, BigInt(footer.paths), true);
  bytes.set(footer.commit, FIELD.commit);
  bytes.set(footer.trailer, FIELD.trailer);
  view.setUint32(FIELD.seekPages, footer.seekPages, true);
  view.setBigUint64(FIELD.commitOffset, BigInt(footer.commitOffset), true);
  view.setBigUint64(FIELD.treeOffset, BigInt(footer.treeOffset), true);
  view.setBigUint64(FIELD.imageSize, BigInt(footer.imageSize), true);
  view.setBigUint64(FIELD.packSize, BigInt(footer.packSize), true);
  view.setBigUint64(FIELD.bareSize, BigInt(footer.bareSize), true);
  view.setUint32(FIELD.crc, crc32(bytes.subarray(0, FIELD.crc)), true);
  return bytes;
}

/** The checksum of a page: CRC-32 of the PACK's trailer, the page's number (u32), and the page behind its checksum. */
export function pageCrc(page: Uint8Array, number: number, trailer: Uint8Array): number {
  const binding = new Uint8Array(OID + 4);
  binding.set(trailer);
  new DataView(binding.buffer).setUint32(OID, number, true);
  return crc32(page.subarray(PAGE.used), crc32(binding));
}

/**
 * The key of a path: its names, each followed by a NUL, and one more NUL before the last name. The entries of a directory
 * stand together in the order of these keys, before all that is deeper.
 * @param folder the directory's names, each with its NUL
 */
export function keyOf(folder: Uint8Array, name: Uint8Array): Uint8Array {
  const key = new Uint8Array(folder.length + 1 + name.length);
  key.set(folder);
  key.set(name, folder.length + 1);
  return key;
}

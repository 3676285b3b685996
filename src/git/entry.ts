/** Headers of the PACK's entries, by the rules of `asm/git/entry.ts`. Offsets count from the PACK's start. */
import { STATUS } from "../errors.js";

/** The offset of the PACK in an image. */
export const PACK_START = 28;
/** Length of the PACK's own header: magic, version, count. */
export const PACK_HEADER = 12;
/** Length of a pack's trailer, and of an id. */
export const OID = 20;
/** The longest header of an entry. */
export const HEADER_MAX = 32;

/** Kinds of entries. */
export const KIND = { commit: 1, tree: 2, blob: 3, tag: 4, ofsDelta: 6, refDelta: 7 } as const;

/** The most inflated bytes of an object (`asm/base/limits.ts`). */
const OBJECT_SIZE = 2 ** 40;
/** The largest factor of a byte of a size: git's own readers refuse longer sizes. */
const SCALE_MAX = 2 ** 57;
/** Deflate's best ratio. */
const DEFLATE_RATIO = 1032;

/** A header, as `parseEntry` found it. */
export interface EntryHeader {
  kind: number;
  /** Inflated bytes: the object's, or the delta's. */
  size: number;
  /** An ofs-delta's base. */
  base: number;
  /** The position of a ref-delta's base id in the parsed bytes. */
  baseOidAt: number;
  /** Length of the header: the zlib stream follows. */
  length: number;
}

/** A header to be filled. */
export function entryHeader(): EntryHeader {
  return { kind: 0, size: 0, base: -1, baseOidAt: 0, length: 0 };
}

/**
 * Parses the header of an entry.
 * @param into filled
 * @param at the entry's position in `bytes`
 * @param offset the entry's offset in the PACK
 * @param end the offset of the PACK's trailer
 * @returns `Ok`, or the status of the defect
 */
export function parseEntry(
  into: EntryHeader,
  bytes: Uint8Array,
  at: number,
  offset: number,
  end: number,
): number {
  let ptr = at;
  const last = at + Math.min(HEADER_MAX, end - offset);
  let byte = bytes[ptr++]!;
  into.kind = (byte >> 4) & 7;
  let size = byte & 15;
  let scale = 16;
  while (byte >= 0x80) {
    if (ptr === last) return STATUS.Truncated;
    if (scale > SCALE_MAX) return STATUS.BadEntry;
    byte = bytes[ptr++]!;
    size += (byte & 0x7f) * scale;
    scale *= 128;
  }
  into.size = size;
  if (size > OBJECT_SIZE) return STATUS.ObjectTooLarge;
  if (into.kind === KIND.ofsDelta) {
    let distance = 0;
    byte = 0x80;
    for (let count = 0; byte >= 0x80; count++) {
      if (ptr === last) return STATUS.Truncated;
      if (count === 9) return STATUS.BadBase;
      byte = bytes[ptr++]!;
      distance = (distance + (count > 0 ? 1 : 0)) * 128 + (byte & 0x7f);
    }
    into.base = offset - distance;
    if (distance === 0 || into.base < PACK_HEADER) return STATUS.BadBase;
  } else if (into.kind === KIND.refDelta) {
    if (last - ptr < OID) return STATUS.Truncated;
    into.baseOidAt = ptr;
    ptr += OID;
  } else if (into.kind < KIND.commit || into.kind > KIND.tag) return STATUS.BadEntry;
  into.length = ptr - at;
  if (Math.floor(size / DEFLATE_RATIO) > end - offset - into.length) return STATUS.BadEntry;
  return STATUS.Ok;
}

/** An entry's header: its kind and its inflated size, four bits and then seven at a time, little end first. */
export function encodeEntryHeader(kind: number, size: number): Uint8Array {
  const bytes: number[] = [];
  let byte = (kind << 4) | (size % 16);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
  }
  bytes.push(byte);
  return Uint8Array.from(bytes);
}

/**
 * How far before an entry its base is: seven bits at a time, big end first, and one less in all groups but the last, so
 * that every number has one form.
 */
export function encodeBaseDistance(distance: number): Uint8Array {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((--rest % 128) | 0x80);
  return Uint8Array.from(bytes);
}

/**
 * The bytes that `encodeEntryHeader` and `encodeBaseDistance` take.
 * @param distance of an ofs-delta
 */
export function entryHeaderLen(size: number, distance?: number): number {
  let length = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) length++;
  if (distance === undefined) return length;
  length++;
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) length++;
  return length;
}

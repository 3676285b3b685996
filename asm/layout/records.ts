/**
 * Records of a leaf, decoded one after another. A record's key is the first `shared` bytes of the key before it, its suffix,
 * and a tail that the page holds once for many names (docs/FORMAT.md).
 */
import { PACK_HEADER } from "../git/entry";
import { Entry } from "../git/tree";
import { RECORDS, page, pageEnd } from "./pages";

const KIND_MASK: u32 = 7;
const TAIL_SHIFT: u32 = 3;
const HAS_EXTENTS: u32 = 0x40;
const HAS_SEEK: u32 = 0x80;
const EXTENTS_MAX: u32 = 32;
/** Bytes of a unit of a reach, and of an entry that has one. */
const REACH_SHIFT: u64 = 6;
const REACH_ENTRY: u64 = 1024;

/** The highest bits of eight bytes. */
const HIGH_BITS: u64 = 0x8080808080808080;

/** Tails of the page: │ pointer u32 │ bytes u32 │ for slots 0 to 7; none is in slot 0. */
// @ts-ignore: decorator
@lazy
const tails: usize = memory.data(64, 8);

/** The place of the next byte, and the end of the page's records. */
let cursor: usize = 0;
let end: usize = 0;

/** The record: its key's parts. */
export let shared: u32 = 0;
export let suffix: usize = 0;
export let suffixLen: u32 = 0;
export let tail: usize = 0;
export let tailLen: u32 = 0;
/** `Entry`. */
export let recordKind: u32 = 0;
/** From the PACK's start. Each record tells the distance from the one before. */
export let recordOffset: u64 = 0;
/** A submodule's id, or where the rest of the record begins. */
export let recordRest: usize = 0;
/** Whether the page is malformed. */
export let isMalformed: bool = false;

/** The results of `recordPlace`. */
export let recordRank: u32 = 0;
export let recordSize: u64 = 0;
/** The part of the PACK that the object needs, or a part of it: from the PACK's start, and bytes. */
export let recordFrom: u64 = 0;
export let recordLen: u64 = 0;
/**
 * If the object, or a delta's base, has seek records: the number of the first, times 16, and a number that its segments'
 * length follows from; and the entry of that blob: its offset from the PACK's start, and bytes.
 */
export let recordSeek: u64 = 0;
export let recordSeekAt: u64 = 0;
export let recordSeekLen: u64 = 0;
export let recordHasSeek: bool = false;
/** Extents that are left to read, and the last one: its offset from the PACK's start, and bytes. */
export let extentsLeft: u32 = 0;
export let extentOffset: u64 = 0;
export let extentLen: u64 = 0;
let flags: u32 = 0;

function varint(): u64 {
  let byte: u64 = load<u8>(cursor++);
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let shift: u64 = 7;
  do {
    byte = load<u8>(cursor++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte & 0x80 && shift < 63);
  return value;
}

/** Skips numbers, at most three. */
// @ts-ignore: decorator
@inline
function skip(count: u32): void {
  // Each number ends with a byte below 0x80. Nearly always, so many numbers take at most eight bytes.
  let ends = ~load<u64>(cursor) & HIGH_BITS;
  for (let i: u32 = 1; i < count; i++) ends &= ends - 1;
  if (ends) cursor += <u32>(ctz(ends) >> 3) + 1;
  else skipLong(count);
}

function skipLong(count: u32): void {
  for (; count; count--) {
    while (load<u8>(cursor++) & 0x80) {
      if (cursor > end) return;
    }
  }
}

/** A number whose lowest bit is its sign. Scans read it in every record, so up to eight bytes are decoded without branches. */
// @ts-ignore: decorator
@inline
function zigzag(): u64 {
  let value = load<u64>(cursor);
  const ends = ~value & HIGH_BITS;
  if (ends) {
    cursor += <u32>(ctz(ends) >> 3) + 1;
    value &= (ends ^ (ends - 1)) & ~HIGH_BITS;
    value = (value & 0x007f007f007f007f) | ((value & 0x7f007f007f007f00) >> 1);
    value = (value & 0x00003fff00003fff) | ((value & 0x3fff00003fff0000) >> 2);
    value = (value & 0x0fffffff) | ((value & 0x0fffffff00000000) >> 4);
  } else {
    value = varint();
  }
  return (value >> 1) ^ (0 - (value & 1));
}

/** Begins with the records of the page that was read last. */
export function recordsBegin(): void {
  cursor = page + RECORDS;
  end = pageEnd();
  recordOffset = 0;
  isMalformed = false;
  memory.fill(tails, 0, 64);
}

/** The place of the next record, or of tails before it. */
// @ts-ignore: decorator
@inline
export function recordsPlace(): usize {
  return cursor;
}

/** Whether a tail comes before the next record. */
export function isTailNext(): bool {
  return !(load<u8>(cursor) & KIND_MASK);
}

/** Whether all records of the page have been read. */
export function recordsEnd(): bool {
  return cursor == end;
}

/** Goes to a place in the page. @param offset of the object before it, or 0 */
export function recordsAt(place: usize, offset: u64): void {
  cursor = place;
  recordOffset = offset;
}

function malformed(): bool {
  isMalformed = true;
  return false;
}

/** Goes on to the next record. @returns false at the page's end, or if it is malformed */
export function recordNext(): bool {
  while (cursor < end) {
    flags = load<u8>(cursor++);
    const kind = flags & KIND_MASK;
    const slot = tails + (((flags >> TAIL_SHIFT) & 7) << 3);
    if (kind) return decode(kind, slot);
    const length = <u32>varint();
    if (cursor > end || length > <u32>(end - cursor) || slot == tails) return malformed();
    store<u32>(slot, <u32>cursor);
    store<u32>(slot, length, 4);
    cursor += length;
  }
  return cursor == end ? false : malformed();
}

function decode(kind: u32, slot: usize): bool {
  recordKind = kind;
  tail = load<u32>(slot);
  tailLen = load<u32>(slot, 4);
  const lengths: u32 = load<u16>(cursor);
  if (lengths & 0x8080) {
    shared = <u32>varint();
    suffixLen = <u32>varint();
  } else {
    shared = lengths & 0xff;
    suffixLen = lengths >> 8;
    cursor += 2;
  }
  suffix = cursor;
  if (suffixLen > <u32>(end - page) || cursor + suffixLen >= end) return malformed();
  cursor += suffixLen;
  if (kind == Entry.SUBMODULE) {
    recordRest = cursor;
    cursor += 20;
  } else {
    recordOffset += zigzag();
    recordRest = cursor;
    skip(kind == Entry.TREE ? 2 : 3);
    if (flags & (HAS_SEEK | HAS_EXTENTS)) skipMore();
  }
  return kind > Entry.SUBMODULE || cursor > end ? malformed() : true;
}

function skipMore(): void {
  if (flags & HAS_SEEK) skip(3);
  if (!(flags & HAS_EXTENTS)) return;
  const count = <u32>min<u64>(varint(), EXTENTS_MAX);
  for (let i: u32 = 0; i < count && cursor <= end; i++) skip(2);
}

/** Reads the place of the record's object, which is none of a submodule. */
export function recordPlace(): void {
  const next = cursor;
  cursor = recordRest;
  recordRank = <u32>varint();
  recordSize = recordKind == Entry.TREE ? 0 : varint();
  const stored = varint();
  recordLen = stored >> 1;
  recordFrom = recordOffset;
  if (stored & 1) {
    const reach = min<u64>(recordLen << REACH_SHIFT, recordOffset - PACK_HEADER);
    recordFrom -= reach;
    recordLen = reach + REACH_ENTRY;
  }
  extentsLeft = 0;
  recordHasSeek = (flags & HAS_SEEK) != 0;
  if (recordHasSeek) {
    recordSeek = varint();
    recordSeekAt = recordOffset + zigzag();
    recordSeekLen = varint();
  }
  if (flags & HAS_EXTENTS) {
    extentsLeft = <u32>min<u64>(varint(), EXTENTS_MAX);
    extentOffset = recordOffset;
    recordRest = cursor;
  }
  cursor = next;
}

/** Reads the next of the record's extents, of which some are left. */
export function extentNext(): void {
  const next = cursor;
  cursor = recordRest;
  extentOffset += zigzag();
  extentLen = varint();
  extentsLeft--;
  recordRest = cursor;
  cursor = next;
}

/** The bytes that a key has in common with the record's, after `keyOrder`. */
export let common: u32 = 0;

/**
 * Compares the record's key with another one, whose first `shared` bytes are equal.
 * @returns below 0 if the record comes before the key, 0 if it is its record
 */
export function keyOrder(key: usize, len: u32): i32 {
  let at = shared;
  let ptr = suffix;
  let count = suffixLen;
  for (let part = 0; part < 2; part++) {
    const stop = min<u32>(count, len - at);
    let i: u32 = 0;
    while (i < stop && load<u8>(ptr + i) == load<u8>(key + at + i)) i++;
    at += i;
    common = at;
    if (i < stop) return load<u8>(ptr + i) < load<u8>(key + at) ? -1 : 1;
    if (stop < count) return 1;
    ptr = tail;
    count = tailLen;
  }
  return at == len ? 0 : -1;
}

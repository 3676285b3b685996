/** Writes the pages of a layout section: records of entries, which come in the order of their keys, into a paged radix tree. */
import { DocteurError } from "../errors.js";
import { ENTRY } from "../git/tree-mode.js";
import {
  CELLS,
  EXTENTS_MAX,
  HAS_EXTENTS,
  HAS_SEEK,
  keyOf,
  PAGE,
  PAGE_SIZES,
  pageCrc,
  REACH_NEAR,
  REACH_UNIT,
  SEEK,
  SEEK_LEVEL,
  SEGMENT,
  TAIL_MAX,
  TAIL_SHIFT,
  TAILS_MAX,
} from "./format.js";
import type { SeekPoints } from "./objects.js";

/** Bytes of the PACK. */
export interface Extent {
  /** From the PACK's start. */
  offset: number;
  length: number;
}

/** The parts of the PACK beside an object's entry that its delta chain needs. */
export interface Bases {
  /** They are hints, and left out where the section would grow too large. */
  extents: readonly Extent[];
  /** Bytes before the object's entry, at most `REACH_MAX`, within which they lie, if the entry is small. */
  reach: number | undefined;
}

/** The seek records of a blob that is stored whole. */
export interface SeekPlace {
  /** The number of the first. */
  first: number;
  /** Bytes of content in a segment. */
  segment: number;
  /** The blob's entry: its offset from the PACK's start, and bytes. */
  offset: number;
  length: number;
}

/** The place of an object in the PACK. */
export interface Placed {
  /** From the PACK's start. */
  offset: number;
  /** Bytes of its entry. */
  length: number;
  /** Its rank in the IDX. */
  rank: number;
  bases: Bases;
  /** The seek records of the object, or of its base. */
  seek?: SeekPlace | undefined;
}

/** An entry of a directory. */
export interface LayoutEntry {
  name: Uint8Array;
  /** One of `ENTRY`. */
  kind: number;
  /** Bytes of its content; 0 for a directory. */
  size: number;
  /** Its object; for a submodule, the commit's id. */
  object: Placed | Uint8Array;
}

/** Bytes of a path that pages of each size have room for, twice, whatever else is in their records; and the most paths. */
const PAGES_FOR = [
  { size: PAGE_SIZES[0], longest: 160, paths: 512 },
  { size: PAGE_SIZES[1], longest: 1900, paths: Number.POSITIVE_INFINITY },
  { size: PAGE_SIZES[2], longest: Number.POSITIVE_INFINITY, paths: Number.POSITIVE_INFINITY },
] as const;
/** Bytes that a record takes beside its key and its extents, at most. */
const RECORD_MAX = 128;
/** The part of the allowance that is for leaves. */
const LEAVES_SHARE = 0.96;
/** Bytes of an extent, about. */
const EXTENT_COST = 6;
const VARINT_MAX = 8;
const DOT = 0x2e;

/** A record under construction. */
class Bytes {
  bytes = new Uint8Array(256);
  length = 0;

  push(byte: number): void {
    if (this.length === this.bytes.length) this.#grow(1);
    this.bytes[this.length++] = byte;
  }

  append(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Seven bits a byte, the lowest first; bit 7 says that another byte follows. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.push(rest);
  }

  /** A signed number: doubled, and less one if it is negative. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #grow(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** The number of bytes that two keys have in common at their start. */
function sharedLength(left: Uint8Array, right: Uint8Array): number {
  const most = Math.min(left.length, right.length);
  let shared = 0;
  while (shared < most && left[shared] === right[shared]) shared++;
  return shared;
}

/** Bytes of an object's entry, doubled; or its reach in units, doubled, and one more. */
function storedOf({ length, bases: { reach } }: Placed, extents: readonly Extent[]): number {
  return reach === undefined || extents.length > 0 ? 2 * length : 2 * Math.ceil(reach / REACH_UNIT) + 1;
}

/** The number of a first seek record, and the length of segments, as one number. */
function seekOf({ first, segment }: SeekPlace): number {
  return 16 * first + segment / SEGMENT.unit - 1;
}

/** The ends of names that a page tells once: from a dot on, as in `.html` or `.d.ts`. */
class Tails {
  readonly #slots = new Map<string, number>();
  readonly #seen = new Set<string>();

  /** The tail of a name that has a slot, with the slot; or one that is worth a slot. */
  of(name: Uint8Array): { length: number; slot: number; isNew: boolean } {
    const first = name.indexOf(DOT, 1);
    const last = name.lastIndexOf(DOT);
    for (const at of first < last ? [first, last] : [first]) {
      const length = name.length - at;
      if (at < 1 || length > TAIL_MAX) continue;
      const text = String.fromCharCode(...name.subarray(at));
      const slot = this.#slots.get(text);
      if (slot !== undefined) return { length, slot, isNew: false };
      if (this.#seen.has(text) && this.#slots.size < TAILS_MAX) {
        this.#slots.set(text, this.#slots.size + 1);
        return { length, slot: this.#slots.size, isNew: true };
      }
      this.#seen.add(text);
    }
    return { length: 0, slot: 0, isNew: false };
  }
}

/** A page that records are added to. */
class Page {
  readonly bytes: Uint8Array;
  used: number = PAGE.records;
  readonly tails = new Tails();

  constructor(size: number, level: number, child: number) {
    this.bytes = new Uint8Array(size);
    this.bytes[PAGE.level] = level;
    new DataView(this.bytes.buffer).setUint32(PAGE.child, child, true);
  }

  get isEmpty(): boolean {
    return this.used === PAGE.records;
  }

  /** @returns whether there was room */
  add({ bytes, length }: Bytes): boolean {
    if (this.used + length > this.bytes.length) return false;
    this.bytes.set(bytes.subarray(0, length), this.used);
    this.used += length;
    return true;
  }

  /** Adds a seek record, which has room. @param from the first of its checksums */
  addSeek(place: number, checksums: ArrayLike<number>, from: number): void {
    const view = new DataView(this.bytes.buffer, this.used);
    view.setBigUint64(SEEK.place, BigInt(place), true);
    for (let cell = 0; cell < CELLS; cell++)
      view.setUint32(SEEK.checksums + 4 * cell, checksums[from + cell] ?? 0, true);
    this.used += SEEK.length;
  }

  finish(number: number, trailer: Uint8Array): Uint8Array {
    const view = new DataView(this.bytes.buffer);
    view.setUint16(PAGE.used, this.used, true);
    view.setUint32(PAGE.crc, pageCrc(this.bytes, number, trailer), true);
    return this.bytes;
  }
}

/** The counts that the footer holds. */
export interface Written {
  pages: number;
  leaves: number;
  seekPages: number;
  paths: number;
}

/** Bytes of a page. @param longest bytes of the longest path */
export function pageSizeFor(paths: number, longest: number): number {
  return PAGES_FOR.find((pages) => longest <= pages.longest && paths <= pages.paths)!.size;
}

export class LayoutWriter {
  readonly #pageSize: number;
  readonly #trailer: Uint8Array;
  readonly #append: (page: Uint8Array) => Promise<void>;
  /** Bytes that the leaves may take for each path. */
  readonly #allowance: number;
  readonly #record = new Bytes();
  /** The least key of each leaf, as short as it tells the leaf from the one before. */
  #separators: Uint8Array[] = [new Uint8Array(0)];
  #page: Page;
  /** The key of the record before, and its object's offset, if it is in the page. */
  #key: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #pages = 0;
  #paths = 0;

  /**
   * @param pageSize one of `PAGE_SIZES`
   * @param trailer the PACK's, 20 bytes: pages are bound to it
   * @param allowance bytes of the section for each path: extents are left out where they exceed it
   * @param append takes the pages in their order
   */
  constructor(
    pageSize: number,
    trailer: Uint8Array,
    allowance: number,
    append: (page: Uint8Array) => Promise<void>,
  ) {
    this.#pageSize = pageSize;
    this.#trailer = trailer;
    this.#append = append;
    this.#allowance = allowance * LEAVES_SHARE;
    this.#page = new Page(pageSize, 0, 0);
  }

  /**
   * Adds an entry. Directories come in the order of their names with a NUL behind each, entries in the order of their
   * names' bytes.
   * @param folder the names above the entry, each with a NUL behind it
   * @throws DocteurError `PathTooLong` if the page size is too small for the path
   */
  async add(folder: Uint8Array, entry: LayoutEntry): Promise<void> {
    const key = keyOf(folder, entry.name);
    if (key.length > PAGES_FOR.find(({ size }) => size === this.#pageSize)!.longest + 1)
      throw new DocteurError("PathTooLong", "a path is too long for the pages of the layout section");
    this.#encode(key, entry);
    if (!this.#page.add(this.#record)) {
      this.#separators.push(key.slice(0, sharedLength(this.#key, key) + 1));
      await this.#put(this.#page);
      this.#page = new Page(this.#pageSize, 0, 0);
      this.#offset = 0;
      this.#encode(key, entry);
      this.#page.add(this.#record);
    }
    this.#key = key;
    if (!(entry.object instanceof Uint8Array)) this.#offset = entry.object.offset;
    this.#paths++;
  }

  #encode(key: Uint8Array, { name, kind, size, object }: LayoutEntry): void {
    const record = this.#record;
    record.length = 0;
    const { length, slot, isNew } = this.#page.tails.of(name);
    const end = key.length - length;
    if (isNew) {
      record.push(slot << TAIL_SHIFT);
      record.varint(length);
      record.append(key.subarray(end));
    }
    const shared = this.#page.isEmpty ? 0 : Math.min(sharedLength(this.#key, key), end);
    const isSubmodule = object instanceof Uint8Array;
    const extents = isSubmodule ? [] : this.#affordable(object.bases, end - shared);
    const flags =
      (extents.length > 0 ? HAS_EXTENTS : 0) | (!isSubmodule && object.seek !== undefined ? HAS_SEEK : 0);
    record.push(kind | (slot << TAIL_SHIFT) | flags);
    record.varint(shared);
    record.varint(end - shared);
    record.append(key.subarray(shared, end));
    if (isSubmodule) record.append(object);
    else this.#encodePlace(object, kind === ENTRY.tree ? undefined : size, extents);
  }

  #encodePlace(object: Placed, size: number | undefined, extents: readonly Extent[]): void {
    const record = this.#record;
    record.zigzag(object.offset - this.#offset);
    record.varint(object.rank);
    if (size !== undefined) record.varint(size);
    record.varint(storedOf(object, extents));
    if (object.seek !== undefined) {
      record.varint(seekOf(object.seek));
      record.zigzag(object.seek.offset - object.offset);
      record.varint(object.seek.length);
    }
    if (extents.length === 0) return;
    record.varint(extents.length);
    let from = object.offset;
    for (const { offset, length } of extents) {
      record.zigzag(offset - from);
      record.varint(length);
      from = offset;
    }
  }

  /** The extents of an object, unless its bases are near, or the extents are too many or make the section too large. */
  #affordable({ extents, reach }: Bases, keyLength: number): readonly Extent[] {
    if (reach !== undefined && reach <= REACH_NEAR) return [];
    const most = keyLength + RECORD_MAX + extents.length * 2 * VARINT_MAX;
    const isSmall = extents.length <= EXTENTS_MAX && PAGE.records + most <= this.#pageSize;
    const used = this.#pages * this.#pageSize + this.#page.used + keyLength + EXTENT_COST * extents.length;
    return isSmall && used <= this.#allowance * (this.#paths + 1) ? extents : [];
  }

  async #put(page: Page): Promise<void> {
    await this.#append(page.finish(this.#pages++, this.#trailer));
  }

  /**
   * Writes the rest: pages of seek records, and the tree above the leaves.
   * @param seekPoints of all blobs that have them, their places from their entries' starts
   */
  async finish(seekPoints: readonly SeekPoints[]): Promise<Written> {
    await this.#put(this.#page);
    const leaves = this.#pages;
    await this.#putSeekPoints(seekPoints);
    const seekPages = this.#pages - leaves;
    let separators = this.#separators;
    let child = 0;
    for (let level = 1; separators.length > 1 || level === 1; level++) {
      const first = this.#pages;
      separators = await this.#putLevel(level, child, separators);
      child = first;
    }
    return { pages: this.#pages, leaves, seekPages, paths: this.#paths };
  }

  async #putSeekPoints(all: readonly SeekPoints[]): Promise<void> {
    let page: Page | undefined;
    for (const { places, checksums } of all)
      for (let index = 0; index < places.length; index++) {
        if (page !== undefined && page.used + SEEK.length > this.#pageSize) {
          await this.#put(page);
          page = undefined;
        }
        page ??= new Page(this.#pageSize, SEEK_LEVEL, 0);
        page.addSeek(places[index]!, checksums, index * CELLS);
      }
    if (page !== undefined) await this.#put(page);
  }

  /** Writes the pages over some others. @returns their own separators */
  async #putLevel(level: number, child: number, below: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const separators: Uint8Array[] = [new Uint8Array(0)];
    const record = this.#record;
    let page = new Page(this.#pageSize, level, child);
    let before: Uint8Array = new Uint8Array(0);
    for (const [index, separator] of below.entries()) {
      const encode = (shared: number): void => {
        record.length = 0;
        record.varint(shared);
        record.varint(separator.length - shared);
        record.append(separator.subarray(shared));
      };
      encode(page.isEmpty ? 0 : sharedLength(before, separator));
      if (!page.add(record)) {
        await this.#put(page);
        page = new Page(this.#pageSize, level, child + index);
        separators.push(separator);
        encode(0);
        page.add(record);
      }
      before = separator;
    }
    await this.#put(page);
    return separators;
  }
}

/** Writes a pack, version 2 (gitformat-pack, "pack-*.pack files have the following format"). */

import type { IdxEntries } from "../../git/build-idx.js";
import { crc32 } from "../../git/crc32.js";
import { KIND as ENTRY_KIND, encodeBaseDistance, encodeEntryHeader } from "../../git/entry.js";
import { KIND, type Kind } from "../../git/objects.js";
import { OID_LEN, type Sha1 } from "../../git/oid.js";
import { CELLS } from "../../layout/format.js";
import type { SeekPoints } from "../../layout/objects.js";
import type { Sink } from "../../sink.js";
import { ZLIB_HEADER } from "./zlib-header.js";

/** The modulus of Adler-32 (RFC 1950, section 8). */
const ADLER_BASE = 65521;

/**
 * The Adler-32 of two parts from those of each.
 * @param length bytes of the second part
 */
export function combineAdler32(first: number, second: number, length: number): number {
  const low = first % 65536;
  const otherLow = second % 65536;
  const high = Math.floor(first / 65536) + Math.floor(second / 65536);
  const rest = length % ADLER_BASE;
  const sumLow = (low + otherLow + ADLER_BASE - 1) % ADLER_BASE;
  const sumHigh = (high + rest * (low + ADLER_BASE - 1)) % ADLER_BASE;
  return sumHigh * 65536 + sumLow;
}

/** The seek points of a part of an entry's content: see `Segments`. */
export interface SeekParts {
  /** Bytes of content in a segment. */
  segment: number;
  points: Iterable<number>;
  marks: Iterable<number>;
}

/** A part of an entry's content, deflated. */
export interface Piece {
  /** The part's offset in the content, in bytes. */
  start: number;
  end: number;
  /** Deflate blocks up to a byte boundary. At the content's end, the last one is marked as final. */
  bytes: Uint8Array;
  /** The Adler-32 of the part. */
  adler: number;
  seek?: SeekParts | undefined;
}

/** A pack that was written: its index, and for each row of it, in the order of the pack, the row of its base, or -1. */
export interface WrittenPack {
  idx: Uint8Array;
  bases: Int32Array;
}

/** The seek points of new entries, by row: places from the entry's start. */
export type WrittenPoints = Map<number, SeekPoints>;

/** A pack that is being written. Its objects are counted in advance, since its header holds their number. */
export class PackWriter {
  readonly #sink: Sink;
  readonly #start: number;
  readonly #expected: number;
  readonly #hash: Sha1;
  readonly #oids: Uint8Array;
  readonly #crcs: Uint32Array;
  readonly #offsets: Float64Array;
  /** The row of each delta's base, or -1. */
  readonly #bases: Int32Array;
  readonly #points = new Map<number, { segment: number; places: number[]; checksums: number[] }>();
  #count = 0;
  /** The Adler-32 of the entry whose pieces are being added. */
  #adler = 1;

  /**
   * @param sink the pack begins at its present position
   * @param objectCount the number of objects that will be added
   * @param hash hashes the whole pack
   */
  constructor(sink: Sink, objectCount: number, hash: Sha1) {
    this.#hash = hash;
    this.#sink = sink;
    this.#start = sink.position;
    this.#expected = objectCount;
    this.#oids = new Uint8Array(objectCount * OID_LEN);
    this.#crcs = new Uint32Array(objectCount);
    this.#offsets = new Float64Array(objectCount);
    this.#bases = new Int32Array(objectCount).fill(-1);
  }

  /** The offset of the next entry, in bytes from the start of the pack. */
  get position(): number {
    return this.#sink.position - this.#start;
  }

  /** Writes the pack's header. */
  async begin(): Promise<void> {
    const header = new Uint8Array(12);
    const view = new DataView(header.buffer);
    view.setUint32(0, 0x5041434b);
    view.setUint32(4, 2);
    view.setUint32(8, this.#expected);
    await this.#append(header);
  }

  /**
   * Adds a whole object.
   * @param size bytes of its content
   * @param stream its content as a zlib stream
   * @param seek its seek points, of which the places are offsets from the stream's start
   */
  async add(
    kind: Kind,
    oid: Uint8Array,
    size: number,
    stream: Uint8Array,
    seek?: SeekParts | undefined,
  ): Promise<void> {
    this.#record(oid);
    this.#adler = 1;
    await this.#appendEntry(encodeEntryHeader(KIND[kind], size));
    if (seek !== undefined) {
      this.#beginPoints(seek.segment, ZLIB_HEADER.length);
      this.#notePoints(seek, 0);
    }
    await this.#appendEntry(stream);
  }

  /**
   * Adds a delta.
   * @param base the offset of its base's entry
   * @param size bytes of the delta
   * @param stream the delta as a zlib stream
   */
  async addDelta(oid: Uint8Array, base: number, size: number, stream: Uint8Array): Promise<void> {
    this.#record(oid, this.position, base);
    await this.#appendEntry(encodeEntryHeader(ENTRY_KIND.ofsDelta, size));
    await this.#appendEntry(this.#distanceTo(base));
    await this.#appendEntry(stream);
  }

  /**
   * Adds an entry whose stream comes in pieces.
   * @param size bytes of the object's content, or of the delta
   * @param base the offset of a delta's base; undefined for a whole object
   * @param stream pieces of the zlib stream, each used before the next is taken
   */
  async addStream(
    kind: Kind,
    oid: Uint8Array,
    size: number,
    base: number | undefined,
    stream: Iterable<Uint8Array>,
  ): Promise<void> {
    this.#record(oid, this.position, base);
    await this.#appendEntry(encodeEntryHeader(base === undefined ? KIND[kind] : ENTRY_KIND.ofsDelta, size));
    if (base !== undefined) await this.#appendEntry(this.#distanceTo(base));
    for (const piece of stream) await this.#appendEntry(piece);
  }

  /**
   * Adds a part of a whole object; the parts of one follow each other.
   * @param size bytes of the object's content
   */
  async addPiece(kind: Kind, oid: Uint8Array, size: number, piece: Piece): Promise<void> {
    const { start, end, bytes, adler, seek } = piece;
    if (start === 0) {
      this.#record(oid);
      this.#adler = 1;
      await this.#appendEntry(encodeEntryHeader(KIND[kind], size));
      await this.#appendEntry(ZLIB_HEADER);
      if (seek !== undefined) this.#beginPoints(seek.segment, 0);
    }
    if (seek !== undefined) this.#notePoints(seek, start);
    this.#adler = combineAdler32(this.#adler, adler, end - start);
    await this.#appendEntry(bytes);
    if (end < size) return;
    const checksum = new Uint8Array(4);
    new DataView(checksum.buffer).setUint32(0, this.#adler);
    await this.#appendEntry(checksum);
  }

  /**
   * Notes an entry that `addNoted` brings.
   * @param offset from the start of the pack
   * @param base the offset of a delta's base; undefined for a whole object
   * @param crc the CRC-32 of its bytes
   */
  note(oid: Uint8Array, offset: number, base: number | undefined, crc: number): void {
    this.#record(oid, offset, base);
    this.#crcs[this.#count - 1] = crc;
  }

  /** Adds the bytes of entries that were noted. @param pieces each used before the next is taken */
  async addNoted(pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) await this.#append(piece);
  }

  /**
   * Writes the pack's trailer.
   * @returns the trailer, which is the SHA-1 of all bytes before it, and the rows of the pack's index in the order of
   *   the pack, with those of bases,
   *   and the seek points
   */
  async finish(): Promise<{
    trailer: Uint8Array;
    entries: IdxEntries;
    bases: Int32Array;
    points: WrittenPoints;
  }> {
    if (this.#count !== this.#expected) throw new RangeError("the pack's header announced another count");
    const trailer = this.#hash.digest();
    await this.#sink.append(trailer);
    const entries = { count: this.#count, oids: this.#oids, crcs: this.#crcs, offsets: this.#offsets };
    return { trailer, entries, bases: this.#bases, points: this.#points };
  }

  /** Begins an entry. @param base the offset of its base */
  #record(oid: Uint8Array, offset = this.position, base?: number): void {
    if (this.#count === this.#expected) throw new RangeError("more objects than the pack's header announced");
    this.#oids.set(oid, this.#count * OID_LEN);
    this.#offsets[this.#count] = offset;
    if (base !== undefined) this.#bases[this.#count] = this.#rowAt(base);
    this.#count++;
  }

  /** Bytes of the last entry so far. */
  get #entryLen(): number {
    return this.position - this.#offsets[this.#count - 1]!;
  }

  /** Begins the seek points of the last entry. @param ahead bytes of the stream that are still to come before its blocks */
  #beginPoints(segment: number, ahead: number): void {
    this.#points.set(this.#count - 1, { segment, places: [this.#entryLen + ahead], checksums: [1] });
  }

  /** Notes seek points of the last entry, of content from `start` on. Places count from the present position. */
  #notePoints({ segment, points, marks }: SeekParts, start: number): void {
    const { places, checksums } = this.#points.get(this.#count - 1)!;
    for (const point of points) places.push(this.#entryLen + point);
    const cell = segment / CELLS;
    for (const mark of marks)
      checksums.push(combineAdler32(this.#adler, mark, checksums.length * cell - start));
  }

  /** The row of an entry, by its offset. */
  #rowAt(offset: number): number {
    let low = 0;
    for (let high = this.#count; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The distance of the last entry to its base, encoded. @param base its offset */
  #distanceTo(base: number): Uint8Array {
    return encodeBaseDistance(this.#offsets[this.#count - 1]! - base);
  }

  /** Appends to the last entry. */
  async #appendEntry(bytes: Uint8Array): Promise<void> {
    this.#crcs[this.#count - 1] = crc32(bytes, this.#crcs[this.#count - 1]);
    await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    // The system writes while this thread hashes.
    const appended = this.#sink.append(bytes);
    this.#hash.update(bytes);
    await appended;
  }
}

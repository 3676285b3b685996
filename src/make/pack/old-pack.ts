/** The PACK of an earlier image, whose entries a new image takes as they are. The caller has proven that it is sound. */
import type { DocteurError } from "../../errors.js";
import { entryHeader, entryHeaderLen, HEADER_MAX, KIND, PACK_START, parseEntry } from "../../git/entry.js";
import { OID_LEN } from "../../git/oid.js";
import { OldFile } from "./old-file.js";
import type { Version } from "./version.js";
import type { WrittenPack } from "./writer.js";

/** Bytes in which the PACK's trailer is looked for at once. */
const SEARCH_LEN = 1 << 18;
/** The parts of an IDX, version 2 (gitformat-pack). */
const IDX = { fanout: 8, oids: 8 + 256 * 4, large: 0x80000000 } as const;

/** An entry. */
export interface OldEntry {
  /** Inflated bytes: the object's, or the delta's. */
  size: number;
  /** The range of its zlib stream in the PACK. */
  start: number;
  end: number;
}

/** See the file's head. Entries are numbered in the order of their ids, and ranked in the order of their offsets. */
export class OldPack {
  readonly #file: OldFile;
  #oids: Uint8Array = new Uint8Array(0);
  /** The first four bytes of each id. */
  #words = new Uint32Array(0);
  #fanout = new Uint32Array(256);
  /** By number: the offset of the entry in the PACK, and its CRC-32. */
  #offsets = new Float64Array(0);
  #crcs: Uint32Array = new Uint32Array(0);
  /** The rank of each. */
  #ranks = new Uint32Array(0);
  /** By rank: offsets, and at last the end of the last entry. */
  #sorted = new Float64Array(0);
  /** The number of the base of a delta, or -1. */
  #bases = new Int32Array(0);
  /** Whether the entry's header has the form that `PackWriter` gives it. */
  #isPlain = new Uint8Array(0);
  readonly #bytes = Buffer.alloc(HEADER_MAX);
  readonly #header = entryHeader();
  count = 0;

  /** @param path of the image @throws DocteurError `Io` */
  constructor(path: string) {
    this.#file = new OldFile(path);
  }

  /** The file's present version. */
  version(): Version {
    return this.#file.version();
  }

  /**
   * Reads the index of a sound image, and the headers of its entries.
   * @throws DocteurError `Io`, also if the image is not sound after all
   */
  load(): void {
    const start = Number(this.#file.read(20, 8).readBigUInt64LE(0));
    const count = this.#file.read(start + IDX.oids - 4, 4).readUInt32BE(0);
    const large = this.#largeCount(start + IDX.oids + count * (OID_LEN + 4), count);
    const length = IDX.oids + count * (OID_LEN + 8) + 8 * large + 2 * OID_LEN;
    this.#readIdx(Buffer.from(this.#file.read(start, length)), count);
    this.#sorted[count] = this.#trailerAt(start, length);
    const numbers = this.#numbersByRank();
    this.#readHeaders(numbers);
  }

  /** Takes an image that this process wrote, without reading it again. */
  know({ idx, bases }: WrittenPack): void {
    const count = bases.length;
    const start = Number(this.#file.read(20, 8).readBigUInt64LE(0));
    this.#readIdx(Buffer.from(idx.buffer, idx.byteOffset, idx.length), count);
    this.#sorted[count] = this.#trailerAt(start, idx.length);
    const numbers = this.#numbersByRank();
    this.#bases = new Int32Array(count).fill(-1);
    for (const [rank, base] of bases.entries()) if (base >= 0) this.#bases[numbers[rank]!] = numbers[base]!;
    this.#isPlain = new Uint8Array(count).fill(1);
  }

  /** The number of offsets that take 64 bits. @param at the place of the offsets in the file */
  #largeCount(at: number, count: number): number {
    const offsets = this.#file.read(at, 4 * count);
    let large = 0;
    for (let index = 0; index < count; index++) if (offsets[4 * index]! >= 0x80) large++;
    return large;
  }

  /** Takes the columns of an IDX. */
  #readIdx(idx: Buffer, count: number): void {
    const view = new DataView(idx.buffer, idx.byteOffset, idx.length);
    this.count = count;
    for (let byte = 0; byte < 256; byte++) this.#fanout[byte] = view.getUint32(IDX.fanout + 4 * byte);
    this.#oids = idx.subarray(IDX.oids, IDX.oids + count * OID_LEN);
    this.#words = new Uint32Array(count);
    this.#crcs = new Uint32Array(count);
    this.#offsets = new Float64Array(count);
    const crcsAt = IDX.oids + count * OID_LEN;
    const offsetsAt = crcsAt + count * 4;
    const largeAt = offsetsAt + count * 4;
    for (let index = 0; index < count; index++) {
      this.#words[index] = view.getUint32(IDX.oids + index * OID_LEN);
      this.#crcs[index] = view.getUint32(crcsAt + index * 4);
      const offset = view.getUint32(offsetsAt + index * 4);
      const isLarge = offset >= IDX.large;
      this.#offsets[index] = isLarge ? Number(view.getBigUint64(largeAt + 8 * (offset - IDX.large))) : offset;
    }
    this.#sorted = new Float64Array(count + 1);
    this.#sorted.set(this.#offsets);
    this.#sorted[count] = Number.POSITIVE_INFINITY;
    this.#sorted.sort();
  }

  #numbersByRank(): Uint32Array {
    const numbers = new Uint32Array(this.count);
    this.#ranks = new Uint32Array(this.count);
    for (let index = 0; index < this.count; index++) {
      const rank = this.#rankAt(this.#offsets[index]!);
      this.#ranks[index] = rank;
      numbers[rank] = index;
    }
    return numbers;
  }

  /** Reads the headers of all entries, in the order in which the file has them. */
  #readHeaders(numbers: Uint32Array): void {
    this.#bases = new Int32Array(this.count).fill(-1);
    this.#isPlain = new Uint8Array(this.count);
    const header = this.#header;
    for (const index of numbers) {
      this.#parse(index);
      const { kind } = header;
      if (kind === KIND.ofsDelta) {
        const rank = this.#rankAt(header.base);
        this.#bases[index] = this.#sorted[rank] === header.base ? numbers[rank]! : -1;
      } else if (kind === KIND.refDelta) {
        this.#bases[index] = this.indexOf(this.#bytes, header.baseOidAt);
      }
      if ((kind === KIND.ofsDelta || kind === KIND.refDelta) && this.#bases[index]! < 0) throw this.changed();
      const distance = kind === KIND.ofsDelta ? this.#offsets[index]! - header.base : undefined;
      const isPlain = kind !== KIND.refDelta && header.length === entryHeaderLen(header.size, distance);
      this.#isPlain[index] = isPlain ? 1 : 0;
    }
  }

  /** Parses an entry's header. @returns the end of the entry in the PACK @throws DocteurError `Io` */
  #parse(index: number): number {
    const offset = this.#offsets[index]!;
    const end = this.endOf(index);
    const length = Math.min(HEADER_MAX, end - offset);
    this.#bytes.fill(0).set(this.#file.read(PACK_START + offset, length));
    if (parseEntry(this.#header, this.#bytes, 0, offset, this.#sorted[this.count]!) !== 0)
      throw this.changed();
    return end;
  }

  close(): void {
    this.#file.close();
  }

  /** @param at the start of an id of 20 bytes in `oids` @returns the entry's number, -1 if there is none */
  indexOf(oids: Uint8Array, at: number): number {
    const first = oids[at]!;
    const end = this.#fanout[first]!;
    const word = ((first << 24) | (oids[at + 1]! << 16) | (oids[at + 2]! << 8) | oids[at + 3]!) >>> 0;
    let low = first === 0 ? 0 : this.#fanout[first - 1]!;
    for (let high = end; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#words[middle]! < word) low = middle + 1;
      else high = middle;
    }
    for (; low < end && this.#words[low] === word; low++) if (this.#isAt(low, oids, at)) return low;
    return -1;
  }

  #isAt(index: number, oids: Uint8Array, at: number): boolean {
    for (let byte = 4; byte < OID_LEN; byte++)
      if (this.#oids[index * OID_LEN + byte] !== oids[at + byte]) return false;
    return true;
  }

  /** The number of the base of a delta, -1 for a whole object. */
  baseOf(index: number): number {
    return this.#bases[index]!;
  }

  /** The start of an entry in the PACK, and its end. */
  offsetOf(index: number): number {
    return this.#offsets[index]!;
  }

  endOf(index: number): number {
    return this.#sorted[this.#ranks[index]! + 1]!;
  }

  /** The CRC-32 of an entry, as the IDX has it. */
  crcOf(index: number): number {
    return this.#crcs[index]!;
  }

  /** Whether an entry can stand in a new PACK byte for byte, if its base is as far before it there. */
  isPlain(index: number): boolean {
    return this.#isPlain[index] === 1;
  }

  /** The number of entries before an offset. */
  #rankAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @throws DocteurError `Io`, also if the image has changed */
  entry(index: number): OldEntry {
    const end = this.#parse(index);
    const { size, length } = this.#header;
    return { size, start: this.#offsets[index]! + length, end };
  }

  /** A range of the PACK, in pieces, each valid until the next. */
  range(start: number, end: number): Iterable<Uint8Array> {
    return this.#file.pieces(PACK_START + start, PACK_START + end);
  }

  /** The error for an image that another process writes to. */
  changed(): DocteurError {
    return this.#file.changed();
  }

  /** The offset of the PACK's trailer: it and zeros are between the last entry and the IDX. */
  #trailerAt(idx: number, idxLen: number): number {
    const last = this.count === 0 ? 12 : this.#sorted[this.count - 1]!;
    // The IDX ends with the PACK's trailer and its own. A sound image has the first at the end of the PACK, too.
    const trailer = Buffer.from(this.#file.read(idx + idxLen - 2 * OID_LEN, OID_LEN));
    for (let end = idx; end > PACK_START + last; end -= SEARCH_LEN - OID_LEN) {
      const start = Math.max(PACK_START + last, end - SEARCH_LEN);
      const at = this.#file.read(start, end - start).lastIndexOf(trailer);
      if (at >= 0) return start + at - PACK_START;
    }
    throw this.changed();
  }
}

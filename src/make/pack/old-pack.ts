/** The PACK of an earlier image, whose entries a new image takes as they are. The caller has proven that it is sound. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { entryHeader, HEADER_MAX, KIND, PACK_START, parseEntry } from "../../git/entry.js";
import { OID_LEN } from "../../git/oid.js";
import { ioError } from "../../node/io-error.js";

/** Bytes that are read at once: entries are mostly copied in their order. */
const WINDOW_LEN = 1 << 18;
/** The parts of an IDX, version 2 (gitformat-pack). */
const IDX = { fanout: 8, oids: 8 + 256 * 4, large: 0x80000000 } as const;

/** An entry. */
export interface OldEntry {
  kind: number;
  /** Inflated bytes: the object's, or the delta's. */
  size: number;
  /** The number of a delta's base, or -1. */
  base: number;
  /** The entry's zlib stream, by its offsets in the image. */
  start: number;
  end: number;
}

/** Tells versions of a file apart. */
export type Version = string;

/** See the file's head. Entries are numbered in the order of their ids. */
export class OldPack {
  readonly #name: string;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #oids: Buffer = Buffer.alloc(0);
  /** The first four bytes of each id. */
  #words = new Uint32Array(0);
  #fanout = new Uint32Array(256);
  /** The offset of each entry in the PACK; the offsets in order, with the end of the last. */
  #offsets = new Float64Array(0);
  #sorted = new Float64Array(0);
  /** The numbers of the entries in the order of their offsets. */
  #byRank: Uint32Array | undefined;
  readonly #header = Buffer.alloc(HEADER_MAX);
  count = 0;

  /** @param path of the image @throws DocteurError `Io` */
  constructor(path: string) {
    this.#name = path;
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw ioError("read", path, cause);
    }
  }

  /** The file's present version. */
  version(): Version {
    const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(this.#fd, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  }

  /**
   * Reads the index of a sound image.
   * @throws DocteurError `BadSource` if it is not sound after all, `Io`
   */
  load(): void {
    const idx = Number(this.#read(20, 8).readBigUInt64LE(0));
    const fanout = this.#read(idx + IDX.fanout, 256 * 4);
    for (let byte = 0; byte < 256; byte++) this.#fanout[byte] = fanout.readUInt32BE(4 * byte);
    const count = this.#fanout[255]!;
    this.count = count;
    this.#oids = Buffer.from(this.#read(idx + IDX.oids, count * OID_LEN));
    this.#words = Uint32Array.from({ length: count }, (_, index) => this.#oids.readUInt32BE(index * OID_LEN));
    const offsetsAt = idx + IDX.oids + count * (OID_LEN + 4);
    const offsets = Buffer.from(this.#read(offsetsAt, count * 4));
    this.#offsets = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      const offset = offsets.readUInt32BE(4 * index);
      const row = offset - IDX.large;
      this.#offsets[index] =
        row < 0 ? offset : Number(this.#read(offsetsAt + 4 * count + 8 * row, 8).readBigUInt64BE(0));
    }
    this.#sorted = new Float64Array(count + 1);
    this.#sorted.set(this.#offsets);
    this.#sorted[count] = Number.POSITIVE_INFINITY;
    this.#sorted.sort();
    this.#sorted[count] = this.#packEnd();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** @param oid 20 bytes @returns the entry's number, -1 if there is none */
  indexOf(oid: Uint8Array): number {
    const first = oid[0]!;
    const end = this.#fanout[first]!;
    const word = ((first << 24) | (oid[1]! << 16) | (oid[2]! << 8) | oid[3]!) >>> 0;
    let low = first === 0 ? 0 : this.#fanout[first - 1]!;
    for (let high = end; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#words[middle]! < word) low = middle + 1;
      else high = middle;
    }
    for (; low < end && this.#words[low] === word; low++) if (this.#isAt(low, oid)) return low;
    return -1;
  }

  #isAt(index: number, oid: Uint8Array): boolean {
    for (let at = 4; at < OID_LEN; at++) if (this.#oids[index * OID_LEN + at] !== oid[at]) return false;
    return true;
  }

  /** @throws DocteurError `Io`, also if the image has changed */
  entry(index: number): OldEntry {
    const offset = this.#offsets[index]!;
    const end = this.#sorted[this.#rankOf(offset) + 1]!;
    const length = Math.min(HEADER_MAX, end - offset);
    const bytes = this.#header.fill(0);
    bytes.set(this.#read(PACK_START + offset, length));
    const header = entryHeader();
    if (parseEntry(header, bytes, 0, offset, this.#sorted[this.count]!) !== 0) throw this.#changed();
    const base =
      header.kind === KIND.ofsDelta
        ? this.#indexAt(header.base)
        : header.kind === KIND.refDelta
          ? this.indexOf(bytes.subarray(header.baseOidAt, header.baseOidAt + OID_LEN))
          : -1;
    const isDelta = header.kind === KIND.ofsDelta || header.kind === KIND.refDelta;
    if (isDelta && base < 0) throw this.#changed();
    const start = PACK_START + offset + header.length;
    return { kind: header.kind, size: header.size, base, start, end: PACK_START + end };
  }

  /** The zlib stream of an entry, in pieces, each valid until the next. */
  *stream({ start, end }: OldEntry): Generator<Uint8Array, void, undefined> {
    for (let at = start; at < end; ) {
      const length = Math.min(WINDOW_LEN, end - at);
      yield this.#read(at, length);
      at += length;
    }
  }

  /** The error for an image that another process writes to. */
  changedSince(version: Version): DocteurError | undefined {
    return this.version() === version ? undefined : this.#changed();
  }

  #changed(): DocteurError {
    return new DocteurError("Io", `${this.#name} changed while it was read`, {
      path: this.#name,
      hint: "give --from an image that nobody writes to",
    });
  }

  /** The offset of the PACK's trailer: it and zeros are between the last entry and the IDX. */
  #packEnd(): number {
    const last = this.count === 0 ? 12 : this.#sorted[this.count - 1]!;
    const idx = Number(this.#read(20, 8).readBigUInt64LE(0));
    // The IDX ends with the PACK's trailer and its own. A sound image has the first at the end of the PACK, too.
    const large = this.#offsets.reduce((sum, offset) => sum + (offset >= IDX.large ? 1 : 0), 0);
    const trailerAt = idx + IDX.oids + this.count * (OID_LEN + 8) + 8 * large;
    const trailer = Buffer.from(this.#read(trailerAt, OID_LEN));
    for (let end = idx; end > PACK_START + last; end -= WINDOW_LEN - OID_LEN) {
      const start = Math.max(PACK_START + last, end - WINDOW_LEN);
      const at = this.#read(start, end - start).lastIndexOf(trailer);
      if (at >= 0) return start + at - PACK_START;
    }
    throw this.#changed();
  }

  #rankOf(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The number of the entry at an offset. */
  #indexAt(offset: number): number {
    const rank = this.#rankOf(offset);
    if (this.#sorted[rank] !== offset) return -1;
    this.#byRank ??= this.#ranks();
    return this.#byRank[rank]!;
  }

  #ranks(): Uint32Array {
    const numbers = new Uint32Array(this.count);
    for (let index = 0; index < this.count; index++) numbers[this.#rankOf(this.#offsets[index]!)] = index;
    return numbers;
  }

  /** Bytes of the image, valid until the next call. */
  #read(offset: number, length: number): Buffer {
    const at = offset - this.#windowStart;
    if (at >= 0 && at + length <= this.#window.length) return this.#window.subarray(at, at + length);
    const buffer = Buffer.allocUnsafe(Math.max(length, WINDOW_LEN));
    let done = 0;
    try {
      for (let count = -1; done < buffer.length && count !== 0; done += count)
        count = readSync(this.#fd, buffer, done, buffer.length - done, offset + done);
    } catch (cause) {
      throw ioError("read", this.#name, cause);
    }
    if (done < length) throw this.#changed();
    this.#window = buffer.subarray(0, done);
    this.#windowStart = offset;
    return this.#window.subarray(0, length);
  }
}

/** Writes a pack, version 2, of whole objects (gitformat-pack, "pack-*.pack files have the following format"). */
import { createHash } from "node:crypto";
import { Zlib, zlibSync } from "fflate";
import type { FileSink } from "../../write-file.js";
import { KIND, type Kind } from "../objects.js";
import { crc32 } from "./crc32.js";
import type { IdxEntries } from "./idx.js";

/** fflate is the same JavaScript everywhere: `node:zlib`'s output depends on the version of Node and on the processor. */
const LEVEL = 9;

/** An entry's header: its kind and its inflated size, four bits and then seven at a time, little end first. */
export function encodeEntryHeader(kind: Kind, size: number): Uint8Array {
  const bytes: number[] = [];
  let byte = (KIND[kind] << 4) | (size % 16);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
  }
  bytes.push(byte);
  return Uint8Array.from(bytes);
}

/** A stored block holds no more (RFC 1951, section 3.2.4). */
const STORED_LEN = 0xffff;

/** Bytes between reductions: the sums stay below 2^53, which is exact. */
const ADLER_RUN = 1 << 20;

/** RFC 1950, section 8. */
function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += ADLER_RUN) {
    const end = Math.min(start + ADLER_RUN, bytes.length);
    for (let at = start; at < end; at++) {
      low += bytes[at]!;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 65536 + low;
}

/** Content as a zlib stream of stored blocks. (fflate's has a wrong checksum for multiples of 65,535 bytes.) */
function store(content: Uint8Array): Uint8Array {
  const blockCount = Math.max(1, Math.ceil(content.length / STORED_LEN));
  const stream = new Uint8Array(2 + 5 * blockCount + content.length + 4);
  const view = new DataView(stream.buffer);
  view.setUint16(0, 0x7801);
  let at = 2;
  for (let block = 0; block < blockCount; block++) {
    const part = content.subarray(block * STORED_LEN, (block + 1) * STORED_LEN);
    stream[at] = block === blockCount - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    stream.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, adler32(content));
  return stream;
}

/** Content as a zlib stream: deflated, or stored where that is shorter. */
export function deflate(content: Uint8Array): Uint8Array {
  const deflated = zlibSync(content, { level: LEVEL });
  const storedLen = 6 + 5 * Math.max(1, Math.ceil(content.length / STORED_LEN)) + content.length;
  return deflated.length <= storedLen ? deflated : store(content);
}

/** A pack on its way into a file. Its objects are counted in advance, as its header says how many they are. */
export class PackWriter {
  readonly #sink: FileSink;
  readonly #start: number;
  readonly #expected: number;
  readonly #hash = createHash("sha1");
  readonly #oids: Uint8Array;
  readonly #crcs: Uint32Array;
  readonly #offsets: Float64Array;
  #count = 0;

  /**
   * @param sink where the pack begins at the present position
   * @param objectCount how many objects will be added
   */
  constructor(sink: FileSink, objectCount: number) {
    this.#sink = sink;
    this.#start = sink.position;
    this.#expected = objectCount;
    this.#oids = new Uint8Array(objectCount * 20);
    this.#crcs = new Uint32Array(objectCount);
    this.#offsets = new Float64Array(objectCount);
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

  /** Adds an object whose content is at hand. */
  async add(kind: Kind, oid: Uint8Array, content: Uint8Array): Promise<void> {
    const header = encodeEntryHeader(kind, content.length);
    const body = deflate(content);
    this.#record(oid);
    this.#crcs[this.#count] = crc32(body, crc32(header));
    await this.#append(header);
    await this.#append(body);
    this.#count++;
  }

  /**
   * Adds an object whose content comes in pieces, which decide where its deflate blocks end: the same pieces give the
   * same pack.
   * @param size the sum of the pieces' lengths, at least 1
   */
  async addStream(kind: Kind, oid: Uint8Array, size: number, pieces: Iterable<Uint8Array>): Promise<void> {
    const header = encodeEntryHeader(kind, size);
    this.#record(oid);
    let crc = crc32(header);
    await this.#append(header);
    let ready: Uint8Array[] = [];
    const stream = new Zlib({ level: LEVEL }, (bytes) => ready.push(bytes));
    let left = size;
    for (const piece of pieces) {
      left -= piece.length;
      stream.push(piece, left === 0);
      for (const bytes of ready) {
        crc = crc32(bytes, crc);
        await this.#append(bytes);
      }
      ready = [];
    }
    if (left !== 0) throw new RangeError("the pieces do not add up to the object's size");
    this.#crcs[this.#count++] = crc;
  }

  /**
   * Writes the pack's trailer.
   * @returns the trailer, which is the SHA-1 of all before it, and the rows of the pack's index
   */
  async finish(): Promise<{ trailer: Uint8Array; entries: IdxEntries }> {
    if (this.#count !== this.#expected) throw new RangeError("the pack's header announced another count");
    const trailer = this.#hash.digest();
    await this.#sink.append(trailer);
    const entries = { count: this.#count, oids: this.#oids, crcs: this.#crcs, offsets: this.#offsets };
    return { trailer, entries };
  }

  #record(oid: Uint8Array): void {
    if (this.#count === this.#expected) throw new RangeError("more objects than the pack's header announced");
    this.#oids.set(oid, this.#count * 20);
    this.#offsets[this.#count] = this.#sink.position - this.#start;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#sink.append(bytes);
  }
}

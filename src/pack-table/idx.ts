/** An image's IDX (gitformat-pack, "Version 2 pack-*.idx files"), read. */
import { OID } from "../git/entry.js";
import { hexOid } from "../git/oid.js";

/** Places of its parts: the fanout, the ids; and the length of its two checksums. */
export const FANOUT = 8;
export const OIDS = FANOUT + 1024;
export const TRAILERS = 2 * OID;
/** The bit of an offset that is one of the table of large offsets. */
export const LARGE_FLAG = 0x80000000;

/** The bytes of an image. */
interface Bytes {
  readonly capacity: number;
  copy(offset: number, length: number): Promise<Uint8Array>;
}

/** An IDX whose parts can be found. They may hold anything. */
export class Idx {
  /** Its start in the image. */
  readonly start: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #byOffset: Uint32Array | undefined;

  constructor(start: number, count: number, bytes: Uint8Array) {
    this.start = start;
    this.count = count;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The table of ids. */
  get oids(): Uint8Array {
    return this.bytes.subarray(OIDS, OIDS + this.count * OID);
  }

  /** The id at a rank, as hexadecimal digits. */
  oid(rank: number): string {
    return hexOid(this.bytes.subarray(OIDS + rank * OID));
  }

  crc(rank: number): number {
    return this.#view.getUint32(OIDS + this.count * OID + rank * 4);
  }

  /** The offset at a rank, from the PACK's start; -1 if the table of large offsets has no such row. */
  offset(rank: number): number {
    const at = OIDS + this.count * (OID + 4);
    const short = this.#view.getUint32(at + rank * 4);
    if (short < LARGE_FLAG) return short;
    const large = at + this.count * 4 + (short - LARGE_FLAG) * 8;
    if (large + 8 > this.bytes.length - TRAILERS) return -1;
    const offset = this.#view.getBigUint64(large);
    return offset > BigInt(Number.MAX_SAFE_INTEGER) ? -1 : Number(offset);
  }

  /** The PACK's checksum as the IDX has it. */
  get packTrailer(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - TRAILERS, this.bytes.length - OID);
  }

  /**
   * The rank of an id, by halving; -1 if it is not there.
   * @param at the id's start in `bytes`
   */
  rankOf(bytes: Uint8Array, at = 0): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, bytes, at);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** The order of the id at a rank and another one. */
  #compare(rank: number, bytes: Uint8Array, at: number): number {
    const start = OIDS + rank * OID;
    for (let byte = 0; byte < OID; byte++) {
      const order = this.bytes[start + byte]! - bytes[at + byte]!;
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Ranks in the order of their offsets. */
  byOffset(): Uint32Array {
    if (this.#byOffset !== undefined) return this.#byOffset;
    const { count } = this;
    const keys = new Float64Array(count);
    const ranks = new Uint32Array(count);
    let most = 0;
    for (let rank = 0; rank < count; rank++) {
      keys[rank] = this.offset(rank);
      ranks[rank] = rank;
      most = Math.max(most, keys[rank]!);
    }
    if ((most + 2) * count > Number.MAX_SAFE_INTEGER) ranks.sort((left, right) => keys[left]! - keys[right]!);
    else {
      // Offset and rank in one number, which the engine sorts without calling back.
      for (let rank = 0; rank < count; rank++) keys[rank] = (keys[rank]! + 1) * count + rank;
      keys.sort();
      for (let index = 0; index < count; index++) ranks[index] = keys[index]! % count;
    }
    this.#byOffset = ranks;
    return ranks;
  }
}

/** Reads the IDX of `count` objects that begins at `start`; undefined if the image ends before it does. */
export async function readIdx(reader: Bytes, start: number, count: number): Promise<Idx | undefined> {
  const fixed = OIDS + count * (OID + 8) + TRAILERS;
  if (start + fixed > reader.capacity) return undefined;
  const short = await reader.copy(start + OIDS + count * (OID + 4), count * 4);
  const view = new DataView(short.buffer, short.byteOffset, short.length);
  let large = 0;
  for (let rank = 0; rank < count; rank++) if (view.getUint32(rank * 4) >= LARGE_FLAG) large++;
  if (start + fixed + large * 8 > reader.capacity) large = 0;
  return new Idx(start, count, await reader.copy(start, fixed + large * 8));
}

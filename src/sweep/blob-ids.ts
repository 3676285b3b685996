/** Numbers for the objects of an image: their ranks in the IDX, or the order in which they are met. */
import { DocteurError } from "../errors.js";
import { hexOid } from "../git/oid.js";
import type { Idx } from "../pack-table/idx.js";

const OID = 20;
/** Values of an id's first two bytes. */
const HEADS = 1 << 16;

/** Numbers for ids. */
export interface BlobIds {
  /** The number of the id at a position. @throws DocteurError `MissingObject` if the image does not have it */
  numberOf(bytes: Uint8Array, at: number): number;
  /** The id of a number, 20 bytes. */
  oid(number: number): Uint8Array;
  /** Numbers in the order in which reading their objects is fast. */
  sorted(isWanted: (number: number) => boolean): number[];
}

/** Numbers by the IDX. */
export class IndexedIds implements BlobIds {
  readonly #idx: Idx;
  readonly #oids: Uint8Array;
  /** The rank of the first id that begins with each two bytes. */
  readonly #fanout = new Uint32Array(HEADS + 1);

  constructor(idx: Idx) {
    this.#idx = idx;
    const oids = idx.oids;
    const fanout = this.#fanout;
    this.#oids = oids;
    for (let at = 0; at < idx.count * OID; at += OID) fanout[((oids[at]! << 8) | oids[at + 1]!) + 1]!++;
    for (let head = 0; head < HEADS; head++) fanout[head + 1]! += fanout[head]!;
  }

  numberOf(bytes: Uint8Array, at: number): number {
    const head = (bytes[at]! << 8) | bytes[at + 1]!;
    let low = this.#fanout[head]!;
    let high = this.#fanout[head + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, bytes, at);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    const oid = hexOid(bytes.subarray(at, at + OID));
    throw new DocteurError("MissingObject", `an object is not in the image: ${oid}`, { oid });
  }

  #compare(rank: number, bytes: Uint8Array, at: number): number {
    const start = rank * OID;
    for (let index = 2; index < OID; index++) {
      const difference = this.#oids[start + index]! - bytes[at + index]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  oid(number: number): Uint8Array {
    return this.#oids.subarray(number * OID, (number + 1) * OID);
  }

  sorted(isWanted: (number: number) => boolean): number[] {
    const numbers: number[] = [];
    for (const number of this.#idx.byOffset()) if (isWanted(number)) numbers.push(number);
    return numbers;
  }
}

/** Numbers for images whose IDX is not to be used. */
export class MetIds implements BlobIds {
  readonly #numbers = new Map<string, number>();
  readonly #oids: Uint8Array[] = [];

  numberOf(bytes: Uint8Array, at: number): number {
    const oid = bytes.slice(at, at + OID);
    const key = hexOid(oid);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#oids.length);
    this.#oids.push(oid);
    return this.#oids.length - 1;
  }

  oid(number: number): Uint8Array {
    return this.#oids[number]!;
  }

  sorted(isWanted: (number: number) => boolean): number[] {
    return Array.from(this.#oids.keys()).filter(isWanted);
  }
}

/** A set of ids that stay in the caller's array: the table for a million ids takes 8 MB. */

import { doubled } from "../../git/byte-strings.js";
import { OID_LEN } from "../../git/oid.js";

/** Open addressing by an id's first four bytes: a hash spreads them evenly. */
export class OidSet {
  readonly #oids: DataView;
  /** One more than the index of an id, 0 for none; at most two thirds of them are taken. */
  readonly #slots: Uint32Array;

  /** @param oids all possible ids, 20 bytes each: the set refers to them by index */
  constructor(oids: Uint8Array) {
    this.#oids = new DataView(oids.buffer, oids.byteOffset, oids.byteLength);
    let slotCount = 16;
    while (slotCount < 1.5 * (oids.length / OID_LEN)) slotCount *= 2;
    this.#slots = new Uint32Array(slotCount);
  }

  /** @returns whether the id at `index` is new */
  add(index: number): boolean {
    return this.findOrAdd(index) === undefined;
  }

  /** @returns the index under which the set already had the id at `index` */
  findOrAdd(index: number): number | undefined {
    const slot = this.#slotOf(this.#oids, index * OID_LEN);
    const taken = this.#slots[slot]!;
    if (taken !== 0) return taken - 1;
    this.#slots[slot] = index + 1;
    return undefined;
  }

  /** @returns the index of the added id that equals the one at `index`; -1 if there is none */
  indexOf(index: number): number {
    return this.#slots[this.#slotOf(this.#oids, index * OID_LEN)]! - 1;
  }

  /**
   * @param at the start of an id of 20 bytes, which need not be one of the possible ids
   * @returns the index of the added id that equals it; -1 if there is none
   */
  find(bytes: Uint8Array, at: number): number {
    return this.#slots[this.#slotOf(new DataView(bytes.buffer, bytes.byteOffset), at)]! - 1;
  }

  /** The slot that has an id, or the free one that it would be put in. */
  #slotOf(oids: DataView, at: number): number {
    const mask = this.#slots.length - 1;
    let slot = oids.getUint32(at) & mask;
    for (let taken = this.#slots[slot]!; taken !== 0; taken = this.#slots[slot]!) {
      let word = 0;
      while (
        word < OID_LEN &&
        oids.getUint32(at + word) === this.#oids.getUint32((taken - 1) * OID_LEN + word)
      )
        word += 4;
      if (word === OID_LEN) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

/** A growing set of ids, numbered from 0 in the order in which they are added. */
export class OidTable {
  #oids = new Uint8Array(256 * OID_LEN);
  #set = new OidSet(this.#oids);
  count = 0;

  /**
   * @param oid 20 bytes
   * @returns its number; for a new id, the previous `count`
   */
  add(oid: Uint8Array): number {
    this.#place(oid);
    return this.#set.findOrAdd(this.count) ?? this.count++;
  }

  /**
   * @param oid 20 bytes
   * @returns its number; -1 if it was not added
   */
  indexOf(oid: Uint8Array): number {
    this.#place(oid);
    return this.#set.indexOf(this.count);
  }

  /** Writes an id after those of the table. */
  #place(oid: Uint8Array): void {
    if (this.count * OID_LEN === this.#oids.length) {
      this.#oids = doubled(this.#oids);
      this.#set = new OidSet(this.#oids);
      for (let index = 0; index < this.count; index++) this.#set.add(index);
    }
    this.#oids.set(oid, this.count * OID_LEN);
  }

  /** 20 bytes, valid until the next id is added. */
  oidOf(number: number): Uint8Array {
    return this.#oids.subarray(number * OID_LEN, (number + 1) * OID_LEN);
  }
}

/** A growing set of ids. */
export class GrowingOidSet {
  readonly #table = new OidTable();

  /**
   * @param oid 20 bytes
   * @returns whether it is new
   */
  add(oid: Uint8Array): boolean {
    const { count } = this.#table;
    return this.#table.add(oid) === count;
  }

  /**
   * @param oid 20 bytes
   * @returns the number of ids added before it; -1 if it was not added
   */
  indexOf(oid: Uint8Array): number {
    return this.#table.indexOf(oid);
  }
}

/** A set of ids, which stay where they are: a table of a million takes 8 MB. */

import { doubled } from "../../git/byte-strings.js";
import { OID_LEN } from "../../git/oid.js";

/** Open addressing, by an id's first four bytes: what a hash gives is spread evenly. */
export class OidSet {
  readonly #oids: DataView;
  /** One more than the index of an id, 0 for none; at most half of them are taken. */
  readonly #slots: Uint32Array;

  /** @param oids all ids that there may be, 20 bytes each: the set knows them by index */
  constructor(oids: Uint8Array) {
    this.#oids = new DataView(oids.buffer, oids.byteOffset, oids.byteLength);
    let slotCount = 16;
    while (slotCount < 2 * (oids.length / OID_LEN)) slotCount *= 2;
    this.#slots = new Uint32Array(slotCount);
  }

  /** @returns whether the id at `index` was not there yet */
  add(index: number): boolean {
    return this.findOrAdd(index) === undefined;
  }

  /** @returns the index under which the id at `index` was there already */
  findOrAdd(index: number): number | undefined {
    const mask = this.#slots.length - 1;
    let slot = this.#oids.getUint32(index * OID_LEN) & mask;
    for (let taken = this.#slots[slot]!; taken !== 0; taken = this.#slots[slot]!) {
      if (this.#isSame(taken - 1, index)) return taken - 1;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = index + 1;
    return undefined;
  }

  /** @returns the index of the id that was added and is the same as the one at `index`; -1 where there is none */
  indexOf(index: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#oids.getUint32(index * OID_LEN) & mask;
    for (let taken = this.#slots[slot]!; taken !== 0; taken = this.#slots[slot]!) {
      if (this.#isSame(taken - 1, index)) return taken - 1;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  #isSame(left: number, right: number): boolean {
    for (let at = 0; at < OID_LEN; at += 4)
      if (this.#oids.getUint32(left * OID_LEN + at) !== this.#oids.getUint32(right * OID_LEN + at))
        return false;
    return true;
  }
}

/** Ids that come one by one: each once, numbered from 0 on. */
export class OidTable {
  #oids = new Uint8Array(256 * OID_LEN);
  #set = new OidSet(this.#oids);
  count = 0;

  /**
   * @param oid 20 bytes
   * @returns its number: `count` as it was before, if the id was not there yet
   */
  add(oid: Uint8Array): number {
    this.#place(oid);
    return this.#set.findOrAdd(this.count) ?? this.count++;
  }

  /**
   * @param oid 20 bytes
   * @returns its number; -1 where it was not added
   */
  indexOf(oid: Uint8Array): number {
    this.#place(oid);
    return this.#set.indexOf(this.count);
  }

  /** Puts an id behind those of the table. */
  #place(oid: Uint8Array): void {
    if (this.count * OID_LEN === this.#oids.length) {
      this.#oids = doubled(this.#oids);
      this.#set = new OidSet(this.#oids);
      for (let index = 0; index < this.count; index++) this.#set.add(index);
    }
    this.#oids.set(oid, this.count * OID_LEN);
  }

  /** 20 bytes, which last until the next id is added. */
  oidOf(number: number): Uint8Array {
    return this.#oids.subarray(number * OID_LEN, (number + 1) * OID_LEN);
  }
}

/** A set of ids that come one by one. */
export class GrowingOidSet {
  readonly #table = new OidTable();

  /**
   * @param oid 20 bytes
   * @returns whether it was not there yet
   */
  add(oid: Uint8Array): boolean {
    const { count } = this.#table;
    return this.#table.add(oid) === count;
  }

  /**
   * @param oid 20 bytes
   * @returns how many ids were added before it; -1 where it was not added
   */
  indexOf(oid: Uint8Array): number {
    return this.#table.indexOf(oid);
  }
}

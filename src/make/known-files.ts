/** Ids of files by their stamps and sizes, as columns: a lookup makes no object, and there may be a million. */
import { doubled } from "../git/byte-strings.js";
import { OID_LEN } from "../git/oid.js";
import { STAMP_LEN } from "./base/content.js";

/**
 * Milliseconds: a file that changed so shortly before it was read may change again without another time (git calls such
 * an entry of its index racy). It is read again.
 */
export const RACY = 2000;

/** 32-bit words of a row: the stamp, and the size as a double. */
const WORDS = 2 * STAMP_LEN + 2;
/** The stamp's inode, low half: it tells files apart, and spreads well after this multiplication. */
const INO = 2;
const SPREAD = 0x9e3779b1;

/** See the file's head. */
export class KnownFiles {
  #words = new Uint32Array(256 * WORDS);
  #oids = new Uint8Array(256 * OID_LEN);
  /** Open addressing: one more than a row, 0 for none; at most half of them are taken. */
  #slots = new Uint32Array(512);
  /** A key in place. */
  readonly #key = new Uint32Array(WORDS);
  readonly #size = new Float64Array(this.#key.buffer, 8 * STAMP_LEN, 1);
  readonly #stamp = new BigInt64Array(this.#key.buffer, 0, STAMP_LEN);
  count = 0;

  /** @param stamps columns @param row the file's @param size bytes @returns 20 bytes, or undefined */
  find(stamps: BigInt64Array, row: number, size: number): Uint8Array | undefined {
    this.#setKey(stamps, row, size);
    const known = this.#slots[this.#slot()]!;
    return known === 0 ? undefined : this.#oids.subarray((known - 1) * OID_LEN, known * OID_LEN);
  }

  /** @param oid 20 bytes */
  add(stamps: BigInt64Array, row: number, size: number, oid: Uint8Array): void {
    this.#setKey(stamps, row, size);
    const slot = this.#slot();
    const known = this.#slots[slot]!;
    const at = known === 0 ? this.count++ : known - 1;
    if (this.count * OID_LEN > this.#oids.length) {
      this.#words = doubled(this.#words);
      this.#oids = doubled(this.#oids);
    }
    this.#words.set(this.#key, at * WORDS);
    this.#oids.set(oid, at * OID_LEN);
    this.#slots[slot] = at + 1;
    if (2 * this.count > this.#slots.length) this.#spread();
  }

  #setKey(stamps: BigInt64Array, row: number, size: number): void {
    for (let at = 0; at < STAMP_LEN; at++) this.#stamp[at] = stamps[row * STAMP_LEN + at]!;
    this.#size[0] = size;
  }

  /** The key's slot, or the free one for it. */
  #slot(): number {
    const mask = this.#slots.length - 1;
    let slot = slotOf(this.#key[INO]!) & mask;
    for (let known = this.#slots[slot]!; known !== 0; known = this.#slots[slot]!) {
      if (this.#isKey(known - 1)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isKey(row: number): boolean {
    for (let at = 0; at < WORDS; at++) if (this.#words[row * WORDS + at] !== this.#key[at]) return false;
    return true;
  }

  /** Doubles the slots. */
  #spread(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let row = 0; row < this.count; row++) {
      let slot = slotOf(this.#words[row * WORDS + INO]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row + 1;
    }
  }
}

function slotOf(ino: number): number {
  return Math.imul(ino, SPREAD) >>> 8;
}

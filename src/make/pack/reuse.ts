/**
 * The entries of an earlier image that a new one can take as they are: whole objects, and deltas whose bases are taken,
 * too. A delta whose base is not part of the new image is made anew.
 */
import { OID_LEN } from "../../git/oid.js";
import type { OldPack } from "./old-pack.js";

/** Whether an entry can be taken: not known yet, no, or the length of its chain and this. */
const UNKNOWN = 0;
const NO = 1;
const LEVEL = 2;

/** See the file's head. Entries have the numbers that `OldPack` gives them. */
export class Reuse {
  readonly old: OldPack;
  readonly #depth: number;
  /** Whether the new image has the object. */
  readonly #isPresent: Uint8Array;
  readonly #states: Uint16Array;

  /** @param depth the longest chain of deltas */
  constructor(old: OldPack, depth: number) {
    this.old = old;
    this.#depth = depth;
    this.#isPresent = new Uint8Array(old.count);
    this.#states = new Uint16Array(old.count);
  }

  /**
   * Finds the entries of objects of the new image: of all of a kind at once, as bases are of their deltas' kind.
   * @param oids 20 bytes each
   * @returns for each object the number of the entry to take, -1 if it is made anew
   */
  find(oids: Uint8Array): Int32Array {
    const entries = new Int32Array(oids.length / OID_LEN);
    for (let at = 0; at < entries.length; at++) {
      const index = this.old.indexOf(oids, at * OID_LEN);
      entries[at] = index;
      if (index >= 0) this.#isPresent[index] = 1;
    }
    return entries.map((index) => (index >= 0 && this.#levelOf(index) >= 0 ? index : -1));
  }

  /** The number of the base of an entry to take, -1 for a whole object. */
  baseOf(index: number): number {
    return this.old.baseOf(index);
  }

  /** The length of an entry's chain; -1 if it cannot be taken. */
  #levelOf(index: number): number {
    const chain: number[] = [];
    let at = index;
    for (; this.#states[at] === UNKNOWN; at = this.old.baseOf(at)) {
      // A sound image has no cycles.
      if (chain.length === this.old.count) throw this.old.changed();
      chain.push(at);
      if (this.#isPresent[at] === 0 || this.old.baseOf(at) < 0) break;
    }
    let level = this.#states[at] === UNKNOWN ? undefined : this.#states[at]! - LEVEL;
    for (const one of chain.reverse()) {
      if (level === undefined) level = this.#isPresent[one] === 0 ? -1 : 0;
      else level = level < 0 || level >= this.#depth ? -1 : level + 1;
      this.#states[one] = level < 0 ? NO : level + LEVEL;
    }
    return this.#states[index]! - LEVEL;
  }
}

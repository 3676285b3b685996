/** The log of trees as they are read: for each, the ranks of its entries' objects. */

import { examineTree } from "../git/examine-tree.js";
import type { Engine } from "./engine.js";
import { type TablesBudget, takeTables } from "./tables-budget.js";

/** An edge is eight times the rank of an object, or `NO_RANK` if it is not there, plus the entry's kind. */
export const NO_RANK = 0x1fffffff;
/** In the count of a tree: its worst defect. */
export const FLAW = { error: 0x80000000, warning: 0x40000000 } as const;
/** The count itself. */
export const COUNT_MASK = 0x3fffffff;
/** An entry takes 23 bytes at least. */
const ENTRY_MIN = 23;
/** Bytes that the list of edges may take for each of its words: its own, those of the list before it grew, two copies. */
const COST = 16;

/** Trees in any order: their row, how many edges they have, and the edges. */
export class TreeLog {
  readonly #engine: Engine;
  readonly #tables: TablesBudget;
  #words = new Uint32Array(1 << 12);
  #length = 0;
  #room = 0;
  #roomLen = 0;

  /** @param tables the budget that the list's growth counts against */
  constructor(engine: Engine, tables: TablesBudget) {
    this.#engine = engine;
    this.#tables = tables;
  }

  /** The log so far. */
  get words(): Uint32Array {
    return this.#words.slice(0, this.#length);
  }

  /** Gives back the memory that reading took besides the log. */
  release(): void {
    this.#engine.free(this.#room);
    this.#room = 0;
    this.#roomLen = 0;
  }

  /** Reads the tree at `ptr`, behind which there is slack. */
  read(row: number, ptr: number, size: number): void {
    const { wasm } = this.#engine;
    const most = Math.floor(size / ENTRY_MIN) + 1;
    if (most > this.#roomLen) {
      this.#engine.free(this.#room);
      this.#roomLen = Math.max(most, 1024);
      this.#room = this.#engine.alloc(this.#roomLen * 4);
      if (this.#room === 0) this.#roomLen = 0;
    }
    let count = -1;
    if (this.#room !== 0) {
      this.#engine.bytes.fill(0, ptr + size, ptr + size + 8);
      count = wasm.treeScan(ptr, size, this.#room);
    }
    if (count < 0) {
      this.#readClosely(row, ptr, size);
      return;
    }
    this.#reserve(count + 2);
    this.#words[this.#length++] = row;
    this.#words[this.#length++] = count;
    this.#words.set(this.#engine.words.subarray(this.#room >>> 2, (this.#room >>> 2) + count), this.#length);
    this.#length += count;
  }

  #readClosely(row: number, ptr: number, size: number): void {
    const { wasm, bytes } = this.#engine;
    this.#reserve(2);
    const at = this.#length;
    this.#length += 2;
    let flaw = 0;
    examineTree(bytes.subarray(ptr, ptr + size), {
      item: ({ kind, oidAt }) => {
        const rank = wasm.rankOf(ptr + oidAt);
        this.#reserve(1);
        this.#words[this.#length++] = (rank < 0 ? NO_RANK : rank) * 8 + kind;
      },
      problem: ({ severity }) => {
        flaw |= FLAW[severity];
      },
    });
    this.#words[at] = row;
    this.#words[at + 1] = (this.#length - at - 2) | flaw;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#words.length) return;
    const most = Math.max(this.#words.length * 2, this.#length + count);
    takeTables(this.#tables, (most - this.#words.length) * COST);
    const wider = new Uint32Array(most);
    wider.set(this.#words.subarray(0, this.#length));
    this.#words = wider;
  }
}

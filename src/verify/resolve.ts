/**
 * Resolves objects tree by tree of the forest of deltas, as `git index-pack` does: every base is inflated once, and its
 * children are made from it while it is in memory. Ids are computed, and trees read.
 */

import { STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, KIND, OID, PACK_START, parseEntry } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { BUFFER_MAX, type Engine } from "./engine.js";
import { endOf, type Forest, isDelta, type Rows, STATE } from "./entry-table.js";
import { inflateAway, inflateTo } from "./inflate.js";
import type { ImageReader } from "./reader.js";
import type { TablesBudget } from "./tables-budget.js";
import { TreeLog } from "./tree-edges.js";

/** Deltas between an object and its base, at most (`asm/base/limits.ts`). */
export const CHAIN_DEPTH = 4095;
/** Objects of this size or more are inflated through a window, unless something is made from them. */
const STREAM_MIN = 4 << 20;
/** Entries of fewer bytes are never streamed: they inflate to at most 1032 times their size. */
const SHORT = 4096;
/** Bytes of bases that wait for their other children, beside the one in use. */
const HELD_MAX = 32 << 20;
/** The number of largest bases that are held, if memory allows, once as much was made again as at first. */
const HELD_COUNT = 12;
/** Bytes that may be made again: times the bytes that are made once, and bytes in any case. */
const AGAIN_MAX = 64;
const AGAIN_FREE = 64 << 20;

/** A base on the way down a chain. */
interface Frame {
  row: number;
  /** Its content, or 0 where it has been given up, for now or for good. */
  ptr: number;
  size: number;
  /** Its next child. */
  child: number;
}

/** Wanted results besides ids. */
export interface ResolveOptions {
  /** Deltas whose base is known by its id alone, by that id: resolved as soon as it turns up. */
  waiting?: Map<string, number[]>;
  /** Trees are read, after a call of `setTable`: the budget that their entries count against. */
  readTrees?: TablesBudget;
}

/** One thread's share of the work. */
export class Resolver {
  readonly #reader: ImageReader;
  readonly #engine: Engine;
  readonly #rows: Rows;
  readonly #waiting: Map<string, number[]> | undefined;
  readonly #header = entryHeader();
  readonly #frames: Frame[] = [];
  #held = 0;
  /** The share of `wasm.work()` that was made again. */
  #again = 0;
  /** The bytes of all objects, known once all have been resolved. */
  #declared = 0;
  /** Contents that were asked for, and their bases: the newest last. */
  readonly #contents = new Map<number, { ptr: number; size: number }>();
  #contentsLen = 0;
  /** The trees that were read. */
  readonly trees: TreeLog | undefined;
  /** The results of `#make` besides a status. */
  #ptr = 0;
  #size = 0;

  constructor(reader: ImageReader, rows: Rows, { waiting, readTrees }: ResolveOptions = {}) {
    this.#reader = reader;
    this.#engine = reader.engine;
    this.#rows = rows;
    this.#waiting = waiting;
    this.trees = readTrees && new TreeLog(reader.engine, readTrees);
  }

  /**
   * Resolves groups of a forest until none is left.
   * @param next the number of the next group, which threads share
   * @param onGroup takes the number of groups that are done or begun, and of all groups
   */
  async run(
    { roots, groups }: Forest,
    next: Int32Array,
    onGroup?: (done: number, total: number) => void,
  ): Promise<void> {
    for (;;) {
      const group = Atomics.add(next, 0, 1);
      if (group >= groups.length - 1) return;
      onGroup?.(group, groups.length - 1);
      for (let index = groups[group]!; index < groups[group + 1]!; index++) await this.#grow(roots[index]!);
    }
  }

  /** One tree of the forest. */
  async #grow(root: number): Promise<void> {
    const rows = this.#rows;
    const type = rows.kinds[root]!;
    const frames = this.#frames;
    let status = await this.#begin(root, type);
    if (status !== STATUS.Ok) {
      rows.states[root] = status;
      return;
    }
    while (frames.length > 0) {
      const frame = frames.at(-1)!;
      const row = frame.child;
      if (row < 0) {
        this.#drop(frame);
        frames.pop();
        continue;
      }
      frame.child = rows.nextChild[row]!;
      status = STATUS.Ok;
      if (frames.length > CHAIN_DEPTH) status = STATUS.ChainTooDeep;
      else if (frame.ptr === 0) status = await this.#materialize(frames.length - 1);
      if (status === STATUS.Ok) {
        status = this.#inflateShort(row, frame.ptr);
        if (status < 0) status = await this.#inflate(row, frame.ptr);
        if (status === STATUS.Ok) status = this.#applyInflated(frame.ptr, frame.size);
      }
      if (frame.child < 0) this.#drop(frame);
      if (status === STATUS.Ok) this.#finish(row, type);
      else rows.states[row] = status;
    }
  }

  /** Resolves a root. If it has children, it becomes the first frame. */
  async #begin(row: number, type: number): Promise<number> {
    const rows = this.#rows;
    const end = endOf(rows, row);
    if (end - rows.offsets[row]! < SHORT) {
      let made = this.#inflateShort(row, 0);
      if (made < 0) made = await this.#inflate(row);
      if (made === STATUS.Ok) this.#finish(row, type);
      return made;
    }
    const status = await this.#parse(row);
    if (status !== STATUS.Ok) return status;
    const { size, length } = this.#header;
    const hasWaiting = this.#waiting !== undefined && this.#waiting.size > 0;
    const isStreamed = !hasWaiting && size >= STREAM_MIN && rows.firstChild[row]! < 0 && type !== KIND.tree;
    if (!isStreamed) {
      const made = await this.#inflate(row);
      if (made === STATUS.Ok) this.#finish(row, type);
      return made;
    }
    const data = rows.offsets[row]! + length;
    const streamed = await inflateAway(this.#reader, data, end, size, type);
    if (streamed !== STATUS.Ok) return streamed;
    const { wasm, oid } = this.#engine;
    if (wasm.inflateTaken() !== end - data) return STATUS.BadEntry;
    this.#record(row, type, size, wasm.streamId(oid) !== 0);
    return STATUS.Ok;
  }

  /** Reads a row's header into `#header`. */
  async #parse(row: number): Promise<number> {
    const rows = this.#rows;
    const offset = rows.offsets[row]!;
    const length = Math.min(HEADER_MAX, rows.end - offset);
    const at = PACK_START + offset;
    const ptr = this.#reader.at(at, length) || (await this.#reader.fetch(at, length));
    return parseEntry(this.#header, this.#engine.bytes, ptr, offset, rows.end);
  }

  /** A buffer. If there is no more memory, bases that wait give up theirs, except the one in use. */
  #alloc(size: number, keep: number): number {
    let ptr = this.#engine.alloc(size);
    for (let index = 0; ptr === 0 && index < this.#frames.length; index++) {
      const frame = this.#frames[index]!;
      if (frame.ptr === 0 || frame.ptr === keep) continue;
      this.#drop(frame);
      ptr = this.#engine.alloc(size);
    }
    for (const [row, { ptr: content }] of this.#contents) {
      if (ptr !== 0) break;
      if (content === keep) continue;
      this.#forget(row);
      ptr = this.#engine.alloc(size);
    }
    return ptr;
  }

  /** Inflates a row's entry into `#ptr`. It waits only for entries that are long or not there yet, which are few. */
  async #inflate(row: number, keep = 0): Promise<number> {
    const rows = this.#rows;
    const offset = rows.offsets[row]!;
    const length = endOf(rows, row) - offset;
    if (length <= this.#reader.pieceLen) {
      await this.#reader.fetch(PACK_START + offset, length);
      return this.#inflateShort(row, keep);
    }
    const status = await this.#parse(row);
    if (status !== STATUS.Ok) return status;
    const header = this.#header;
    const ptr = this.#alloc(header.size, keep);
    if (ptr === 0) return STATUS.OutOfMemory;
    const end = offset + length;
    return this.#take(ptr, await inflateTo(this.#reader, offset + header.length, end, ptr, header.size));
  }

  /** Inflates an entry of a few pages. @returns -1 if it is longer, or the device has no answer yet */
  #inflateShort(row: number, keep: number): number {
    const rows = this.#rows;
    const offset = rows.offsets[row]!;
    const length = endOf(rows, row) - offset;
    if (length > this.#reader.pieceLen) return -1;
    const entry = this.#reader.at(PACK_START + offset, length);
    if (entry === 0) return -1;
    const header = this.#header;
    const status = parseEntry(header, this.#engine.bytes, entry, offset, rows.end);
    if (status !== STATUS.Ok) return status;
    if (header.length >= length) return STATUS.Truncated;
    const ptr = this.#alloc(header.size, keep);
    if (ptr === 0) return STATUS.OutOfMemory;
    const { wasm } = this.#engine;
    wasm.inflateBegin(ptr, header.size);
    const inflated = wasm.inflateRun(entry + header.length, length - header.length);
    if (inflated < 0) return this.#take(ptr, STATUS.Truncated);
    const isExact = wasm.inflateTaken() === length - header.length;
    return this.#take(ptr, inflated === STATUS.Ok && !isExact ? STATUS.BadEntry : inflated);
  }

  #take(ptr: number, status: number): number {
    if (status !== STATUS.Ok) this.#engine.free(ptr);
    else {
      this.#ptr = ptr;
      this.#size = this.#header.size;
    }
    return status;
  }

  /** Makes a delta's object from its base, into `#ptr` and `#size`. */
  async #make(row: number, base: number, baseSize: number): Promise<number> {
    const status = await this.#inflate(row, base);
    return status === STATUS.Ok ? this.#applyInflated(base, baseSize) : status;
  }

  /** Applies the delta at `#ptr`. */
  #applyInflated(base: number, baseSize: number): number {
    const delta = this.#ptr;
    const result = this.#apply(delta, this.#size, base, baseSize);
    this.#engine.free(delta);
    return result;
  }

  #apply(delta: number, length: number, base: number, baseSize: number): number {
    const { wasm } = this.#engine;
    const opened = wasm.deltaOpen(delta, length, baseSize);
    if (opened !== STATUS.Ok) return opened;
    const size = wasm.deltaSize();
    if (size > BUFFER_MAX) return STATUS.ObjectTooLarge;
    const ptr = this.#alloc(size, base);
    if (ptr === 0) return STATUS.OutOfMemory;
    const status = wasm.deltaRun(delta, length, base, baseSize, ptr, size);
    if (status !== STATUS.Ok) {
      this.#engine.free(ptr);
      return status;
    }
    this.#ptr = ptr;
    this.#size = size;
    return STATUS.Ok;
  }

  /** Takes the id of the object at `#ptr`, reads it where it is a tree, and keeps it where it has children. */
  #finish(row: number, type: number): void {
    const engine = this.#engine;
    const ptr = this.#ptr;
    const size = this.#size;
    this.#record(row, type, size, engine.wasm.objectId(type, ptr, size, engine.oid) !== 0);
    if (type === KIND.tree) this.trees?.read(row, ptr, size);
    const child = this.#childOf(row);
    if (child < 0) {
      engine.free(ptr);
      return;
    }
    this.#frames.push({ row, ptr, size, child });
    this.#held += size;
    const most = this.#heldMax(size);
    for (let index = 0; this.#held - size > most && index < this.#frames.length - 1; index++)
      this.#drop(this.#frames[index]!);
  }

  /** Bytes that bases of about that size may take while they wait. */
  #heldMax(size: number): number {
    const isDear = this.#again > this.#engine.wasm.work() - this.#again;
    return isDear ? Math.max(HELD_MAX, HELD_COUNT * size) : HELD_MAX;
  }

  /** Whether more may be made again: hostile images ask for work that grows with the square of their size. */
  #mayMakeAgain(): boolean {
    const once = Math.max(this.#declared, this.#engine.wasm.work() - this.#again);
    return this.#again <= AGAIN_FREE + AGAIN_MAX * once;
  }

  /** Notes an object's kind and size, and its id from the engine's `oid`. */
  #record(row: number, type: number, size: number, isCollision: boolean): void {
    const rows = this.#rows;
    const { bytes, oid } = this.#engine;
    const { oids } = rows;
    const at = row * OID;
    for (let index = 0; index < OID; index++) oids[at + index] = bytes[oid + index]!;
    rows.types[row] = type;
    rows.sizes[row] = size;
    rows.states[row] = STATE.ok;
    if (isCollision) rows.collisions[row] = 1;
  }

  /** A row's first child; those that have waited for its id are among them. */
  #childOf(row: number): number {
    const rows = this.#rows;
    if (this.#waiting !== undefined) {
      const oid = hexOid(rows.oids.subarray(row * OID));
      for (const child of this.#waiting.get(oid) ?? []) {
        rows.bases[child] = row;
        rows.nextChild[child] = rows.firstChild[row]!;
        rows.firstChild[row] = child;
      }
      this.#waiting.delete(oid);
    }
    return rows.firstChild[row]!;
  }

  #drop(frame: Frame): void {
    if (frame.ptr === 0) return;
    this.#engine.free(frame.ptr);
    frame.ptr = 0;
    this.#held -= frame.size;
  }

  /**
   * Makes a base anew whose content was given up. Some bases on the way are kept, at distances that are powers of one
   * number: going back up a chain of n then takes n × log n, not n².
   */
  async #materialize(index: number): Promise<number> {
    if (!this.#mayMakeAgain()) return STATUS.WorkLimit;
    const { wasm } = this.#engine;
    const before = wasm.work();
    const status = await this.#makeFrames(index);
    this.#again += wasm.work() - before;
    return status;
  }

  async #makeFrames(index: number): Promise<number> {
    const frames = this.#frames;
    let from = index;
    while (from > 0 && frames[from]!.ptr === 0) from--;
    if (frames[from]!.ptr === 0) {
      const status = await this.#inflate(frames[from]!.row);
      if (status !== STATUS.Ok) return status;
      this.#hold(frames[from]!);
    }
    const { size } = frames[from]!;
    const slots = Math.max(1, Math.floor((this.#heldMax(size) - this.#held) / Math.max(size, 1)));
    const ratio = Math.max(2, Math.ceil((index - from) ** (1 / slots)));
    for (let at = from + 1; at <= index; at++) {
      const base = frames[at - 1]!;
      const status = await this.#make(frames[at]!.row, base.ptr, base.size);
      const isWanted = at - 1 === from || isPower(index - at + 1, ratio);
      const isKept = isWanted && this.#held <= this.#heldMax(base.size);
      if (!isKept) this.#drop(base);
      if (status !== STATUS.Ok) return status;
      this.#hold(frames[at]!);
    }
    return STATUS.Ok;
  }

  /** A base has the content at `#ptr`. */
  #hold(frame: Frame): void {
    frame.ptr = this.#ptr;
    frame.size = this.#size;
    this.#held += frame.size;
  }

  /**
   * The content of an object that has been resolved.
   * @returns undefined if there is no memory for it
   */
  async content(row: number): Promise<Uint8Array | undefined> {
    if (this.#declared === 0) this.#declared = this.#rows.sizes.reduce((sum, size) => sum + size, 0);
    if (!this.#mayMakeAgain()) return undefined;
    const { wasm } = this.#engine;
    const before = wasm.work();
    const made = await this.#makeContent(row);
    this.#again += wasm.work() - before;
    if (made === undefined) return undefined;
    const content = this.#engine.bytes.slice(made.ptr, made.ptr + made.size);
    this.#contentsTo(HELD_MAX);
    return content;
  }

  /** Makes an object's content, which is kept, as are those on the way to it. */
  async #makeContent(row: number): Promise<{ ptr: number; size: number } | undefined> {
    const rows = this.#rows;
    const contents = this.#contents;
    const chain: number[] = [];
    let at = row;
    for (; !contents.has(at) && isDelta(rows.kinds[at]!); at = rows.bases[at]!) chain.push(at);
    let made = contents.get(at);
    if (made !== undefined) {
      contents.delete(at);
      contents.set(at, made);
    } else {
      if ((await this.#inflate(at)) !== STATUS.Ok) return undefined;
      made = this.#keepContent(at);
    }
    for (const delta of chain.reverse()) {
      if ((await this.#make(delta, made.ptr, made.size)) !== STATUS.Ok) return undefined;
      made = this.#keepContent(delta);
      this.#contentsTo(HELD_MAX + made.size);
    }
    return made;
  }

  /** Keeps the content at `#ptr`. */
  #keepContent(row: number): { ptr: number; size: number } {
    const made = { ptr: this.#ptr, size: this.#size };
    this.#contents.set(row, made);
    this.#contentsLen += made.size;
    return made;
  }

  /** Gives up the oldest contents until the rest fits into the given number of bytes. */
  #contentsTo(most: number): void {
    for (const row of this.#contents.keys()) {
      if (this.#contentsLen <= most) return;
      this.#forget(row);
    }
  }

  #forget(row: number): void {
    const { ptr, size } = this.#contents.get(row)!;
    this.#engine.free(ptr);
    this.#contents.delete(row);
    this.#contentsLen -= size;
  }
}

/** Whether a number is 1, the base, or some other power of it. */
function isPower(value: number, base: number): boolean {
  let power = 1;
  while (power < value) power *= base;
  return power === value;
}

/**
 * The trees below some directories, each read once however often it stands there, and the paths of files in them: in
 * the order of git's index, without the directories in which nothing is wanted.
 */
import { DocteurError } from "../errors.js";
import { hexOid } from "../git/oid.js";
import { ENTRY, entryOfMode, parseMode } from "../git/tree-mode.js";
import type { Calls } from "../volume/calls.js";
import type { BlobIds } from "./blob-ids.js";

const SPACE = 0x20;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes of a name, at most (`Limit.NAME` of the core). */
const NAME_MAX = 4096;
const OID = 20;
/** Directories in directories (`Limit.DEPTH` is of the core's modes that read all trees; paths are shorter than this). */
const DEPTH_MAX = 4096;
/** Bytes of trees that are kept, and those of them that are kept in one piece of memory. */
const KEPT_MAX = 32 << 20;
const SLAB = 1 << 20;

/** A file's path and the number of its blob. */
export interface FoundFile {
  /** Absolute. */
  path: Buffer;
  blob: number;
}

/** Goes through the entries of a tree, and refuses those that the core refuses: no path of them may lead elsewhere. */
class TreeCursor {
  readonly bytes: Uint8Array;
  type = 0;
  nameStart = 0;
  nameEnd = 0;
  /** The start of the entry's id. */
  oidAt = 0;
  readonly #oid: Uint8Array;
  #at = 0;
  /** Starts and ends of the names of files, each of which the next one begins with: a directory may repeat one of them. */
  readonly #files: number[] = [];

  /** @param oid of the tree, 20 bytes */
  constructor(bytes: Uint8Array, oid: Uint8Array) {
    this.bytes = bytes;
    this.#oid = oid;
  }

  /** @returns whether there is another entry. @throws DocteurError `BadTree` */
  next(): boolean {
    const { bytes } = this;
    const { length } = bytes;
    if (this.#at === length) return false;
    // Loops: names are short, and calls of indexOf would take longer.
    let space = this.#at;
    while (space < length && bytes[space] !== SPACE) space++;
    const mode = parseMode(bytes, this.#at, space);
    let nul = space + 1;
    let hasSlash = false;
    for (; nul < length && bytes[nul] !== 0; nul++) if (bytes[nul] === SLASH) hasSlash = true;
    if (mode < 0 || hasSlash || nul + 1 + OID > length) throw this.#damaged();
    const { nameStart: start, nameEnd: end, type } = this;
    this.type = entryOfMode(mode);
    this.nameStart = space + 1;
    this.nameEnd = nul;
    this.oidAt = nul + 1;
    const isFirst = this.#at === 0;
    this.#at = nul + 1 + OID;
    if (!this.#isName() || !(isFirst || this.#follows(start, end, type)) || this.#isRepeated())
      throw this.#damaged();
    return true;
  }

  #damaged(): DocteurError {
    const oid = hexOid(this.#oid);
    return new DocteurError("BadTree", `a directory is damaged: ${oid}`, { oid });
  }

  /** Whether the name, which has no slash, can be one of a path. */
  #isName(): boolean {
    const { bytes, nameStart: start, nameEnd: end } = this;
    const length = end - start;
    if (length === 0 || length > NAME_MAX) return false;
    return !(bytes[start] === DOT && (length === 1 || (length === 2 && bytes[start + 1] === DOT)));
  }

  /** Whether the entry comes after one before it in git's order, in which a directory's name ends in a slash. */
  #follows(start: number, end: number, type: number): boolean {
    const { bytes, nameEnd } = this;
    const lastOf = (kind: number): number => (kind === ENTRY.tree ? SLASH : 0);
    let at = start;
    let place = this.nameStart;
    while (at < end && place < nameEnd && bytes[at] === bytes[place]) {
      at++;
      place++;
    }
    const before = at < end ? bytes[at]! : lastOf(type);
    return before < (place < nameEnd ? bytes[place]! : lastOf(this.type));
  }

  /** Whether a file before this directory has its name. */
  #isRepeated(): boolean {
    const { bytes, nameStart, nameEnd } = this;
    const files = this.#files;
    for (; files.length > 0; files.length -= 2) {
      const start = files[files.length - 2]!;
      const end = files[files.length - 1]!;
      let at = 0;
      while (at < end - start && bytes[start + at] === bytes[nameStart + at]) at++;
      if (at === end - start) break;
    }
    if (this.type !== ENTRY.tree) {
      files.push(nameStart, nameEnd);
      return false;
    }
    return files.length > 0 && files.at(-1)! - files.at(-2)! === nameEnd - nameStart;
  }

  get isFile(): boolean {
    return this.type === ENTRY.file || this.type === ENTRY.executable;
  }
}

/** A directory that paths are being told of. */
interface Level {
  path: Buffer;
  cursor: TreeCursor;
}

/** The path of the entry that a level's cursor is at. */
function pathOf({ path, cursor: { bytes, nameStart, nameEnd } }: Level): Buffer {
  return Buffer.concat([path, bytes.subarray(nameStart, nameEnd)]);
}

/** Numbers one after another, in lists that are only added to. */
class Lists {
  #numbers = new Int32Array(1 << 12);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const more = new Int32Array(2 * this.#length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#length++] = number;
  }

  at(place: number): number {
    return this.#numbers[place]!;
  }

  /** Takes back all from a place on. */
  cut(place: number): void {
    this.#length = place;
  }
}

/** A tree whose entries are known. Its list ends where that of the next one begins. */
interface Tree {
  /** Its place in `#parts`, and that of its end. */
  start: number;
  end: number;
  /** Whether `add` has come to it, and to all that is in it. */
  state: "known" | "entered" | "added";
}

/** Trees, each once. They and blobs have numbers of the same kind. */
export class TreeTable {
  readonly #calls: Calls;
  readonly #ids: BlobIds;
  readonly #isWanted: ((name: Uint8Array) => boolean) | undefined;
  readonly #signals: readonly AbortSignal[];
  /** Trees by their numbers. */
  readonly #trees = new Map<number, Tree>();
  /** Of each tree: its files' numbers, and its trees' as -1 less their number. */
  readonly #parts = new Lists();
  /** Numbers of trees that were added: each after the trees in it. */
  readonly #added: number[] = [];
  /** Bytes of trees by their numbers, as far as there is room. */
  readonly #kept = new Map<number, Uint8Array>();
  #keptLen = 0;
  #slab = new Uint8Array(0);

  /**
   * @param isWanted tells by their names which files count; by default all
   * @param signals end the reading
   */
  constructor(
    calls: Calls,
    ids: BlobIds,
    isWanted: ((name: Uint8Array) => boolean) | undefined,
    signals: readonly AbortSignal[],
  ) {
    this.#calls = calls;
    this.#ids = ids;
    this.#isWanted = isWanted;
    this.#signals = signals;
  }

  /**
   * Reads a tree and all trees in it.
   * @param root its number
   * @param onBlob told the number of each file's blob, some of them several times
   */
  async add(root: number, onBlob: (blob: number) => void): Promise<void> {
    /** The trees from the root on, and the next part of each. */
    const path: { number: number; tree: Tree; at: number }[] = [];
    const enter = async (number: number): Promise<void> => {
      const tree = this.#trees.get(number) ?? (await this.#learn(number));
      if (tree.state === "added") return;
      if (tree.state === "entered" || path.length > DEPTH_MAX) throw this.#endless(number);
      tree.state = "entered";
      path.push({ number, tree, at: tree.start });
    };
    await enter(root);
    for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
      const { number, tree } = level;
      if (level.at === tree.end) {
        tree.state = "added";
        this.#added.push(number);
        path.pop();
        continue;
      }
      const part = this.#parts.at(level.at++);
      if (part >= 0) onBlob(part);
      // Most are known: waiting for them would take longer than all else.
      else if (this.#trees.get(-1 - part)?.state !== "added") await enter(-1 - part);
    }
  }

  #endless(number: number): DocteurError {
    const oid = hexOid(this.#ids.oid(number));
    return new DocteurError("BadTree", `directories are nested without an end: ${oid}`, { oid });
  }

  /** Reads a tree's entries. @throws DocteurError `BadTree`; errors of the image */
  async #learn(number: number): Promise<Tree> {
    return this.#parse(number, await this.#read(number));
  }

  #parse(number: number, cursor: TreeCursor): Tree {
    const start = this.#parts.length;
    const { bytes } = cursor;
    try {
      while (cursor.next()) {
        const isTree = cursor.type === ENTRY.tree;
        if (!isTree && !(cursor.isFile && this.#isNameWanted(cursor))) continue;
        const part = this.#ids.numberOf(bytes, cursor.oidAt);
        this.#parts.push(isTree ? -1 - part : part);
      }
    } catch (error) {
      this.#parts.cut(start);
      throw error;
    }
    const tree: Tree = { start, end: this.#parts.length, state: "known" };
    this.#trees.set(number, tree);
    return tree;
  }

  #isNameWanted({ bytes, nameStart, nameEnd }: TreeCursor): boolean {
    return this.#isWanted === undefined || this.#isWanted(bytes.subarray(nameStart, nameEnd));
  }

  /**
   * Reads trees in the order in which they lie in the PACK, as long as one follows another, for `add`. Makers of PACKs put
   * them together.
   * @param numbers objects, the first of them a tree
   */
  async readAhead(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      const isNext = this.#readNext(number);
      if (!(typeof isNext === "boolean" ? isNext : await isNext)) return;
    }
  }

  /** @returns whether to go on. An object that cannot be read may be one that nobody asks for */
  #readNext(number: number): boolean | Promise<boolean> {
    const stop = (error: unknown): boolean => {
      if (error instanceof DocteurError) return false;
      throw error;
    };
    const take = (kind: string, bytes: Uint8Array): boolean => {
      if (kind !== "tree" || this.#keptLen + bytes.length > KEPT_MAX) return false;
      this.#parse(number, new TreeCursor(this.#keep(number, bytes), this.#ids.oid(number)));
      return true;
    };
    try {
      const done = this.#calls.withObject(this.#ids.oid(number), this.#signals, take);
      return typeof done === "boolean" ? done : done.catch(stop);
    } catch (error) {
      return stop(error);
    }
  }

  /** Copies a tree, and keeps the copy if there is room. */
  #keep(number: number, bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (this.#keptLen + length > KEPT_MAX) return bytes.slice();
    this.#keptLen += length;
    if (this.#slab.length < length) this.#slab = new Uint8Array(Math.max(SLAB, length));
    const copy = this.#slab.subarray(0, length);
    this.#slab = this.#slab.subarray(length);
    copy.set(bytes);
    this.#kept.set(number, copy);
    return copy;
  }

  async #read(number: number): Promise<TreeCursor> {
    const id = this.#ids.oid(number);
    const kept = this.#kept.get(number);
    if (kept !== undefined) return new TreeCursor(kept, id);
    return this.#calls.withObject(id, this.#signals, (kind, bytes) => {
      if (kind === "tree") return new TreeCursor(this.#keep(number, bytes), id);
      const oid = hexOid(id);
      throw new DocteurError("BadTree", `a ${kind} stands where a directory is meant: ${oid}`, { oid });
    });
  }

  /** The trees that hold one of some blobs, at any depth. */
  #holdersOf(isShown: (blob: number) => boolean): Set<number> {
    const holders = new Set<number>();
    for (const number of this.#added) {
      const { start, end } = this.#trees.get(number)!;
      for (let at = start; at < end; at++) {
        const part = this.#parts.at(at);
        if (part < 0 ? !holders.has(-1 - part) : !isShown(part)) continue;
        holders.add(number);
        break;
      }
    }
    return holders;
  }

  /**
   * The paths of files below a tree that `add` has read.
   * @param root the tree's number
   * @param path of the tree, absolute
   * @param isShown tells which blobs count
   */
  async *files(
    root: number,
    path: Uint8Array,
    isShown: (blob: number) => boolean,
  ): AsyncGenerator<FoundFile, void, undefined> {
    const holders = this.#holdersOf(isShown);
    const enter = async (number: number, at: Buffer): Promise<Level> => ({
      path: at.at(-1) === SLASH ? at : Buffer.concat([at, Buffer.of(SLASH)]),
      cursor: await this.#read(number),
    });
    if (!holders.has(root)) return;
    const levels = [await enter(root, Buffer.from(path))];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { cursor } = level;
      if (!cursor.next()) {
        levels.pop();
        continue;
      }
      if (cursor.type === ENTRY.tree) {
        const child = this.#ids.numberOf(cursor.bytes, cursor.oidAt);
        if (holders.has(child)) levels.push(await enter(child, pathOf(level)));
      } else if (cursor.isFile && this.#isNameWanted(cursor)) {
        const blob = this.#ids.numberOf(cursor.bytes, cursor.oidAt);
        if (isShown(blob)) yield { path: pathOf(level), blob };
      }
    }
  }
}

/**
 * The trees below some directories, each read once however often it stands there, and the paths of files in them: in
 * the order of git's index, without the directories in which nothing is wanted.
 */
import { DocteurError } from "../errors.js";
import { hexOid, oidBytes } from "../git/oid.js";
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
/** Bytes of trees that are kept. */
const KEPT_MAX = 32 << 20;

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
  readonly #oid: string;
  #at = 0;
  /** Starts and ends of the names of files, each of which the next one begins with: a directory may repeat one of them. */
  readonly #files: number[] = [];

  constructor(bytes: Uint8Array, oid: string) {
    this.bytes = bytes;
    this.#oid = oid;
  }

  /** @returns whether there is another entry. @throws DocteurError `BadTree` */
  next(): boolean {
    const { bytes } = this;
    if (this.#at === bytes.length) return false;
    const space = bytes.indexOf(SPACE, this.#at);
    const nul = space < 0 ? -1 : bytes.indexOf(0, space);
    const mode = space < 0 ? -1 : parseMode(bytes, this.#at, space);
    if (mode < 0 || nul < 0 || nul + 1 + OID > bytes.length) throw this.#damaged();
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
    return new DocteurError("BadTree", `a directory is damaged: ${this.#oid}`, { oid: this.#oid });
  }

  /** Whether the name can be one of a path. */
  #isName(): boolean {
    const { bytes, nameStart: start, nameEnd: end } = this;
    const length = end - start;
    if (length === 0 || length > NAME_MAX) return false;
    for (let at = start; at < end; at++) if (bytes[at] === SLASH) return false;
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

/** Trees, each once. */
export class TreeTable {
  readonly #calls: Calls;
  readonly #ids: BlobIds;
  readonly #isWanted: ((name: Uint8Array) => boolean) | undefined;
  readonly #signals: readonly AbortSignal[];
  /** Numbers of trees by their ids; -1 while a tree is being read. A tree comes after the trees in it. */
  readonly #trees = new Map<string, number>();
  /** Of each tree: its files' numbers, and its trees' as -1 less their number. */
  readonly #parts: Int32Array[] = [];
  /** Trees by their ids, as far as there is room. */
  readonly #kept = new Map<string, Uint8Array>();
  #keptLen = 0;

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
   * @param onBlob told the number of each file's blob, some of them several times
   * @returns its number
   */
  async add(oid: string, onBlob: (blob: number) => void, depth = 0): Promise<number> {
    const known = this.#trees.get(oid);
    if (known === -1 || depth > DEPTH_MAX)
      throw new DocteurError("BadTree", `directories are nested without an end: ${oid}`, { oid });
    if (known !== undefined) return known;
    this.#trees.set(oid, -1);
    const { blobs, trees } = this.#partsIn(await this.#read(oid));
    for (const blob of blobs) onBlob(blob);
    const parts = new Int32Array(blobs.length + trees.length);
    parts.set(blobs);
    for (const [index, child] of trees.entries()) {
      // Most are known: waiting for them would take longer than all else.
      const number = this.#trees.get(child) ?? -1;
      parts[blobs.length + index] = -1 - (number >= 0 ? number : await this.add(child, onBlob, depth + 1));
    }
    this.#parts.push(parts);
    this.#trees.set(oid, this.#parts.length - 1);
    return this.#parts.length - 1;
  }

  /** The numbers of files and the ids of trees in a tree. */
  #partsIn(cursor: TreeCursor): { blobs: number[]; trees: string[] } {
    const blobs: number[] = [];
    const trees: string[] = [];
    const { bytes } = cursor;
    while (cursor.next())
      if (cursor.type === ENTRY.tree) trees.push(hexOid(bytes.subarray(cursor.oidAt, cursor.oidAt + OID)));
      else if (cursor.isFile && this.#isNameWanted(cursor))
        blobs.push(this.#ids.numberOf(bytes, cursor.oidAt));
    return { blobs, trees };
  }

  #isNameWanted({ bytes, nameStart, nameEnd }: TreeCursor): boolean {
    return this.#isWanted === undefined || this.#isWanted(bytes.subarray(nameStart, nameEnd));
  }

  /**
   * Reads trees in the order in which they lie in the PACK, as long as one follows another, and keeps them for `add`. Makers
   * of PACKs put them together.
   * @param numbers objects, the first of them a tree
   */
  async readAhead(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) if (!(await this.#readNext(this.#ids.oid(number)))) return;
  }

  /** @returns whether to go on. An object that cannot be read may be one that nobody asks for */
  async #readNext(id: Uint8Array): Promise<boolean> {
    try {
      return await this.#calls.withObject(id, this.#signals, (kind, bytes) => {
        if (kind === "tree") this.#keep(hexOid(id), bytes);
        return kind === "tree" && this.#keptLen <= KEPT_MAX;
      });
    } catch (error) {
      if (error instanceof DocteurError) return false;
      throw error;
    }
  }

  /** Keeps a copy of a tree, if there is room. */
  #keep(oid: string, bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    this.#keptLen += copy.length;
    if (this.#keptLen <= KEPT_MAX) this.#kept.set(oid, copy);
    return copy;
  }

  async #read(oid: string): Promise<TreeCursor> {
    const kept = this.#kept.get(oid);
    if (kept !== undefined) return new TreeCursor(kept, oid);
    return this.#calls.withObject(oidBytes(oid), this.#signals, (kind, bytes) => {
      if (kind === "tree") return new TreeCursor(this.#keep(oid, bytes), oid);
      throw new DocteurError("BadTree", `a ${kind} stands where a directory is meant: ${oid}`, { oid });
    });
  }

  /** Marks the trees that hold one of some blobs, at any depth. */
  #mark(isShown: (blob: number) => boolean): Uint8Array {
    const marks = new Uint8Array(this.#parts.length);
    for (let tree = 0; tree < marks.length; tree++)
      for (const part of this.#parts[tree]!)
        if (part < 0 ? marks[-1 - part] === 1 : isShown(part)) {
          marks[tree] = 1;
          break;
        }
    return marks;
  }

  /**
   * The paths of files below a tree that `add` has read.
   * @param path of the tree, absolute
   * @param isShown tells which blobs count
   */
  async *files(
    oid: string,
    path: Uint8Array,
    isShown: (blob: number) => boolean,
  ): AsyncGenerator<FoundFile, void, undefined> {
    const marks = this.#mark(isShown);
    const enter = async (id: string, at: Buffer): Promise<Level> => ({
      path: at.at(-1) === SLASH ? at : Buffer.concat([at, Buffer.of(SLASH)]),
      cursor: await this.#read(id),
    });
    if (marks[this.#trees.get(oid)!] === 0) return;
    const levels = [await enter(oid, Buffer.from(path))];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { cursor } = level;
      if (!cursor.next()) {
        levels.pop();
        continue;
      }
      const { bytes, oidAt } = cursor;
      if (cursor.type === ENTRY.tree) {
        const child = hexOid(bytes.subarray(oidAt, oidAt + OID));
        if (marks[this.#trees.get(child) ?? 0] === 1) levels.push(await enter(child, pathOf(level)));
      } else if (cursor.isFile && this.#isNameWanted(cursor)) {
        const blob = this.#ids.numberOf(bytes, oidAt);
        if (isShown(blob)) yield { path: pathOf(level), blob };
      }
    }
  }
}

/**
 * Reads trees as git reads them, and finds all their defects (`tree-defects.ts`). Runs in browsers, too. In
 * `verify`, `treeScan` in Wasm passes the trees that have no defect; only the others come here.
 */
import { shownStart } from "./byte-string.js";
import { type NameKind, nameDefect, nameReason } from "./names.js";
import { type DefectSeverity, TREE_DEFECTS, type TreeDefect } from "./tree-defects.js";
import { CANONICAL_MODES, ENTRY, entryOfMode, modeEnd, parseMode } from "./tree-mode.js";

const NAME_KINDS: readonly NameKind[] = ["file", "directory", "file", "file", "symlink", "submodule"];

/** An entry of a tree. */
export interface TreeItem {
  /** One of `ENTRY`. */
  kind: number;
  /** The bytes of its name in the tree. */
  nameAt: number;
  nameEnd: number;
  /** The position in the tree of its id, 20 bytes. */
  oidAt: number;
}

/** A defect of a tree. */
export interface TreeProblem {
  defect: TreeDefect;
  severity: DefectSeverity;
  /** For people. It is made only on request: a tree may have as many defects as entries. */
  message: () => string;
}

/** Receives the entries and the defects of a tree in their order. */
export interface TreeVisitor {
  item?: (item: TreeItem) => void;
  problem?: (problem: TreeProblem) => void;
}

const SPACE = 0x20;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const OID_LEN = 20;
/** The most bytes of a name, and of a mode, that a message shows. */
const SHOWN_MAX = 200;
const MODE_SHOWN_MAX = 20;
/** A longer name is not compared with git's own names: it is too long already. */
const NAME_READ_MAX = 4097;

/** The bytes of a part of a tree, as a byte string. */
export function bytesOf(data: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(data[at]!);
  return text;
}

/** Reads a tree, and passes its entries, as far as they can be read, and every defect to a visitor. */
export function examineTree(data: Uint8Array, visitor: TreeVisitor): void {
  new TreeExamination(data, visitor).run();
}

/** One tree under examination. */
class TreeExamination {
  readonly #data: Uint8Array;
  readonly #visitor: TreeVisitor;
  /**
   * Positions of earlier names that are prefixes of the last name: only these can repeat as a directory's
   * name.
   */
  readonly #prefixes: number[] = [];
  #lastAt = -1;
  #lastEnd = -1;
  #lastIsTree = false;

  constructor(data: Uint8Array, visitor: TreeVisitor) {
    this.#data = data;
    this.#visitor = visitor;
  }

  run(): void {
    for (let at = 0; at >= 0 && at < this.#data.length; ) at = this.#entry(at);
  }

  #report(defect: TreeDefect, message: () => string): void {
    this.#visitor.problem?.({ defect, severity: TREE_DEFECTS[defect].severity, message });
  }

  /** Reads the entry at `start`. @returns the start of the next entry, -1 if this one cannot be parsed */
  #entry(start: number): number {
    const data = this.#data;
    const space = modeEnd(data, start);
    if (data[space] !== SPACE || space === start) return this.#unreadable(start, space);
    const mode = parseMode(data, start, space);
    const nameAt = space + 1;
    const nameEnd = data.indexOf(0, nameAt);
    if (nameEnd < 0 || data.length - nameEnd <= OID_LEN) {
      this.#report("badTree", () => `an entry is cut off (at byte ${start})`);
      return -1;
    }
    const kind = entryOfMode(mode);
    this.#mode(start, nameAt, nameEnd, mode, kind);
    this.#name(nameAt, nameEnd, kind);
    this.#order(nameAt, nameEnd, kind === ENTRY.tree);
    const oidAt = nameEnd + 1;
    if (isNull(data, oidAt))
      this.#report("nullSha1", () => `${this.#quoted(nameAt, nameEnd)} has an id of zeros`);
    this.#visitor.item?.({ kind, nameAt, nameEnd, oidAt });
    return oidAt + OID_LEN;
  }

  #unreadable(start: number, at: number): number {
    const what = at < this.#data.length ? "a mode is not an octal number" : "an entry is cut off";
    this.#report("badTree", () => `${what} (at byte ${start})`);
    return -1;
  }

  #mode(start: number, nameAt: number, nameEnd: number, mode: number, kind: number): void {
    const isPadded = this.#data[start] === ZERO;
    const isOdd = mode !== CANONICAL_MODES[kind];
    if (!isPadded && !isOdd) return;
    const message = (): string => {
      const digits = bytesOf(this.#data, start, Math.min(nameAt - 1, start + MODE_SHOWN_MAX));
      return `${this.#quoted(nameAt, nameEnd)} has the mode ${digits}, which git writes as ${CANONICAL_MODES[kind]!.toString(8)}`;
    };
    this.#report(isOdd ? "badFilemode" : "zeroPaddedFilemode", message);
  }

  #name(nameAt: number, nameEnd: number, kind: number): void {
    const data = this.#data;
    const length = nameEnd - nameAt;
    let isDoubtful = length === 0 || length >= NAME_READ_MAX || data[nameAt] === DOT;
    for (let at = nameAt; at < nameEnd; at++) {
      const byte = data[at]!;
      if (byte === SLASH) {
        this.#reportName("fullPathname", nameAt, nameEnd);
        break;
      }
      if (byte >= 0x7e || byte === 0x5c) isDoubtful = true;
    }
    if (!isDoubtful) return;
    const name = bytesOf(data, nameAt, Math.min(nameEnd, nameAt + NAME_READ_MAX));
    const defect = nameDefect(name, NAME_KINDS[kind]!);
    if (defect !== undefined) this.#reportName(defect, nameAt, nameEnd);
  }

  #reportName(defect: TreeDefect, nameAt: number, nameEnd: number): void {
    this.#report(defect, () => `${this.#quoted(nameAt, nameEnd)}: ${nameReason(defect)}`);
  }

  /** Compares the entry with those before it. */
  #order(nameAt: number, nameEnd: number, isTree: boolean): void {
    const prefixes = this.#prefixes;
    while (prefixes.length > 0 && !this.#beginsWith(nameAt, nameEnd, prefixes)) prefixes.length -= 2;
    const twinLen = prefixes.length > 0 ? prefixes.at(-1)! - prefixes.at(-2)! : -1;
    if (twinLen === nameEnd - nameAt)
      this.#report("duplicateEntries", () => `${this.#quoted(nameAt, nameEnd)} is there twice`);
    else {
      if (this.#lastAt >= 0 && this.#isBeforeLast(nameAt, nameEnd, isTree))
        this.#report("treeNotSorted", () => `${this.#quoted(nameAt, nameEnd)} is out of order`);
      prefixes.push(nameAt, nameEnd);
    }
    this.#lastAt = nameAt;
    this.#lastEnd = nameEnd;
    this.#lastIsTree = isTree;
  }

  #beginsWith(nameAt: number, nameEnd: number, prefixes: readonly number[]): boolean {
    const data = this.#data;
    const start = prefixes.at(-2)!;
    const length = prefixes.at(-1)! - start;
    if (length > nameEnd - nameAt) return false;
    for (let index = 0; index < length; index++)
      if (data[start + index] !== data[nameAt + index]) return false;
    return true;
  }

  /** Whether the name does not follow the last one, a directory's name counting as if a slash followed. */
  #isBeforeLast(nameAt: number, nameEnd: number, isTree: boolean): boolean {
    const data = this.#data;
    let last = this.#lastAt;
    let at = nameAt;
    while (last < this.#lastEnd && at < nameEnd && data[last] === data[at]) {
      last++;
      at++;
    }
    const left = last < this.#lastEnd ? data[last]! : this.#lastIsTree ? SLASH : 0;
    const right = at < nameEnd ? data[at]! : isTree ? SLASH : 0;
    return left >= right;
  }

  #quoted(nameAt: number, nameEnd: number): string {
    return shownStart(bytesOf(this.#data, nameAt, Math.min(nameEnd, nameAt + SHOWN_MAX + 1)), SHOWN_MAX);
  }
}

function isNull(data: Uint8Array, at: number): boolean {
  for (let index = 0; index < OID_LEN; index++) if (data[at + index] !== 0) return false;
  return true;
}

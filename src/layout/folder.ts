/** Trees as the layout section needs them: their entries in the order of the names' bytes, with the objects' rows. */
import { DocteurError } from "../errors.js";
import { KIND, OID } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { ENTRY, entryOfMode, parseMode } from "../git/tree-mode.js";
import type { LayoutObjects } from "./objects.js";

const SPACE = 0x20;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes of trees that are kept, and bytes that an entry of them takes besides. */
const KEPT_MAX = 32 << 20;
const ENTRY_COST = 24;

/** A tree's entries. Their names lie in `bytes`. */
export interface Folder {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Of each entry: the start and end of its name, its kind (`ENTRY`), and its object's row; a submodule's is -1. */
  readonly entries: Int32Array;
}

/** The places of an entry's numbers among `Folder.entries`. */
export const PART = { start: 0, end: 1, kind: 2, row: 3, stride: 4 } as const;

/** The order of two names. */
function compareNames(bytes: Uint8Array, entries: Int32Array, left: number, right: number): number {
  let at = entries[left]!;
  let other = entries[right]!;
  const end = entries[left + PART.end]!;
  const otherEnd = entries[right + PART.end]!;
  while (at < end && other < otherEnd) {
    const order = bytes[at++]! - bytes[other++]!;
    if (order !== 0) return order;
  }
  return end - at - (otherEnd - other);
}

/** Whether a name can be one of a path. */
function isName(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return false;
  for (let at = start; at < end; at++) if (bytes[at] === SLASH) return false;
  return !(bytes[start] === DOT && (end - start === 1 || (end - start === 2 && bytes[start + 1] === DOT)));
}

/** Reads trees, and keeps those that were asked for last. */
export class Folders {
  readonly #objects: LayoutObjects;
  /** The last one asked for comes last. */
  readonly #kept = new Map<number, Folder>();
  #keptLen = 0;

  constructor(objects: LayoutObjects) {
    this.#objects = objects;
  }

  /** A tree that is at hand. */
  kept(row: number): Folder | undefined {
    const folder = this.#kept.get(row);
    if (folder === undefined) return undefined;
    this.#kept.delete(row);
    this.#kept.set(row, folder);
    return folder;
  }

  /** @throws DocteurError `BadTree`, `MissingObject`, `WrongKind`; those of reading trees */
  async read(row: number): Promise<Folder> {
    const folder = this.#parse(await this.#objects.tree(row), row);
    this.#kept.set(row, folder);
    this.#keptLen += this.#costOf(folder);
    for (const [oldest, { bytes, count }] of this.#kept) {
      if (this.#keptLen <= KEPT_MAX || oldest === row) break;
      this.#kept.delete(oldest);
      this.#keptLen -= this.#costOf({ bytes, count });
    }
    return folder;
  }

  #costOf({ bytes, count }: Pick<Folder, "bytes" | "count">): number {
    return bytes.length + ENTRY_COST * count;
  }

  #parse(bytes: Uint8Array, tree: number): Folder {
    const parts: number[] = [];
    let isSorted = true;
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(SPACE, at);
      const mode = space < 0 ? -1 : parseMode(bytes, at, space);
      const nul = mode < 0 ? -1 : bytes.indexOf(0, space);
      if (nul < 0 || nul + OID >= bytes.length || !isName(bytes, space + 1, nul)) throw this.#damaged(tree);
      const kind = entryOfMode(mode);
      parts.push(space + 1, nul, kind, kind === ENTRY.submodule ? -1 : this.#rowAt(bytes, nul + 1, kind));
      at = nul + 1 + OID;
    }
    const entries = Int32Array.from(parts);
    const count = entries.length / PART.stride;
    for (let entry = PART.stride; entry < entries.length && isSorted; entry += PART.stride)
      isSorted = compareNames(bytes, entries, entry - PART.stride, entry) < 0;
    return { bytes, count, entries: isSorted ? entries : this.#sorted(bytes, entries, tree) };
  }

  /** git orders a directory as if its name ended in a slash. */
  #sorted(bytes: Uint8Array, entries: Int32Array, tree: number): Int32Array {
    const order: number[] = [];
    for (let entry = 0; entry < entries.length; entry += PART.stride) order.push(entry);
    order.sort((left, right) => compareNames(bytes, entries, left, right));
    const sorted = new Int32Array(entries.length);
    for (const [index, entry] of order.entries()) {
      if (index > 0 && compareNames(bytes, entries, order[index - 1]!, entry) === 0)
        throw this.#damaged(tree);
      sorted.set(entries.subarray(entry, entry + PART.stride), index * PART.stride);
    }
    return sorted;
  }

  /** The row of an entry's object. */
  #rowAt(bytes: Uint8Array, oidAt: number, kind: number): number {
    const { idx, rowOfRank, types } = this.#objects;
    const rank = idx.rankOf(bytes, oidAt);
    const oid = (): string => hexOid(bytes.subarray(oidAt, oidAt + OID));
    if (rank < 0)
      throw new DocteurError("MissingObject", `an object is not in the image: ${oid()}`, { oid: oid() });
    const row = rowOfRank[rank]!;
    if (types[row] === (kind === ENTRY.tree ? KIND.tree : KIND.blob)) return row;
    throw new DocteurError("WrongKind", `an object is of another kind than its entry says: ${oid()}`, {
      oid: oid(),
    });
  }

  #damaged(row: number): DocteurError {
    const oid = this.#objects.idx.oid(this.#objects.ranks[row]!);
    return new DocteurError("BadTree", `a directory is damaged: ${oid}`, { oid });
  }
}

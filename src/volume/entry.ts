/** Entries of directories: the results of `list`, `walk` and `stat`. */
import { FLAG, RESULT } from "../core/abi.js";
import type { Core } from "../core/instance.js";
import { hexOid } from "../git/oid.js";
import { CANONICAL_MODES, ENTRY, entryOfMode, parseMode } from "../git/tree-mode.js";

/** Kinds of entries. */
export type EntryKind = "directory" | "file" | "executable" | "symlink" | "submodule";

/** One entry of a directory, or the result of `stat`. */
export interface Entry {
  /** The name; bytes that are not UTF-8 show as U+FFFD, see `nameBytes`. Empty for the root. */
  name: string;
  nameBytes: Uint8Array;
  /** The absolute path; bytes that are not UTF-8 show as U+FFFD, see `pathBytes`. */
  path: string;
  /** The absolute path's bytes, which lead to the entry even if its name is not UTF-8. */
  readonly pathBytes: Uint8Array;
  kind: EntryKind;
  /** As git writes it: 0o040000, 0o100644, 0o100755, 0o120000, 0o160000. */
  mode: number;
  /** The git object's id; for a submodule, its commit's. 40 hexadecimal digits; empty if ids were not asked for. */
  oid: string;
  /** Bytes, if they were asked for and the entry has content. */
  size?: number;
}

/** Kinds as the core numbers them, and `ENTRY` of git/tree-mode.ts. */
const KINDS: readonly EntryKind[] = ["directory", "file", "executable", "symlink", "submodule"];
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The absolute path of a directory, with a slash at its end. */
export interface Folder {
  bytes: Uint8Array;
  text: string;
}

/** The names of a path's normal form: without empty ones, `.` and `..`. */
export function namesOf(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(0x2f, start);
    const end = slash < 0 ? path.length : slash;
    const name = path.subarray(start, end);
    start = end + 1;
    const isDots = name.every((byte) => byte === 0x2e);
    if (isDots && name.length === 2) names.pop();
    else if (!isDots || name.length > 2) names.push(name);
  }
  return names;
}

/** The directory of these names. */
export function folderOf(names: readonly Uint8Array[]): Folder {
  const bytes = new Uint8Array(names.reduce((length, name) => length + name.length + 1, 1));
  bytes[0] = 0x2f;
  let at = 1;
  for (const name of names) {
    bytes.set(name, at);
    at += name.length;
    bytes[at++] = 0x2f;
  }
  return { bytes, text: `/${names.map((name) => `${decoder.decode(name)}/`).join("")}` };
}

/** An entry, which knows its directory for its path's bytes. */
export class FoundEntry implements Entry {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly path: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly oid: string;
  declare size?: number;
  readonly #folder: Uint8Array;

  /** @param type one of `ENTRY` */
  constructor(folder: Folder, nameBytes: Uint8Array, type: number, mode: number, oid: string) {
    this.name = decoder.decode(nameBytes);
    this.nameBytes = nameBytes;
    this.path = folder.text + this.name;
    this.kind = KINDS[type - 1]!;
    this.mode = mode;
    this.oid = oid;
    this.#folder = folder.bytes;
  }

  get pathBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#folder.length + this.nameBytes.length);
    bytes.set(this.#folder);
    bytes.set(this.nameBytes, this.#folder.length);
    return bytes;
  }

  /** Whether it has content, and so a size. */
  get hasContent(): boolean {
    return this.kind !== "directory" && this.kind !== "submodule";
  }
}

/** The entry that the core's `stat` has found. */
export function statEntry(core: Core, path: Uint8Array, sizes: boolean): FoundEntry {
  const names = namesOf(path);
  const name = names.pop()?.slice() ?? new Uint8Array(0);
  const entry = new FoundEntry(
    folderOf(names),
    name,
    core.resultU32(RESULT.kind),
    core.resultU32(RESULT.mode),
    core.resultOid() ?? "",
  );
  if (sizes && entry.hasContent) entry.size = core.resultU64(RESULT.size);
  return entry;
}

/** The most bytes of JavaScript's memory that an entry takes besides its name. */
const ENTRY_BYTES = 640;

/** Bytes of JavaScript's memory that an entry takes: its name is there as bytes, as a string and in its path. */
export function entryCost(entry: Entry): number {
  return ENTRY_BYTES + 4 * entry.nameBytes.length;
}

/** Entries of a directory, in the order of their names' bytes. */
export interface Page {
  entries: FoundEntry[];
  /** Whether entries follow. */
  hasMore: boolean;
}

/**
 * The page that the core's `list` has found.
 * @param flags `FLAG`: what was asked for
 * @param most bytes of memory that the entries may take; one entry is given even if it takes more
 */
export function listedPage(core: Core, folder: Folder, flags: number, most: number): Page {
  const { bytes, view } = core;
  const pointers = core.resultU32(RESULT.data);
  const sizesAt = core.resultU32(RESULT.sizes);
  const count = core.resultU32(RESULT.count);
  const entries: FoundEntry[] = [];
  let cost = 0;
  for (let index = 0; index < count && (cost < most || index === 0); index++) {
    const at = view.getUint32(pointers + index * 4, true);
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    const type = entryOfMode(parseMode(bytes, at, space));
    const isNamed = (flags & FLAG.NAMES) !== 0 && type !== ENTRY.submodule;
    const oid = isNamed ? "" : hexOid(bytes.subarray(nul + 1, nul + 21));
    const entry = new FoundEntry(folder, bytes.slice(space + 1, nul), type, CANONICAL_MODES[type]!, oid);
    if ((flags & FLAG.SIZE) !== 0 && entry.hasContent)
      entry.size = Number(view.getBigUint64(sizesAt + index * 8, true));
    entries.push(entry);
    cost += entryCost(entry);
  }
  return { entries, hasMore: entries.length < count || core.resultU32(RESULT.left) > 0 };
}

/**
 * Verifies that what the commit's trees name is there: every tree well-formed, every object of the kind that
 * its entry says.
 */
import { hexOid } from "../core.js";
import { DocteurError, type ErrorCode } from "../errors.js";
import type { IdxEntries } from "../make/pack/idx.js";
import type { Volume } from "../volume.js";

/** The objects of the PACK, in its order. */
export interface ObjectTable extends IdxEntries {
  /** The kind of each, as the core numbers them. */
  readonly kinds: Uint8Array;
}

const TREE = 2;
const BLOB = 3;
const SUBMODULE_TYPE = 0o16;
/** Types of modes (their upper bits) and the kind of object that each stands for. */
const KIND_OF_TYPE = new Map([
  [0o04, TREE],
  [0o10, BLOB],
  [0o12, BLOB],
]);
/** `asm/limits.ts`. */
const NAME_MAX = 4096;
const SPACE = 0x20;
const SLASH = 0x2f;

interface TreeEntry {
  /** The name, a byte to a character. */
  name: string;
  /** Undefined for a submodule, whose commit the image does not hold. */
  kind: number | undefined;
  oid: Uint8Array;
}

/** The rows of a table by their ids. */
class OidIndex {
  readonly #table: ObjectTable;
  readonly #rows: Uint32Array;
  readonly #mask: number;

  constructor(table: ObjectTable) {
    const slots = 2 ** Math.ceil(Math.log2(table.count * 2 + 1));
    this.#table = table;
    this.#mask = slots - 1;
    this.#rows = new Uint32Array(slots);
    for (let row = 0; row < table.count; row++) {
      let slot = this.#slotOf(table.oids, row * 20);
      while (this.#rows[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#rows[slot] = row + 1;
    }
  }

  #slotOf(bytes: Uint8Array, at: number): number {
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) & this.#mask
    );
  }

  /** The row of an object, or -1. */
  find(oid: Uint8Array): number {
    const { oids } = this.#table;
    for (let slot = this.#slotOf(oid, 0); ; slot = (slot + 1) & this.#mask) {
      const row = this.#rows[slot]! - 1;
      if (row < 0 || oid.every((byte, index) => oids[row * 20 + index] === byte)) return row;
    }
  }
}

/** Reads the entry at `at`, by the rules of `asm/git/tree.ts`; undefined where it is malformed. */
function readEntry(data: Uint8Array, at: number): (TreeEntry & { next: number }) | undefined {
  let mode = 0;
  let end = at;
  for (; data[end] !== SPACE; end++) {
    const digit = (data[end] ?? 0) - 0x30;
    if (!(digit >= 0 && digit < 8) || end - at === 6) return undefined;
    mode = mode * 8 + digit;
  }
  const type = mode >> 12;
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined && type !== SUBMODULE_TYPE) return undefined;
  const start = end + 1;
  const nul = data.indexOf(0, start);
  if (nul < 0 || nul === start || nul - start > NAME_MAX || data.length - nul < 21) return undefined;
  let name = "";
  for (let i = start; i < nul; i++) {
    if (data[i] === SLASH) return undefined;
    name += String.fromCharCode(data[i]!);
  }
  if (name === "." || name === "..") return undefined;
  return { name, kind, oid: data.subarray(nul + 1, nul + 21), next: nul + 21 };
}

/** A tree's entries; undefined where it is malformed, not in git's order, or holds a name twice. */
function readTree(data: Uint8Array): TreeEntry[] | undefined {
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  let last = "";
  for (let at = 0; at < data.length; ) {
    const entry = readEntry(data, at);
    if (entry === undefined || names.has(entry.name)) return undefined;
    // Git sorts a directory as if its name ended in a slash.
    const key = entry.kind === TREE ? `${entry.name}/` : entry.name;
    if (key <= last) return undefined;
    last = key;
    names.add(entry.name);
    entries.push(entry);
    at = entry.next;
  }
  return entries;
}

/** A name's text, for people. */
function textOf(name: string): string {
  return new TextDecoder().decode(Uint8Array.from(name, (char) => char.charCodeAt(0)));
}

/**
 * Walks the trees of a volume's commit, each of them once.
 * @param table every object of the PACK, its id proven
 * @throws DocteurError `BadTree`, `MissingObject` or `WrongKind` with the path and the object's id
 */
export async function checkTrees(volume: Volume, table: ObjectTable): Promise<void> {
  const index = new OidIndex(table);
  const seen = new Uint8Array(table.count);
  const fail = (code: ErrorCode, path: string, oid: string, what: string): never => {
    throw new DocteurError(code, `${path || "/"}: ${what}: ${oid}`, { path: path || "/", oid });
  };
  const waiting = [{ path: "", oid: volume.commit.tree }];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { path: parent, oid: treeOid } = folder;
    const entries = readTree((await volume.object(treeOid)).data);
    for (const { name, kind, oid } of entries ?? fail("BadTree", parent, treeOid, "its tree is malformed")) {
      if (kind === undefined) continue;
      const row = index.find(oid);
      if (row >= 0 && seen[row] !== 0 && table.kinds[row] === kind) continue;
      const path = `${parent}/${textOf(name)}`;
      if (row < 0) fail("MissingObject", path, hexOid(oid), "its object is not in the image");
      if (table.kinds[row] !== kind) fail("WrongKind", path, hexOid(oid), "its object is of another kind");
      seen[row] = 1;
      if (kind === TREE) waiting.push({ path, oid: hexOid(oid) });
    }
  }
}

/** The paths that an image's readers ask for first: their objects, which the pack then begins with. */
import type { Path } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { byteString, shown } from "../git/byte-string.js";
import { MODE } from "../git/objects.js";
import { OID_LEN } from "../git/oid.js";
import { type Contents, readContent, type Unreads } from "./base/content.js";
import { OidSet } from "./base/oid-set.js";

/** Trees whose entries are kept: paths in one directory mostly follow each other. */
const KEPT_MAX = 64;

/** The objects of an image, by the packer's numbers. */
export interface HotObjects {
  /** The number of the root tree, and its content and that of all trees. */
  root: number;
  trees: Unreads;
  /** The number of the first of `trees`. */
  firstTree: number;
  contents: Contents;
  /** The objects that the pack will have, and the ids of all objects, 20 bytes each. */
  numbers: Uint32Array;
  oids: Uint8Array;
}

/** An entry of a tree. Its number is -1 if the image lacks its object. */
interface Entry {
  number: number;
  isTree: boolean;
}

/** See the file's head. */
class HotPaths {
  readonly #objects: HotObjects;
  readonly #set: OidSet;
  /** Entries by name, of the trees that were asked for last. */
  readonly #kept = new Map<number, Map<string, Entry>>();
  /** In the order in which they are found. */
  readonly #trees = new Set<number>();
  readonly #blobs = new Set<number>();

  constructor(objects: HotObjects) {
    this.#objects = objects;
    this.#set = new OidSet(objects.oids);
    for (const number of objects.numbers) this.#set.add(number);
  }

  /** Adds the object of a path, and all below it. @returns whether there is one */
  add(path: string): boolean {
    const names = path.split("/").filter((name) => name !== "");
    let entry: Entry = { number: this.#objects.root, isTree: true };
    const trees = [entry.number];
    for (const name of names) {
      const next = entry.isTree ? this.#entriesOf(entry.number).get(name) : undefined;
      if (next === undefined || next.number < 0) return false;
      entry = next;
      if (entry.isTree) trees.push(entry.number);
    }
    for (const tree of trees) this.#trees.add(tree);
    if (entry.isTree) this.#addAll(entry.number);
    else this.#blobs.add(entry.number);
    return true;
  }

  /** Trees come before blobs, as in every pack. */
  numbers(): number[] {
    return [...this.#trees, ...this.#blobs];
  }

  #addAll(tree: number): void {
    const trees = [tree];
    const seen = new Set(trees);
    for (let next = trees.pop(); next !== undefined; next = trees.pop()) {
      this.#trees.add(next);
      const below: number[] = [];
      for (const { number, isTree } of this.#entriesOf(next).values()) {
        if (number < 0) continue;
        if (!isTree) this.#blobs.add(number);
        else if (!seen.has(number)) below.push(number);
        seen.add(number);
      }
      trees.push(...below.reverse());
    }
  }

  #entriesOf(tree: number): Map<string, Entry> {
    let entries = this.#kept.get(tree);
    if (entries === undefined) {
      entries = this.#read(tree);
      this.#kept.set(tree, entries);
      if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    }
    return entries;
  }

  #read(tree: number): Map<string, Entry> {
    const { trees, firstTree, contents } = this.#objects;
    const bytes = readContent(contents, trees.at(tree - firstTree));
    const entries = new Map<string, Entry>();
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(0x20, at);
      const end = bytes.indexOf(0, space);
      const isTree = latin1(bytes.subarray(at, space)) === MODE.directory;
      const number = this.#set.find(bytes, end + 1);
      entries.set(latin1(bytes.subarray(space + 1, end)), { number, isTree });
      at = end + 1 + OID_LEN;
    }
    return entries;
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A path as a byte string. */
function textOf(path: Path): string {
  return typeof path === "string" ? byteString(path) : latin1(path);
}

/**
 * Finds the objects that a pack begins with, after the commit: the trees on the way to paths, then the files there. A
 * directory stands for all below it.
 * @param paths from the image's root; empty ones are skipped
 * @returns numbers, each once
 * @throws DocteurError `InvalidArgument` for a path that the image does not have
 */
export function findHot(paths: readonly Path[], objects: HotObjects): number[] {
  if (paths.every((path) => path.length === 0)) return [];
  const hot = new HotPaths(objects);
  for (const [index, path] of paths.entries()) {
    const text = textOf(path);
    if (text === "" || hot.add(text)) continue;
    throw new DocteurError(
      "InvalidArgument",
      `line ${index + 1} of the paths that come first names nothing in the image: ${shown(text)}`,
      { hint: "paths are those of the image, from its root, such as guide/index.html" },
    );
  }
  return hot.numbers();
}

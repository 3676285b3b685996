/** Several listed sources as one, each in a directory of its own: no two of them may have an entry at one path. */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { doubled } from "../../git/byte-strings.js";
import { checkLimits } from "../../git/names.js";
import { MODES } from "../../git/objects.js";
import type { Forgetting, Unread } from "../base/content.js";
import type { Listing, SourceTree, SourceVisitor } from "./listing.js";
import { SkippedPaths } from "./listing.js";
import { FOLDER, NotAFolder, PathTree } from "./path-tree.js";

/** A source, and its place. */
export interface Part {
  /** The path of its directory in the result, a byte string; empty for the root. */
  prefix: string;
  /** Its name, for people. */
  name: string;
  listing: Listing;
}

/** The contents of several sources, one source's after the other's. */
class JoinedBlobs implements Forgetting {
  readonly #parts: readonly Forgetting[];
  /** The index of each source's first content, and the number of all. */
  readonly #firsts: number[] = [0];

  constructor(parts: readonly Forgetting[]) {
    this.#parts = parts;
    for (const { length } of parts) this.#firsts.push(this.#firsts.at(-1)! + length);
  }

  get length(): number {
    return this.#firsts.at(-1)!;
  }

  firstOf(part: number): number {
    return this.#firsts[part]!;
  }

  sizeOf(index: number): number {
    const part = this.#partOf(index);
    return this.#parts[part]!.sizeOf(index - this.#firsts[part]!);
  }

  at(index: number): Unread {
    const part = this.#partOf(index);
    return this.#parts[part]!.at(index - this.#firsts[part]!);
  }

  keep(indexes: Uint32Array): void {
    const ends = this.#firsts.map((first) => indexes.findLastIndex((index) => index < first) + 1);
    for (const [at, part] of this.#parts.entries()) {
      const first = this.#firsts[at]!;
      part.keep(indexes.slice(ends[at], ends[at + 1]).map((index) => index - first));
      this.#firsts[at] = ends[at]!;
    }
    this.#firsts[this.#parts.length] = indexes.length;
  }

  #partOf(index: number): number {
    // The last source that begins there or before: those behind it may be empty.
    return this.#firsts.findLastIndex((first) => first <= index);
  }
}

/** The files and links of all sources, by number, as columns. */
class JoinedTree implements SourceTree {
  readonly #paths = new PathTree();
  readonly #parts: readonly Part[];
  #blobs = new Uint32Array(256);
  #modes = new Uint8Array(256);
  #count = 0;
  /** The number of the first leaf of each source so far. */
  readonly #starts: number[] = [];

  constructor(parts: readonly Part[], blobs: JoinedBlobs) {
    this.#parts = parts;
    for (const [index, part] of parts.entries()) this.#add(part, blobs.firstOf(index));
  }

  folderCount(): number {
    return this.#paths.folderCount();
  }

  walk(visitor: SourceVisitor): void {
    this.#paths.walk({
      enter: (name) => visitor.enter(name),
      leaf: (name, leaf) =>
        visitor.leaf(
          name,
          MODES[this.#modes[leaf]!] as Exclude<(typeof MODES)[number], "40000">,
          this.#blobs[leaf]!,
        ),
      leave: () => visitor.leave(),
    });
  }

  #add({ prefix, listing }: Part, firstBlob: number): void {
    this.#starts.push(this.#count);
    const names = prefix === "" ? [] : prefix.split("/");
    const pathTo = (name: string): string => {
      const path = names.length === 0 ? name : `${names.join("/")}/${name}`;
      checkLimits(path, path.length, names.length + 1);
      return path;
    };
    if (prefix !== "") this.#addFolder(prefix);
    listing.tree.walk({
      enter: (name) => {
        this.#addFolder(pathTo(name));
        names.push(name);
      },
      leaf: (name, mode, blob) => this.#addLeaf(pathTo(name), MODES.indexOf(mode), firstBlob + blob),
      leave: () => void names.pop(),
    });
  }

  #addFolder(path: string): void {
    const found = this.#paths.find(path);
    if (found !== undefined && found !== FOLDER) this.#refuse(path, found);
    this.#through(path, () => this.#paths.addFolder(path));
  }

  #addLeaf(path: string, mode: number, blob: number): void {
    const found = this.#paths.find(path);
    if (found !== undefined) this.#refuse(path, found);
    if (this.#count === this.#blobs.length) {
      this.#blobs = doubled(this.#blobs);
      this.#modes = doubled(this.#modes);
    }
    this.#blobs[this.#count] = blob;
    this.#modes[this.#count] = mode;
    this.#through(path, () => this.#paths.set(path, this.#count));
    this.#count++;
  }

  #through(path: string, change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof NotAFolder)) throw error;
      this.#refuse(error.path, this.#paths.find(error.path) ?? FOLDER, path);
    }
  }

  /** @param found the entry that is already there @param path the one that does not fit */
  #refuse(place: string, found: number, path = place): never {
    const first = this.#nameOf(found === FOLDER ? this.#firstLeafBelow(place) : found);
    const second = this.#parts[this.#starts.length - 1]!.name;
    const message =
      path === place && found !== FOLDER
        ? `${shown(place)} is in both ${first} and ${second}`
        : `${shown(place)} is a file in one source and a directory in the other: ${first}, ${second}`;
    throw new DocteurError("BadSource", message, {
      path: shown(place),
      hint: "give the sources prefixes of their own, or leave files out with --exclude",
    });
  }

  #nameOf(leaf: number | undefined): string {
    const part = leaf === undefined ? 0 : this.#starts.findLastIndex((start) => start <= leaf);
    return this.#parts[part]!.name;
  }

  #firstLeafBelow(place: string): number | undefined {
    let first: number | undefined;
    const names: string[] = [];
    this.#paths.walk({
      enter: (name) => void names.push(name),
      leaf: (_, leaf) => {
        if (`${names.join("/")}/`.startsWith(`${place}/`)) first ??= leaf;
      },
      leave: () => void names.pop(),
    });
    return first;
  }
}

/**
 * Joins listed sources. Directories that several of them have become one.
 * @throws DocteurError `BadSource` if two sources have an entry at one path, and not both have a directory there, and
 *   for paths that are too long
 */
export function joinListings(parts: readonly Part[]): Listing {
  const blobs = new JoinedBlobs(parts.map(({ listing }) => listing.blobs));
  const tree = new JoinedTree(parts, blobs);
  const skipped = new SkippedPaths();
  let newest: number | undefined;
  let strippedCount = 0;
  for (const { listing } of parts) {
    skipped.addAll(listing.skipped);
    strippedCount += listing.strippedCount;
    if (listing.newest !== undefined) newest = Math.max(newest ?? listing.newest, listing.newest);
  }
  return { tree, blobs, newest, skipped, strippedCount };
}

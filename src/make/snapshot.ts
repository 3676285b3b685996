/**
 * Makes the trees of a listed source from the ids of its contents, and the order of all objects in the pack.
 * It only computes, so it runs in any JavaScript engine. The caller provides the SHA-1.
 *
 * Folders with equal content are one tree, and are forgotten as soon as their tree is made. So memory only
 * holds the distinct trees, and the folders around the present one.
 */

import { ByteStrings, doubled } from "../git/byte-strings.js";
import { type Kind, MODE, type Mode } from "../git/objects.js";
import { OID_LEN } from "../git/oid.js";
import type { TreeStore, Unread, Unreads } from "./base/content.js";
import { OidSet, OidTable } from "./base/oid-set.js";
import { NAME_LEN } from "./pack/candidates.js";
import { Places } from "./pack/pack-order.js";
import { RecentTrees } from "./recent-trees.js";
import type { Listing, SourceVisitor } from "./source/listing.js";

/** A source as git objects. */
export interface Snapshot {
  /** Each once, breadth first: the root comes first. */
  trees: Unreads;
  /** The root tree's id: 20 bytes. */
  root: Uint8Array;
  /** The indexes of the blobs that the pack holds, ascending. Of equal contents it is the one whose path is first. */
  blobs: Uint32Array;
  /**
   * The commit, the trees breadth first, each content once in the order of its first path. By number the `blobs` are
   * first, then the trees, then the commit.
   */
  places: Places;
  /** Files and symbolic links, counted by path, and their bytes. */
  fileCount: number;
  contentBytes: number;
}

/** An object's id: 20 bytes. */
export type OidOf = (kind: Kind, content: Uint8Array) => Uint8Array;

/** The end of a path, or of a name: nothing else affects the order of the pack. */
const endOf = (path: string): string => path.slice(-NAME_LEN);

/** The prefix of the paths in a folder. */
const prefixOf = (path: string): string => (path === "" ? "" : `${path}/`);

/** The distinct trees, by number in the order in which they were made, as columns: there may be a million. */
class Trees {
  readonly #store: TreeStore;
  readonly #oids = new OidTable();
  #sizes = new Float64Array(256);
  #offsets = new Float64Array(256);
  /**
   * The start of each tree's subtrees among all subtrees; the numbers of the subtrees, and the ends of their
   * names.
   */
  #firsts = new Uint32Array(257);
  #subtrees = new Uint32Array(256);
  readonly #names = new ByteStrings();

  constructor(store: TreeStore) {
    this.#store = store;
  }

  get count(): number {
    return this.#oids.count;
  }

  /** @returns the tree's number, which equal trees share */
  add(oid: Uint8Array, content: Uint8Array, subtrees: readonly number[], names: readonly string[]): number {
    const { count } = this;
    const number = this.#oids.add(oid);
    if (number < count) return number;
    if (number === this.#sizes.length) {
      this.#sizes = doubled(this.#sizes);
      this.#offsets = doubled(this.#offsets);
    }
    this.#sizes[number] = content.length;
    this.#offsets[number] = this.#store.keep(content);
    if (number + 1 === this.#firsts.length) this.#firsts = doubled(this.#firsts);
    let end = this.#names.count;
    while (end + subtrees.length > this.#subtrees.length) this.#subtrees = doubled(this.#subtrees);
    for (const subtree of subtrees) this.#subtrees[end++] = subtree;
    for (const name of names) this.#names.add(name);
    this.#firsts[number + 1] = end;
    return number;
  }

  oidOf(number: number): Uint8Array {
    return this.#oids.oidOf(number);
  }

  sizeOf(number: number): number {
    return this.#sizes[number]!;
  }

  unread(number: number): Unread {
    const size = this.sizeOf(number);
    return { size, content: this.#store.at(this.#offsets[number]!, size) };
  }

  /**
   * Visits the trees breadth first, each once.
   * @param onTree receives the end of each tree's first path
   */
  breadthFirst(root: number, onTree: (path: string) => void): Uint32Array {
    const order = new Uint32Array(this.count);
    const isThere = new Uint8Array(this.count);
    const paths = new ByteStrings();
    order[0] = root;
    isThere[root] = 1;
    paths.add("");
    for (let at = 0; at < paths.count; at++) {
      const path = paths.text(at);
      onTree(path);
      const tree = order[at]!;
      for (let child = this.#firsts[tree]!; child < this.#firsts[tree + 1]!; child++) {
        const subtree = this.#subtrees[child]!;
        if (isThere[subtree] === 1) continue;
        isThere[subtree] = 1;
        order[paths.count] = subtree;
        paths.add(endOf(prefixOf(path) + this.#names.text(child)));
      }
    }
    return order;
  }
}

const SPACE = 0x20;

/** A folder whose tree is being made. */
interface OpenFolder {
  name: string;
  /** The start of its entries among the bytes. */
  start: number;
  /** The end of its path, as a prefix for names. */
  prefix: string;
  /** The numbers of its subtrees, and the ends of their names. */
  subtrees: number[];
  names: string[];
}

/**
 * Makes trees of folders, in the order of a walk: a folder's entries lie above those of its parent folders.
 */
class TreeMaker implements SourceVisitor {
  readonly #trees: Trees;
  readonly #oids: Uint8Array;
  readonly #oidOf: OidOf;
  readonly #onFile: (path: string, mode: Mode, blob: number) => void;
  #bytes = new Uint8Array(1 << 12);
  #end = 0;
  readonly #recent = new RecentTrees();
  readonly #open: OpenFolder[] = [];
  #top: OpenFolder = { name: "", start: 0, prefix: "", subtrees: [], names: [] };

  /**
   * @param oids of the blobs
   * @param onFile receives the end of each file's path
   */
  constructor(
    trees: Trees,
    oids: Uint8Array,
    oidOf: OidOf,
    onFile: (path: string, mode: Mode, blob: number) => void,
  ) {
    this.#trees = trees;
    this.#oids = oids;
    this.#oidOf = oidOf;
    this.#onFile = onFile;
  }

  enter(name: string): void {
    const prefix = endOf(`${this.#top.prefix}${name}/`);
    this.#open.push(this.#top);
    this.#top = { name, start: this.#end, prefix, subtrees: [], names: [] };
  }

  leaf(name: string, mode: Mode, blob: number): void {
    this.#entry(name, mode, this.#oids, blob * OID_LEN);
    this.#onFile(this.#top.prefix + name, mode, blob);
  }

  leave(): void {
    const { name } = this.#top;
    const tree = this.close();
    this.#top = this.#open.pop()!;
    this.#top.subtrees.push(tree);
    this.#top.names.push(endOf(name));
    this.#entry(name, MODE.directory, this.#trees.oidOf(tree), 0);
  }

  /** Makes the tree of the folder on top. @returns its number */
  close(): number {
    const { start, subtrees, names } = this.#top;
    const content = this.#bytes.subarray(start, this.#end);
    this.#end = start;
    const known = this.#recent.find(content);
    if (known !== undefined) return known;
    const number = this.#trees.add(this.#oidOf("tree", content), content, subtrees, names);
    this.#recent.keep(content, number);
    return number;
  }

  /** An entry of a tree: its mode, a space, its name, a zero byte and its id. @param oidAt the id's start in `oids` */
  #entry(name: string, mode: Mode, oids: Uint8Array, oidAt: number): void {
    const most = mode.length + name.length + 2 + OID_LEN;
    while (this.#end + most > this.#bytes.length) this.#bytes = doubled(this.#bytes);
    const bytes = this.#bytes;
    let end = this.#end;
    for (let at = 0; at < mode.length; at++) bytes[end++] = mode.charCodeAt(at);
    bytes[end++] = SPACE;
    for (let at = 0; at < name.length; at++) bytes[end++] = name.charCodeAt(at);
    bytes[end++] = 0;
    // Not `set` of a view: for so few bytes a loop takes less time.
    for (let at = oidAt; at < oidAt + OID_LEN; at++) bytes[end++] = oids[at]!;
    this.#end = end;
  }
}

/** The files of a source, once the trees are made. */
interface Files {
  /** The root tree's number. */
  root: number;
  /** Each content once, by its index among the blobs. */
  places: Places;
  fileCount: number;
  contentBytes: number;
}

/** Makes all trees. */
function makeTrees({ tree, blobs }: Listing, oids: Uint8Array, oidOf: OidOf, trees: Trees): Files {
  const places = new Places();
  const seen = new OidSet(oids);
  let fileCount = 0;
  let contentBytes = 0;
  const maker = new TreeMaker(trees, oids, oidOf, (path, mode, blob) => {
    fileCount++;
    if (mode !== MODE.symlink) contentBytes += blobs.sizeOf(blob);
    if (seen.add(blob)) places.add(blob, path);
  });
  tree.walk(maker);
  return { root: maker.close(), places, fileCount, contentBytes };
}

/** Trees in an order. It is a function of its own, so that the result keeps nothing else in memory. */
function treesIn(order: Uint32Array, trees: Trees): Unreads {
  return {
    length: order.length,
    sizeOf: (index) => trees.sizeOf(order[index]!),
    at: (index) => trees.unread(order[index]!),
  };
}

/** The place of each number among some. @param numbers ascending @param count all numbers are below it */
function ranksOf(numbers: Uint32Array, count: number): Uint32Array {
  const ranks = new Uint32Array(count);
  for (let rank = 0; rank < numbers.length; rank++) ranks[numbers[rank]!] = rank;
  return ranks;
}

/**
 * Encodes a source's trees and orders its objects. The order of the listing does not matter.
 * @param oids the ids of `listing.blobs`, in their order, 20 bytes each
 * @param oidOf hashes the trees
 * @param store receives the trees' contents
 */
export function takeSnapshot(listing: Listing, oids: Uint8Array, oidOf: OidOf, store: TreeStore): Snapshot {
  const trees = new Trees(store);
  const files = makeTrees(listing, oids, oidOf, trees);
  const { root, fileCount, contentBytes } = files;
  const blobs = files.places.numbers.slice().sort();
  const places = new Places();
  // The root tree's path is empty; no other has this one.
  places.add(blobs.length + trees.count, "/");
  const order = trees.breadthFirst(root, (path) => places.add(blobs.length + places.count - 1, path));
  places.append(files.places, ranksOf(blobs, listing.blobs.length));
  return {
    trees: treesIn(order, trees),
    root: trees.oidOf(root).slice(),
    blobs,
    places,
    fileCount,
    contentBytes,
  };
}

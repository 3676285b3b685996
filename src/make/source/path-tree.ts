/**
 * Maps paths to values, as a tree in columns: there may be millions. A chain of folders with one entry each
 * is one node, so memory follows the number of paths and their bytes, not their depth times their number.
 *
 * ```
 * a/b/c/x         node 1 "a/b/c", a folder     node 2 "x"
 * a/b/c/d/e       node 3 "d/e"
 * ```
 *
 * Nodes are found by a keyed hash of their parent and their first name: an attacker cannot choose colliding
 * names.
 */

import { DocteurError } from "../../errors.js";
import { ByteStrings, doubled } from "../../git/byte-strings.js";
import { KeyedHash } from "./keyed-hash.js";

/** The value of a folder. Other values are the caller's, from 0 on. */
export const FOLDER = 0xffffffff;

/** A path that leads through something that is not a folder. */
export class NotAFolder extends Error {
  /** The path that is not a folder. */
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/** Visits the entries of a tree, in git's order. Names are byte strings ("latin1"). */
export interface PathVisitor {
  /** Called before the entries of a folder, except the root. */
  enter(name: string): void;
  leaf(name: string, value: number): void;
  /** Called after the entries of the folder that was entered last. */
  leave(): void;
}

const ROOT = 0;
/** No node; the root is in no slot. */
const NONE = 0;
const SLASH = 0x2f;

/** The end of the name that begins at `at`. */
function nameEnd(path: string, at: number): number {
  const slash = path.indexOf("/", at);
  return slash < 0 ? path.length : slash;
}

/** See the file's head. */
export class PathTree {
  /** Labels: the row, the offset in the row, and the length of each. Split nodes share a row. */
  readonly #labels = new ByteStrings();
  #rows = new Uint32Array(256);
  #starts = new Uint16Array(256);
  #lengths = new Uint16Array(256);
  #parents = new Uint32Array(256);
  #childCounts = new Uint32Array(256);
  #values = new Uint32Array(256);
  /** Hashes of parent and first name. */
  #hashes = new Uint32Array(256);
  /** Nodes by hash, open addressing; at most half of the slots are taken. */
  #slots = new Uint32Array(512);
  readonly #hash = new KeyedHash();
  /** The number of nodes, including the root: at most twice that of paths. */
  nodeCount = 1;

  constructor() {
    this.#values[ROOT] = FOLDER;
  }

  /**
   * Finds the value at a path.
   * @param path names with single slashes between them, and no other slashes; empty for the root
   * @returns its value; `FOLDER` also for a folder that a longer path has made; `undefined` if there is
   *   nothing
   */
  find(path: string): number | undefined {
    let node = ROOT;
    for (let at = 0; at < path.length; ) {
      const child = this.#childAt(node, path, at, this.#hashAt(node, path, at));
      if (child === NONE) return undefined;
      const common = this.#commonLen(child, path, at);
      at += common + 1;
      if (common < this.#lengths[child]!) return at > path.length ? FOLDER : undefined;
      node = child;
    }
    return this.#values[node]!;
  }

  /**
   * Makes a folder and its parents. It replaces an entry that is not a folder.
   * @throws NotAFolder where the path leads through something else
   */
  addFolder(path: string): void {
    this.#values[this.#nodeAt(path)] = FOLDER;
  }

  /**
   * Sets the value of a path. It replaces any earlier entry, except a folder that is not empty.
   * @returns whether the value was set
   * @throws NotAFolder where the path leads through something else
   */
  set(path: string, value: number): boolean {
    const node = this.#nodeAt(path);
    if (this.#childCounts[node]! > 0) return false;
    this.#values[node] = value;
    return true;
  }

  /** Frees what only changes and look-ups need: from now on the tree can only be walked, and nothing is found in it. */
  seal(): void {
    this.#hashes = new Uint32Array(0);
    this.#slots = new Uint32Array(1);
  }

  /** The number of folders, including the root. */
  folderCount(): number {
    let count = 1;
    for (let node = 1; node < this.nodeCount; node++) {
      const slashes = this.#labelOf(node).split("/").length - 1;
      count += slashes + (this.#values[node] === FOLDER ? 1 : 0);
    }
    return count;
  }

  /** Visits everything, in git's order. */
  walk(visitor: PathVisitor): void {
    const { starts, children } = this.#childLists();
    // The depth is bounded by the limit of paths.
    const visit = (parent: number): void => {
      const { nodes, labels } = this.#sorted(children.subarray(starts[parent]!, starts[parent + 1]!));
      for (const [index, node] of nodes.entries()) {
        const names = labels[index]!.split("/");
        const last = names.pop()!;
        for (const name of names) visitor.enter(name);
        const value = this.#values[node]!;
        if (value === FOLDER) {
          visitor.enter(last);
          visit(node);
          visitor.leave();
        } else visitor.leaf(last, value);
        for (let left = names.length; left > 0; left--) visitor.leave();
      }
    };
    visit(ROOT);
  }

  /** The children of each node, one node's after the other's. */
  #childLists(): { starts: Uint32Array; children: Uint32Array } {
    const starts = new Uint32Array(this.nodeCount + 1);
    for (let node = 0; node < this.nodeCount; node++)
      starts[node + 1] = starts[node]! + this.#childCounts[node]!;
    // Each start is at first the end of its list, and moves to the front as the list fills.
    for (let node = 0; node < this.nodeCount; node++) starts[node] = starts[node + 1]!;
    const children = new Uint32Array(this.nodeCount - 1);
    for (let node = this.nodeCount - 1; node > 0; node--) children[--starts[this.#parents[node]!]!] = node;
    return { starts, children };
  }

  /** Nodes of one parent, in git's order, where a slash follows a folder's name. */
  #sorted(nodes: Uint32Array): { nodes: Uint32Array; labels: string[] } {
    const keyed = Array.from(nodes, (node) => {
      const label = this.#labelOf(node);
      return { node, label, key: this.#values[node] === FOLDER ? `${label}/` : label };
    });
    keyed.sort((left, right) => (left.key < right.key ? -1 : 1));
    return { nodes: Uint32Array.from(keyed, ({ node }) => node), labels: keyed.map(({ label }) => label) };
  }

  #labelOf(node: number): string {
    return this.#labels.slice(this.#rows[node]!, this.#starts[node]!, this.#lengths[node]!);
  }

  /** The node of a path. It is made as a folder if it is missing. */
  #nodeAt(path: string): number {
    let node = ROOT;
    for (let at = 0; at < path.length; ) {
      if (this.#values[node] !== FOLDER) throw new NotAFolder(path.slice(0, at - 1));
      const hash = this.#hashAt(node, path, at);
      const child = this.#childAt(node, path, at, hash);
      if (child === NONE) {
        const rest = path.slice(at);
        return this.#add(node, this.#labels.add(rest), 0, rest.length, hash);
      }
      const common = this.#commonLen(child, path, at);
      node = common < this.#lengths[child]! ? this.#part(child, common) : child;
      at += common + 1;
    }
    return node;
  }

  #hashAt(parent: number, path: string, at: number): number {
    return this.#hash.of(parent, path, at, nameEnd(path, at));
  }

  /** The child with this first name. @param hash of the name and the parent */
  #childAt(parent: number, path: string, at: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot]!;
      if (node === NONE) return NONE;
      if (
        this.#hashes[node] === hash &&
        this.#parents[node] === parent &&
        this.#commonLen(node, path, at) > 0
      )
        return node;
    }
  }

  /** The number of bytes of a label that match the path from `at` on: whole names. */
  #commonLen(node: number, path: string, at: number): number {
    const start = this.#starts[node]!;
    const length = this.#lengths[node]!;
    const common = this.#labels.commonLen(this.#rows[node]!, start, length, path, at);
    const isEnd = at + common === path.length || path.charCodeAt(at + common) === SLASH;
    if (isEnd && (common === length || this.#labels.byteAt(this.#rows[node]!, start + common) === SLASH))
      return common;
    // Back to the slash before the name that differs.
    return Math.max(0, path.slice(at, at + common).lastIndexOf("/"));
  }

  /** Splits a node: its first bytes become a folder that holds the rest of it. @returns the folder */
  #part(node: number, length: number): number {
    const row = this.#rows[node]!;
    const start = this.#starts[node]!;
    const parent = this.#parents[node]!;
    const folder = this.#append(parent, row, start, length, this.#hashes[node]!);
    this.#slots[this.#slotOf(node)] = folder;
    this.#starts[node] = start + length + 1;
    this.#lengths[node] = this.#lengths[node]! - length - 1;
    this.#parents[node] = folder;
    this.#childCounts[folder] = 1;
    this.#hashes[node] = this.#hashAt(folder, this.#labelOf(node), 0);
    this.#insert(node);
    return folder;
  }

  /** Adds a node to a parent. */
  #add(parent: number, row: number, start: number, length: number, hash: number): number {
    const node = this.#append(parent, row, start, length, hash);
    this.#childCounts[parent]!++;
    this.#insert(node);
    return node;
  }

  #append(parent: number, row: number, start: number, length: number, hash: number): number {
    if (this.nodeCount === FOLDER)
      throw new DocteurError("BadSource", "the source has more paths than a pack can hold");
    if (this.nodeCount === this.#rows.length) this.#grow();
    const node = this.nodeCount++;
    this.#rows[node] = row;
    this.#starts[node] = start;
    this.#lengths[node] = length;
    this.#parents[node] = parent;
    this.#hashes[node] = hash;
    this.#values[node] = FOLDER;
    return node;
  }

  #grow(): void {
    this.#rows = doubled(this.#rows);
    this.#starts = doubled(this.#starts);
    this.#lengths = doubled(this.#lengths);
    this.#parents = doubled(this.#parents);
    this.#childCounts = doubled(this.#childCounts);
    this.#values = doubled(this.#values);
    this.#hashes = doubled(this.#hashes);
    this.#slots = new Uint32Array(2 * this.#rows.length);
    for (let node = 1; node < this.nodeCount; node++) this.#insert(node);
  }

  #insert(node: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[node]! & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = node;
  }

  #slotOf(node: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[node]! & mask;
    while (this.#slots[slot] !== node) slot = (slot + 1) & mask;
    return slot;
  }
}

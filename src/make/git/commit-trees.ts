/**
 * Reads and examines each tree of a commit once. Trees that `verify` and readers would refuse are refused
 * before anything is packed. A tree at many paths costs no more than a tree at one.
 */
import { createHash } from "node:crypto";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { treeOf } from "../../git/commit.js";
import { examineTree } from "../../git/examine-tree.js";
import { whyTooDeep } from "../../git/names.js";
import { type Kind, objectHeader } from "../../git/objects.js";
import { hexOid, OID_LEN } from "../../git/oid.js";
import { ENTRY } from "../../git/tree-mode.js";
import { GrowingOidSet } from "../base/oid-set.js";
import { BatchReader, type CatFileRun, catFile, type ObjectHeader, Requests } from "./cat-file.js";
import { CommitObjects } from "./commit-objects.js";

/** A tree that a commit leads to. */
export interface CommitTree {
  /** 40 hexadecimal digits. */
  readonly oid: string;
  content: Buffer;
  /** The first tree that contains it, and its name there; the root has none. */
  readonly parent: CommitTree | undefined;
  readonly name: string;
  /** Names of its shortest path. */
  readonly level: number;
  /** Names and bytes of the longest path below it. */
  depth: number;
  pathLen: number;
}

/** The path of an entry of a tree, or of the tree itself, for people. */
function pathOf(tree: CommitTree, name?: string): string {
  const names = name === undefined ? [] : [name];
  for (let at = tree; at.parent !== undefined; at = at.parent) names.unshift(at.name);
  return names.length === 0 ? "its root" : shown(names.join("/"));
}

/** Characters of a long path that a message shows. */
const SHOWN_MAX = 200;

function shortened(path: string): string {
  return path.slice(0, SHOWN_MAX) + (path.length > SHOWN_MAX ? "..." : "");
}

/** Makes errors about the objects of a commit. */
export class Refusals {
  readonly #commit: string;

  /** @param commit for messages, 40 hexadecimal digits */
  constructor(commit: string) {
    this.#commit = commit;
  }

  /** The error for an object that no image can hold. */
  unsound(path: string, defect: string, oid: string): DocteurError {
    return new DocteurError(
      "BadSource",
      `the commit ${this.#commit} cannot be in an image: ${path}: ${defect}`,
      {
        path,
        oid,
        hint: `git archive ${this.#commit} | docteur make - IMAGE makes an image of the same files, in sound trees`,
      },
    );
  }

  /**
   * The error for an object that the repository lacks, or whose content does not match its id.
   * @param path the object's path, if it is known
   */
  damaged(fault: Fault, oid: string, path?: string): DocteurError {
    const place = path === undefined ? "" : `${path}: `;
    return new DocteurError(
      "BadSource",
      `the commit ${this.#commit} cannot be read: ${place}${FAULTS[fault]} ${oid}`,
      { path, oid, hint: "git fsck tells what else is damaged" },
    );
  }
}

/** Defects of the repository itself. */
const FAULTS = {
  missing: "the repository lacks the object",
  content: "git gives other content than that of the object",
} as const;
type Fault = keyof typeof FAULTS;

const EMPTY = Buffer.alloc(0);

/** Reads the trees of a commit, breadth first. */
class TreeLoader {
  readonly trees = new Map<string, CommitTree>();
  readonly requests = new Requests();
  readonly #commit: string;
  readonly #refusals: Refusals;
  #commitSize = 0;
  /** The object that is being read. */
  #header: ObjectHeader = { oid: "", type: "", size: 0, offset: 0 };
  #parts: Buffer[] = [];
  root: CommitTree | undefined;

  constructor(commit: string, refusals: Refusals) {
    this.#commit = commit;
    this.#refusals = refusals;
    this.requests.add(commit);
  }

  get commitSize(): number {
    return this.#commitSize;
  }

  begin(header: ObjectHeader): void {
    const { oid, type } = header;
    const tree = this.trees.get(oid);
    if (type === "missing") throw this.#refusals.damaged("missing", oid, this.#where(tree));
    const expected = tree === undefined ? "commit" : "tree";
    if (type !== expected) throw this.#refusals.unsound(this.#where(tree), `its object is a ${type}`, oid);
    this.#header = header;
    this.#parts = [];
  }

  data(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  end(): void {
    const { oid, type } = this.#header;
    const content = Buffer.concat(this.#parts);
    const hash = createHash("sha1")
      .update(objectHeader(type as Kind, content.length))
      .update(content);
    const tree = this.trees.get(oid);
    if (hash.digest("hex") !== oid) throw this.#refusals.damaged("content", oid, this.#where(tree));
    if (tree === undefined) this.#takeCommit(content);
    else this.#takeTree(tree, content);
    this.requests.answered();
  }

  #where(tree: CommitTree | undefined): string {
    return tree === undefined ? "the commit" : pathOf(tree);
  }

  #takeCommit(content: Buffer): void {
    this.#commitSize = content.length;
    const oid = treeOf(content);
    if (oid === undefined)
      throw this.#refusals.unsound("the commit", "it does not begin with its tree's id", this.#commit);
    this.root = this.#add(oid, undefined, "");
  }

  #takeTree(tree: CommitTree, content: Buffer): void {
    tree.content = content;
    examineTree(content, {
      item: ({ kind, nameAt, nameEnd, oidAt }) => {
        if (kind !== ENTRY.tree) return;
        const oid = hexOid(content.subarray(oidAt, oidAt + OID_LEN));
        if (!this.trees.has(oid)) this.#add(oid, tree, content.toString("latin1", nameAt, nameEnd));
      },
      problem: ({ severity, message }) => {
        if (severity === "error") throw this.#refusals.unsound(pathOf(tree), message(), tree.oid);
      },
    });
  }

  #add(oid: string, parent: CommitTree | undefined, name: string): CommitTree {
    const level = parent === undefined ? 0 : parent.level + 1;
    const tree: CommitTree = { oid, content: EMPTY, parent, name, level, depth: 0, pathLen: 0 };
    const fault = whyTooDeep(name.length, level);
    if (fault !== undefined)
      throw this.#refusals.unsound(shortened(pathOf(tree)), `its path is ${fault}`, oid);
    this.trees.set(oid, tree);
    this.requests.add(oid);
    return tree;
  }
}

/** An entry of a tree that was examined. */
export interface CommitItem {
  /** One of `ENTRY`. */
  kind: number;
  /** A byte string ("latin1"). */
  name: string;
  /** The offset of its id in the tree. */
  oidAt: number;
}

/** The entries of a sound tree. */
export function itemsOf({ content }: Pick<CommitTree, "content">): CommitItem[] {
  const items: CommitItem[] = [];
  examineTree(content, {
    item: ({ kind, nameAt, nameEnd, oidAt }) =>
      void items.push({ kind, name: content.toString("latin1", nameAt, nameEnd), oidAt }),
  });
  return items;
}

/** A commit's objects, and its trees. */
export interface ListedCommit {
  objects: CommitObjects;
  /** Each tree comes after those in it: the root is the last. */
  trees: CommitTree[];
  /** The tree that an entry leads to. */
  treeAt(content: Uint8Array, oidAt: number): CommitTree;
  /** The row of the object that an entry leads to. */
  rowAt(content: Uint8Array, oidAt: number): number;
}

/** A tree in the course of being listed. */
interface Visit {
  tree: CommitTree;
  items: CommitItem[];
  next: number;
  /** The prefix of its entries' paths. */
  prefix: string;
  /** Names in them. */
  depth: number;
}

/** Lists the objects of a commit in the order of `git ls-tree -r -t`, each at its first path. */
class Lister {
  readonly objects = new CommitObjects();
  readonly trees: CommitTree[] = [];
  readonly rows = new GrowingOidSet();
  readonly #all: ReadonlyMap<string, CommitTree>;
  readonly #refusals: Refusals;
  readonly #open: Visit[] = [];

  constructor(all: ReadonlyMap<string, CommitTree>, refusals: Refusals) {
    this.#all = all;
    this.#refusals = refusals;
  }

  treeAt(content: Uint8Array, oidAt: number): CommitTree {
    return this.#all.get(hexOid(content.subarray(oidAt, oidAt + OID_LEN)))!;
  }

  /**
   * @param path a byte string
   * @returns whether the object is new
   * @throws DocteurError if the object is already there with another kind
   */
  add(kind: Kind, oid: Uint8Array, path: string, size: number): boolean {
    if (this.rows.add(oid)) {
      this.objects.add(kind, oid, path, size);
      return true;
    }
    if (this.objects.isKind(this.rows.indexOf(oid), kind)) return false;
    throw this.#refusals.unsound(shown(path), "its object is of another kind", hexOid(oid));
  }

  list(root: CommitTree): void {
    this.#enter(root, "", 0);
    for (let visit = this.#open.at(-1); visit !== undefined; visit = this.#open.at(-1)) {
      const item = visit.items[visit.next++];
      if (item === undefined) this.#leave(visit);
      else this.#list(item, visit);
    }
  }

  #enter(tree: CommitTree, path: string, depth: number): void {
    if (!this.add("tree", Buffer.from(tree.oid, "hex"), path, tree.content.length)) return;
    this.#check(depth, path.length, path, tree);
    const prefix = path === "" ? "" : `${path}/`;
    this.#open.push({ tree, items: itemsOf(tree), next: 0, prefix, depth: depth + 1 });
  }

  #list({ kind, name, oidAt }: CommitItem, { tree, prefix, depth }: Visit): void {
    const path = `${prefix}${name}`;
    if (kind === ENTRY.tree) this.#enter(this.treeAt(tree.content, oidAt), path, depth);
    else if (kind !== ENTRY.submodule)
      this.add("blob", tree.content.subarray(oidAt, oidAt + OID_LEN), path, 0);
  }

  /**
   * A tree may lie deeper at another path than at its first one. All its parents must take this into account.
   */
  #leave({ tree, items, prefix, depth }: Visit): void {
    this.#open.pop();
    for (const { kind, name, oidAt } of items) {
      const child = kind === ENTRY.tree ? this.treeAt(tree.content, oidAt) : undefined;
      const below = child === undefined || child.pathLen === 0 ? 0 : child.pathLen + 1;
      tree.depth = Math.max(tree.depth, 1 + (child?.depth ?? 0));
      tree.pathLen = Math.max(tree.pathLen, name.length + below);
      this.#check(depth - 1 + tree.depth, prefix.length + tree.pathLen, `${prefix}${name}`, tree);
    }
    this.trees.push(tree);
  }

  #check(depth: number, pathLen: number, path: string, tree: CommitTree): void {
    const fault = whyTooDeep(pathLen, depth);
    if (fault !== undefined)
      throw this.#refusals.unsound(shortened(shown(path)), `its path is ${fault}`, tree.oid);
  }
}

/**
 * Reads and examines the trees of a commit, and lists its objects. It does not yet check that the blobs
 * exist, and leaves their sizes unknown.
 * @throws DocteurError `BadSource` for a commit or a tree that is missing, damaged or unsound, and for paths beyond the
 *   limits of readers; the signal's reason
 */
export async function listCommit(run: CatFileRun): Promise<ListedCommit> {
  const { commit } = run;
  const refusals = new Refusals(commit);
  const loader = new TreeLoader(commit, refusals);
  const reader = new BatchReader(loader);
  await catFile(run, "--batch", loader.requests.stream, (output) => reader.read(output));
  const lister = new Lister(loader.trees, refusals);
  lister.add("commit", Buffer.from(commit, "hex"), "/", loader.commitSize);
  lister.list(loader.root!);
  return {
    objects: lister.objects,
    trees: lister.trees,
    treeAt: (content, oidAt) => lister.treeAt(content, oidAt),
    rowAt: (content, oidAt) => lister.rows.indexOf(content.subarray(oidAt, oidAt + OID_LEN)),
  };
}

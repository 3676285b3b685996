/** Finds symbolic links of a commit that no reader can follow. */

import { ENTRY } from "../../git/tree-mode.js";
import type { Gathered } from "../base/noticed.js";
import { DanglingLinks, type Found } from "../source/dangling-links.js";
import { BatchReader, type BatchVisitor, type CatFileRun, catFile } from "./cat-file.js";
import { type CommitItem, type CommitTree, itemsOf, type ListedCommit } from "./commit-trees.js";

/** The most bytes of targets that are read: of all links, and of one. Links beyond are not checked. */
const TARGETS_MAX = 64 << 20;
const TARGET_MAX = 64 << 10;

/** The trees that contain symbolic links, also in trees below, and the rows of the links. */
interface Linked {
  trees: Set<CommitTree>;
  rows: Uint32Array;
}

function findLinks(listed: ListedCommit): Linked {
  const trees = new Set<CommitTree>();
  const rows = new Set<number>();
  let len = 0;
  // Each tree comes after those in it.
  for (const tree of listed.trees)
    for (const { kind, oidAt } of itemsOf(tree)) {
      if (kind === ENTRY.tree && trees.has(listed.treeAt(tree.content, oidAt))) trees.add(tree);
      if (kind !== ENTRY.symlink) continue;
      trees.add(tree);
      const row = listed.rowAt(tree.content, oidAt);
      const size = listed.objects.sizeOf(row);
      if (rows.has(row) || size > TARGET_MAX || len + size > TARGETS_MAX) continue;
      len += size;
      rows.add(row);
    }
  return { trees, rows: Uint32Array.from(rows) };
}

/** The links' targets by row, byte strings. */
async function readTargets(
  run: CatFileRun,
  { objects }: ListedCommit,
  rows: Uint32Array,
): Promise<Map<number, string>> {
  const targets = new Map<number, string>();
  let next = 0;
  let target = "";
  const visitor: BatchVisitor = {
    begin: () => {
      target = "";
    },
    data: (bytes) => {
      target += bytes.toString("latin1");
    },
    end: () => void targets.set(rows[next++]!, target),
  };
  const reader = new BatchReader(visitor);
  await catFile(run, "--batch", objects.requests(rows), (output) => reader.read(output));
  return targets;
}

/** Finds entries of a commit by path. */
class CommitPaths {
  readonly #listed: ListedCommit;
  readonly #targets: ReadonlyMap<number, string>;
  /** Entries by name, of the trees that were looked up. */
  readonly #entries = new Map<CommitTree, Map<string, CommitItem>>();

  constructor(listed: ListedCommit, targets: ReadonlyMap<number, string>) {
    this.#listed = listed;
    this.#targets = targets;
  }

  find(path: string): Found | undefined {
    let tree = this.#listed.trees.at(-1)!;
    const names = path.split("/");
    for (const [at, name] of names.entries()) {
      const item = this.#entriesOf(tree).get(name);
      if (item === undefined) return undefined;
      if (item.kind !== ENTRY.tree) return at < names.length - 1 ? undefined : this.#leaf(tree, item);
      tree = this.#listed.treeAt(tree.content, item.oidAt);
    }
    return "folder";
  }

  #leaf(tree: CommitTree, { kind, oidAt }: CommitItem): Found {
    if (kind !== ENTRY.symlink) return "other";
    const target = this.#targets.get(this.#listed.rowAt(tree.content, oidAt));
    // A link that was not read counts as one that leads somewhere.
    return target === undefined ? "other" : { target };
  }

  #entriesOf(tree: CommitTree): Map<string, CommitItem> {
    let entries = this.#entries.get(tree);
    if (entries === undefined) {
      entries = new Map(itemsOf(tree).map((item) => [item.name, item]));
      this.#entries.set(tree, entries);
    }
    return entries;
  }
}

/** The dangling links of a commit. @throws errors of `catFile` */
export async function findDanglingCommitLinks(run: CatFileRun, listed: ListedCommit): Promise<Gathered> {
  const { trees, rows } = findLinks(listed);
  if (rows.length === 0) return { count: 0, first: [] };
  const paths = new CommitPaths(listed, await readTargets(run, listed, rows));
  const nameBytes = listed.trees.reduce((sum, { content }) => sum + content.length, 0);
  const dangling = new DanglingLinks((path) => paths.find(path), nameBytes);
  // The walk is no deeper than paths may be. Nested repeated trees have more paths than can be walked.
  const visit = (tree: CommitTree, prefix: string): boolean => {
    for (const { kind, name, oidAt } of itemsOf(tree)) {
      if (!dangling.spend(prefix.length + name.length)) return false;
      if (kind === ENTRY.symlink) dangling.judge(`${prefix}${name}`);
      if (kind !== ENTRY.tree) continue;
      const child = listed.treeAt(tree.content, oidAt);
      if (trees.has(child) && !visit(child, `${prefix}${name}/`)) return false;
    }
    return true;
  };
  visit(listed.trees.at(-1)!, "");
  return dangling.gathered;
}

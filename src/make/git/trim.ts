/**
 * Trims the trees of a commit: removes the entries that patterns leave out, and the leading names of every
 * path. A tree at many paths is trimmed once, unless patterns have different meanings there.
 */
import { createHash } from "node:crypto";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { hashObject, MODE, type Mode, sortTree } from "../../git/objects.js";
import { hexOid, OID_LEN } from "../../git/oid.js";
import { ENTRY } from "../../git/tree-mode.js";
import type { ExcludePatterns, ExcludeState } from "../source/exclude.js";
import { givenTwice } from "../source/part.js";
import { type CommitTree, itemsOf } from "./commit-trees.js";

/** The parts of a tree to remove. */
export interface Trim {
  exclude: ExcludePatterns;
  /** The state of the patterns at the tree's root. */
  state: ExcludeState;
  /** The number of leading names that are removed from every path. */
  strip: number;
}

/** A trimmed tree. */
export interface TrimmedTree {
  /** The root, 40 hexadecimal digits. */
  root: string;
  /** The trees that the commit lacks, by id. */
  made: ReadonlyMap<string, Buffer>;
  /** Files and links whose whole path `strip` removes; at most 2^53 - 1. */
  strippedCount: number;
}

/** An entry of a tree, encoded for another tree. */
interface Item {
  /** Its kind for sorting: a directory, or any other. */
  mode: Mode;
  /** A byte string ("latin1"). */
  name: string;
  /** The bytes before the id: mode, name, zero byte. */
  head: Buffer;
  /** 40 hexadecimal digits. */
  oid: string;
}

/** The decoded entries of a tree. */
interface ReadItem extends Item {
  kind: number;
}

/** The most trees that trimming may make of one: only a hostile commit leads to more. */
const MADE_FACTOR = 64;
const MADE_FREE = 100_000;

/** Trees by the number of their paths. */
type TreeCounts = Map<string, number>;

function count(counts: TreeCounts, oid: string, more: number): void {
  counts.set(oid, Math.min((counts.get(oid) ?? 0) + more, Number.MAX_SAFE_INTEGER));
}

class Trimmer {
  readonly #trees: ReadonlyMap<string, CommitTree>;
  readonly #exclude: ExcludePatterns;
  readonly #made = new Map<string, Buffer>();
  /** Results by their inputs. */
  readonly #known = new Map<string, string>();
  readonly #mostMade: number;

  constructor(trees: readonly CommitTree[], exclude: ExcludePatterns) {
    this.#trees = new Map(trees.map((tree) => [tree.oid, tree]));
    this.#exclude = exclude;
    this.#mostMade = MADE_FREE + MADE_FACTOR * trees.length;
  }

  #items(oid: string): ReadItem[] {
    const content = this.#made.get(oid) ?? this.#trees.get(oid)!.content;
    let start = 0;
    return itemsOf({ content }).map(({ kind, name, oidAt }) => {
      const head = content.subarray(start, oidAt);
      start = oidAt + OID_LEN;
      const mode = kind === ENTRY.tree ? MODE.directory : MODE.file;
      return { kind, mode, name, head, oid: hexOid(content.subarray(oidAt, start)) };
    });
  }

  /** Makes a tree, unless the result for `key` is known. */
  #once(key: string, make: () => string): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#mostMade)
      throw new DocteurError("BadSource", "the trees of the commit hold each other in too many ways", {
        hint: "leave out fewer names, or make an image of a directory",
      });
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  #add(items: readonly Item[]): string {
    const content = Buffer.concat(items.flatMap(({ head, oid }) => [head, Buffer.from(oid, "hex")]));
    const oid = hexOid(hashObject(createHash("sha1"), "tree", content));
    if (!this.#trees.has(oid)) this.#made.set(oid, content);
    return oid;
  }

  /** The tree without the entries that patterns leave out. Directories stay, even if they become empty. */
  withoutExcluded(oid: string, state: ExcludeState): string {
    return this.#once(`${oid} ${JSON.stringify(state)}`, () => {
      const kept: Item[] = [];
      for (const item of this.#items(oid)) {
        const isFolder = item.kind === ENTRY.tree || item.kind === ENTRY.submodule;
        const next = this.#exclude.step(state, item.name, isFolder);
        if (next === undefined) continue;
        kept.push(item.kind === ENTRY.tree ? { ...item, oid: this.withoutExcluded(item.oid, next) } : item);
      }
      return this.#add(kept);
    });
  }

  /** Removes leading names from the paths below a tree. */
  stripped(root: string, names: number): { root: string; strippedCount: number } {
    let counts: TreeCounts = new Map([[root, 1]]);
    let strippedCount = 0;
    for (let level = 0; level < names && counts.size > 0; level++) {
      const below: TreeCounts = new Map();
      for (const [oid, paths] of counts)
        for (const item of this.#items(oid))
          if (item.kind === ENTRY.tree) count(below, item.oid, paths);
          else if (item.kind !== ENTRY.submodule)
            strippedCount = Math.min(strippedCount + paths, Number.MAX_SAFE_INTEGER);
      counts = below;
    }
    return { root: this.#merged(counts), strippedCount };
  }

  /** Merges the entries of several trees into one tree. Directories with equal names are merged, too. */
  #merged(counts: TreeCounts): string {
    const [first, ...others] = [...counts].sort();
    if (first !== undefined && first[1] === 1 && others.length === 0) return first[0];
    const key = [...counts]
      .map(([oid, paths]) => `${oid}${paths > 1 ? "*" : ""}`)
      .sort()
      .join();
    return this.#once(key, () => {
      const byName = new Map<string, { item: Item; below: TreeCounts | undefined }>();
      for (const [oid, paths] of counts)
        for (const item of this.#items(oid)) {
          const isTree = item.kind === ENTRY.tree;
          const entry = byName.get(item.name);
          if (entry === undefined && (paths === 1 || isTree))
            byName.set(item.name, { item, below: isTree ? new Map([[item.oid, paths]]) : undefined });
          else if (entry?.below !== undefined && isTree) count(entry.below, item.oid, paths);
          else throw givenTwice(shown(item.name));
        }
      const items = [...byName.values()].map(({ item, below }) =>
        below === undefined ? item : { ...item, oid: this.#merged(below) },
      );
      sortTree(items);
      return this.#add(items);
    });
  }

  /** The new trees that a tree refers to, directly or through others. */
  madeBelow(root: string): Map<string, Buffer> {
    const reached = new Map<string, Buffer>();
    const waiting = [root];
    for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
      const content = this.#made.get(oid);
      if (content === undefined || reached.has(oid)) continue;
      reached.set(oid, content);
      for (const item of this.#items(oid)) if (item.kind === ENTRY.tree) waiting.push(item.oid);
    }
    return reached;
  }
}

/**
 * Trims the tree of a commit. The result is that of listing a directory with these files.
 * @param trees those of the commit, the root last
 * @throws DocteurError `BadSource` if several files get one name, or trimming would make too many trees
 */
export function trimTree(trees: readonly CommitTree[], { exclude, state, strip }: Trim): TrimmedTree {
  const trimmer = new Trimmer(trees, exclude);
  const whole = trees.at(-1)!.oid;
  const kept = trimmer.withoutExcluded(whole, state);
  const { root, strippedCount } = trimmer.stripped(kept, strip);
  return { root, made: trimmer.madeBelow(root), strippedCount };
}

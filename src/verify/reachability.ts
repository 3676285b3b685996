/** What the commit leads to: every tree and blob that it reaches, and what is wrong on the way. */

import { STATUS } from "../errors.js";
import { shown } from "../git/byte-string.js";
import { KIND, OID, PACK_START } from "../git/entry.js";
import { bytesOf, examineTree } from "../git/examine-tree.js";
import { hexOid } from "../git/oid.js";
import { TREE_DEFECTS, type TreeDefect } from "../git/tree-defects.js";
import { ENTRY } from "../git/tree-mode.js";
import { isDelta, type Rows, STATE } from "./entry-table.js";
import type { Counts, Findings, Severity } from "./report.js";
import type { Resolver } from "./resolve.js";
import { COUNT_MASK, FLAW, NO_RANK } from "./tree-edges.js";

/** Names in a path, at most (`asm/base/limits.ts`). */
const TREE_DEPTH = 512;
/** Bytes of a path, at most. */
const PATH_MAX = 4096;
/** Bytes that may be inflated to tell paths; an object counts for some more than it has. */
const PATHS_COST = 2 ** 29;
const OBJECT_COST = 4096;

/** What paths lead to below a tree. */
interface Below {
  directories: number;
  files: number;
  executables: number;
  symlinks: number;
  submodules: number;
  /** Bytes of files and executables. */
  bytes: number;
  /** Trees from here down. */
  depth: number;
}

/** Something that an entry of a tree leads to, and should not. */
interface BadEdge {
  tree: number;
  index: number;
  status: number;
}

/** The objects of a PACK and their trees, all ids proven. */
export class Graph {
  readonly #rows: Rows;
  readonly #rowOfRank: Uint32Array;
  readonly #resolver: Resolver;
  readonly #words: Uint32Array;
  /** Where a row's tree stands in the log, plus one. */
  readonly #places: Uint32Array;
  /** The tree that led to a row first; its own row for the root. */
  readonly #parents: Int32Array;
  /** Rows that the commit leads to. */
  readonly reached: Uint8Array;
  /** Whether there was no memory for some object: then nobody knows what is missing. */
  readonly #isPartial: boolean;
  /** What rows are called in the trees that led to them first, as far as that was asked for. */
  readonly #names = new Map<number, string>();
  #pathsCost = 0;

  /**
   * @param rowOfRank the row of each id that the trees' edges tell by rank
   * @param logs the trees, as they were read
   * @param resolver to read objects with, for their paths
   */
  constructor(rows: Rows, rowOfRank: Uint32Array, logs: readonly Uint32Array[], resolver: Resolver) {
    this.#rows = rows;
    this.#rowOfRank = rowOfRank;
    this.#resolver = resolver;
    this.#words = concat(logs);
    this.#places = new Uint32Array(rows.count);
    this.#parents = new Int32Array(rows.count).fill(-1);
    this.reached = new Uint8Array(rows.count);
    this.#isPartial = rows.states.includes(STATUS.OutOfMemory);
    for (let at = 0; at < this.#words.length; at += 2 + this.#countAt(at))
      this.#places[this.#words[at]!] = at + 1;
  }

  #countAt(at: number): number {
    return this.#words[at + 1]! & COUNT_MASK;
  }

  /** Marks what a row leads to, without a look at its kind. */
  mark(row: number): void {
    this.reached[row] = 1;
  }

  /** Walks the trees from the root's row on, and says what is wrong. */
  async walk(root: number, findings: Findings): Promise<void> {
    const rows = this.#rows;
    const bad: BadEdge[] = [];
    const waiting = [root];
    this.#parents[root] = root;
    this.reached[root] = 1;
    for (let tree = waiting.pop(); tree !== undefined; tree = waiting.pop()) {
      const at = this.#places[tree]! - 1;
      if (at < 0) continue;
      const end = at + 2 + this.#countAt(at);
      for (let place = at + 2; place < end; place++) {
        const edge = this.#words[place]!;
        const kind = edge & 7;
        if (kind === ENTRY.submodule) continue;
        const rank = edge >>> 3;
        const row = rank === NO_RANK ? -1 : this.#rowOfRank[rank]!;
        const type = kind === ENTRY.tree ? KIND.tree : KIND.blob;
        if (row < 0 || rows.types[row] !== type) {
          const status = row < 0 ? STATUS.MissingObject : STATUS.WrongKind;
          if (bad.length < findings.max) bad.push({ tree, index: place - at - 2, status });
          else findings.drop(...this.#flawOf(status));
        }
        if (row < 0 || this.reached[row] === 1) continue;
        this.reached[row] = 1;
        if (type !== KIND.tree || rows.types[row] !== KIND.tree) continue;
        this.#parents[row] = tree;
        waiting.push(row);
      }
    }
    await this.#reportTrees(findings);
    for (let from = 0, to = 0; from < bad.length; from = to) {
      while (bad[to]?.tree === bad[from]!.tree) to++;
      await this.#reportEdges(bad.slice(from, to), findings);
    }
  }

  /** What an edge's status makes of it. */
  #flawOf(status: number): [Severity, "MissingObject" | "WrongKind" | "Unchecked"] {
    if (status !== STATUS.MissingObject) return ["error", "WrongKind"];
    return this.#isPartial ? ["warning", "Unchecked"] : ["error", "MissingObject"];
  }

  /** Says that an object is missing, which leaves open whether it is one that there was no memory for. */
  reportMissing(oid: string, findings: Findings, path?: string): void {
    const where = path === undefined ? { oid } : { oid, path };
    const subject = path === undefined ? "an object" : `${path}: its object`;
    if (this.#isPartial)
      findings.add("warning", "Unchecked", `${subject} could not be checked: ${oid}`, where);
    else findings.add("error", "MissingObject", `${subject} is not in the image: ${oid}`, where);
  }

  /** What is wrong with trees themselves. Trees that nothing leads to do no harm. */
  async #reportTrees(findings: Findings): Promise<void> {
    for (let at = 0; at < this.#words.length; at += 2 + this.#countAt(at)) {
      const flaw = this.#words[at + 1]! & ~COUNT_MASK;
      if (flaw === 0) continue;
      const row = this.#words[at]!;
      const isReached = this.#parents[row]! >= 0;
      const worst = isReached && (flaw & FLAW.error) !== 0 ? "error" : "warning";
      // There may be very many, of which few are told.
      if (findings.takes(worst)) await this.#reportTree(row, isReached, findings);
      else findings.drop(worst, "BadTree");
    }
  }

  async #reportTree(row: number, isReached: boolean, findings: Findings): Promise<void> {
    const content = await this.#resolver.content(row);
    if (content === undefined) return;
    const path = isReached ? shown(await this.#pathOf(row)) : undefined;
    const oid = this.#oidOf(row);
    const offset = PACK_START + this.#rows.offsets[row]!;
    const where = path === undefined ? { oid, offset } : { oid, offset, path };
    examineTree(content, {
      problem: ({ defect, severity, message }) => {
        const weight = isReached ? severity : "warning";
        const code = codeOf(defect);
        const text = code === "BadTree" ? `its tree is malformed: ${message()}` : message();
        if (!findings.takes(weight)) findings.drop(weight, code);
        else findings.add(weight, code, `${path ?? "a tree that nothing leads to"}: ${text}: ${oid}`, where);
      },
    });
  }

  /** What is wrong with edges of one tree, in their order. */
  async #reportEdges(edges: readonly BadEdge[], findings: Findings): Promise<void> {
    const wanted = edges.filter(({ status }) => {
      const [severity, code] = this.#flawOf(status);
      if (findings.takes(severity)) return true;
      findings.drop(severity, code);
      return false;
    });
    const { tree } = edges[0]!;
    const content = wanted.length === 0 ? undefined : await this.#resolver.content(tree);
    if (content === undefined) return;
    const folder = await this.#pathOf(tree);
    let index = 0;
    let next = 0;
    examineTree(content, {
      item: ({ nameAt, nameEnd, oidAt }) => {
        if (index++ !== wanted[next]?.index) return;
        const path = shown(`${folder === "/" ? "" : folder}/${bytesOf(content, nameAt, nameEnd)}`);
        const oid = hexOid(content.subarray(oidAt));
        if (wanted[next++]!.status === STATUS.MissingObject) this.reportMissing(oid, findings, path);
        else
          findings.add("error", "WrongKind", `${path}: its object is of another kind: ${oid}`, { path, oid });
      },
    });
  }

  #oidOf(row: number): string {
    return hexOid(this.#rows.oids.subarray(row * OID));
  }

  /** The path of a tree that was reached, a byte string; of one that is longer than readers take, its end. */
  async #pathOf(row: number): Promise<string> {
    const names: string[] = [];
    let length = 0;
    for (let child = row; this.#parents[child] !== child; child = this.#parents[child]!) {
      if (names.length === TREE_DEPTH || length > PATH_MAX) return `.../${names.reverse().join("/")}`;
      const name = await this.#nameOf(child);
      names.push(name);
      length += name.length + 1;
    }
    return `/${names.reverse().join("/")}`;
  }

  /** What a tree is called in the one that led to it first; a question mark where that cannot be told, or not soon enough. */
  async #nameOf(row: number): Promise<string> {
    const known = this.#names.get(row);
    if (known !== undefined) return known;
    const parent = this.#parents[row]!;
    this.#pathsCost += this.#costOf(parent);
    const content = this.#pathsCost > PATHS_COST ? undefined : await this.#resolver.content(parent);
    const oid = this.#oidOf(row);
    let found = "?";
    if (content !== undefined)
      examineTree(content, {
        item: ({ kind, nameAt, nameEnd, oidAt }) => {
          if (found === "?" && kind === ENTRY.tree && hexOid(content.subarray(oidAt)) === oid)
            found = bytesOf(content, nameAt, nameEnd);
        },
      });
    this.#names.set(row, found);
    return found;
  }

  /** What it takes to have an object's content. */
  #costOf(row: number): number {
    const { kinds, bases, sizes } = this.#rows;
    let cost = sizes[row]! + OBJECT_COST;
    for (let at = row; isDelta(kinds[at]!); cost += sizes[at]! + OBJECT_COST) at = bases[at]!;
    return cost;
  }

  /** Counts paths below the root. A tree that stands at many paths counts at each. */
  count(root: number, counts: Counts): { bytes: number; depth: number } {
    const below = new Map<number, Below>();
    const stack = [root];
    const open = new Set<number>();
    while (stack.length > 0) {
      const tree = stack.at(-1)!;
      if (below.has(tree)) {
        stack.pop();
        continue;
      }
      const isFirst = !open.has(tree);
      open.add(tree);
      // Unproven ids could make a ring: a tree that is being counted is not begun again.
      const missing = isFirst ? this.#subtrees(tree).filter((row) => !below.has(row) && !open.has(row)) : [];
      if (missing.length > 0) {
        // One by one: a call takes fewer arguments than a directory may have directories.
        for (const row of missing) stack.push(row);
        continue;
      }
      below.set(tree, this.#sum(tree, below));
      stack.pop();
    }
    const { bytes, depth, ...paths } = below.get(root)!;
    Object.assign(counts, paths);
    return { bytes, depth };
  }

  #subtrees(tree: number): number[] {
    const rows: number[] = [];
    this.#forEach(tree, (kind, row) => {
      if (kind === ENTRY.tree && row >= 0 && this.#rows.types[row] === KIND.tree) rows.push(row);
    });
    return rows;
  }

  #forEach(tree: number, visit: (kind: number, row: number) => void): void {
    const at = this.#places[tree]! - 1;
    if (at < 0) return;
    const end = at + 2 + this.#countAt(at);
    for (let place = at + 2; place < end; place++) {
      const edge = this.#words[place]!;
      const rank = edge >>> 3;
      visit(edge & 7, rank === NO_RANK ? -1 : this.#rowOfRank[rank]!);
    }
  }

  #sum(tree: number, below: Map<number, Below>): Below {
    const sum: Below = {
      directories: 0,
      files: 0,
      executables: 0,
      symlinks: 0,
      submodules: 0,
      bytes: 0,
      depth: 1,
    };
    this.#forEach(tree, (kind, row) => {
      if (kind === ENTRY.tree) {
        sum.directories++;
        const child = below.get(row);
        if (child === undefined) return;
        sum.directories += child.directories;
        sum.files += child.files;
        sum.executables += child.executables;
        sum.symlinks += child.symlinks;
        sum.submodules += child.submodules;
        sum.bytes += child.bytes;
        sum.depth = Math.max(sum.depth, child.depth + 1);
        return;
      }
      if (kind === ENTRY.submodule) sum.submodules++;
      else if (kind === ENTRY.symlink) sum.symlinks++;
      else {
        if (kind === ENTRY.executable) sum.executables++;
        else sum.files++;
        if (row >= 0) sum.bytes += this.#rows.sizes[row]!;
      }
    });
    return sum;
  }

  /** Says how deep the trees are where readers do not follow. */
  static checkDepth(depth: number, findings: Findings): void {
    if (depth <= TREE_DEPTH) return;
    const message = `directories are nested ${depth - 1} deep: readers take paths of ${TREE_DEPTH} names`;
    findings.add("warning", "TreeTooDeep", message);
  }

  /** Counts objects by kind, and those that the commit does not lead to. */
  countObjects(counts: Counts, findings: Findings): void {
    const rows = this.#rows;
    const byType = [0, 0, 0, 0, 0];
    let deltas = 0;
    let unreachable = 0;
    let first = -1;
    for (let row = 0; row < rows.count; row++) {
      if (rows.states[row] !== STATE.ok) continue;
      byType[rows.types[row]!]!++;
      if (rows.kinds[row]! >= KIND.ofsDelta) deltas++;
      if (this.reached[row] === 1) continue;
      unreachable++;
      if (first < 0) first = row;
    }
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = byType;
    Object.assign(counts, { objects: rows.count, commits, trees, blobs, tags, deltas, unreachable });
    if (first < 0) return;
    const what = unreachable === 1 ? "1 object is" : `${unreachable} objects are`;
    findings.add(
      "note",
      "Unreachable",
      `${what} not reached from the commit, the first of them ${this.#oidOf(first)}`,
      {
        oid: this.#oidOf(first),
        offset: PACK_START + rows.offsets[first]!,
      },
    );
  }
}

/** The code of findings of a defect. */
function codeOf(defect: TreeDefect): "BadTree" | "OddMode" | "OddName" | "NullId" {
  if (TREE_DEFECTS[defect].severity === "error") return "BadTree";
  if (defect === "nullSha1") return "NullId";
  return defect === "badFilemode" || defect === "zeroPaddedFilemode" ? "OddMode" : "OddName";
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

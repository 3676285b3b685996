/** Walks from the commit to every tree and blob that it reaches. An error on the way weighs in the verdict at once. */

import { STATUS } from "../errors.js";
import { KIND, OID, PACK_START } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { ENTRY } from "../git/tree-mode.js";
import { endOf, type Rows, STATE } from "./entry-table.js";
import type { Ledger } from "./ledger.js";
import type { Findings, Severity } from "./report.js";
import type { Resolver } from "./resolve.js";
import type { ImageFigures } from "./tally.js";
import { COUNT_MASK, FLAW, NO_RANK } from "./tree-edges.js";
import { type BadEdge, TreeFindings } from "./tree-findings.js";

/** The parts of a graph. */
export interface GraphParts {
  rows: Rows;
  /** The row of each id that the trees' edges tell by rank. */
  rowOfRank: Uint32Array;
  /** The trees, as they were read. */
  trees: readonly Uint32Array[];
  /** To read trees again with, for the paths and names in messages. */
  resolver: Resolver;
}

/** The objects of a PACK and their trees, all ids proven. */
export class Graph {
  readonly #rows: Rows;
  readonly #rowOfRank: Uint32Array;
  readonly #resolver: Resolver;
  readonly #ledger: Ledger;
  readonly #words: Uint32Array;
  /** The place of a row's tree in the log, plus one. */
  readonly #places: Uint32Array;
  /** The tree that led to a row first; its own row for the root. */
  readonly #parents: Int32Array;
  /** Rows that the commit leads to. */
  readonly reached: Uint8Array;
  /** Whether some object took too much memory or work: then missing objects cannot be told. */
  readonly isPartial: boolean;

  constructor({ rows, rowOfRank, trees, resolver }: GraphParts, ledger: Ledger) {
    this.#rows = rows;
    this.#rowOfRank = rowOfRank;
    this.#resolver = resolver;
    this.#ledger = ledger;
    this.#words = concat(trees);
    this.#places = new Uint32Array(rows.count);
    this.#parents = new Int32Array(rows.count).fill(-1);
    this.reached = new Uint8Array(rows.count);
    this.isPartial = rows.states.includes(STATUS.OutOfMemory) || rows.states.includes(STATUS.WorkLimit);
    this.#index();
  }

  /** Finds the trees of the log, and compares them with the objects that are trees. */
  #index(): void {
    const { types, sizes, count } = this.#rows;
    this.#forEachTree((at, row) => {
      if (this.#places[row] !== 0) return;
      this.#places[row] = at + 1;
      this.#ledger.judged("trees");
      this.#ledger.judged("tree bytes", sizes[row]!);
    });
    for (let row = 0; row < count; row++) {
      if (types[row] !== KIND.tree) continue;
      this.#ledger.owe("trees", 1);
      this.#ledger.owe("tree bytes", sizes[row]!);
    }
  }

  #countAt(at: number): number {
    return this.#words[at + 1]! & COUNT_MASK;
  }

  #forEachTree(visit: (at: number, row: number) => void): void {
    for (let at = 0; at < this.#words.length; at += 2 + this.#countAt(at)) visit(at, this.#words[at]!);
  }

  /** Visits the entries of a row's tree: the kind of each, and the row that it leads to, or -1. */
  forEachEntry(tree: number, visit: (kind: number, row: number, index: number) => void): void {
    const at = this.#places[tree]! - 1;
    if (at < 0) return;
    const count = this.#countAt(at);
    for (let index = 0; index < count; index++) {
      const edge = this.#words[at + 2 + index]!;
      const rank = edge >>> 3;
      visit(edge & 7, rank === NO_RANK ? -1 : this.#rowOfRank[rank]!, index);
    }
  }

  /** The status of an entry that leads to a row: `Ok`, or why it should not. */
  #statusOf(kind: number, row: number): number {
    if (kind === ENTRY.submodule) return STATUS.Ok;
    if (row < 0) return STATUS.MissingObject;
    const type = kind === ENTRY.tree ? KIND.tree : KIND.blob;
    return this.#rows.types[row] === type ? STATUS.Ok : STATUS.WrongKind;
  }

  /** Marks all rows that a row leads to, without a look at its kind. */
  mark(row: number): void {
    this.reached[row] = 1;
  }

  /** Walks the trees from the root's row on, weighs all that is wrong, then tells it. */
  async walk(root: number, findings: Findings): Promise<void> {
    const bad: BadEdge[] = [];
    this.#follow(root, bad, findings);
    this.#weighOthers(bad, findings);
    const flawed = this.#weighTrees(findings);
    this.#owe();
    const telling = new TreeFindings(this.#rows, this.#parents, this.#resolver, findings);
    for (const { row, severity } of flawed) await telling.tellTree(row, severity);
    for (let from = 0, to = 0; from < bad.length; from = to) {
      while (bad[to]?.tree === bad[from]!.tree) to++;
      await telling.tellEdges(bad.slice(from, to));
    }
  }

  #follow(root: number, bad: BadEdge[], findings: Findings): void {
    const { types } = this.#rows;
    const ledger = this.#ledger;
    const waiting = [root];
    this.#parents[root] = root;
    this.reached[root] = 1;
    for (let tree = waiting.pop(); tree !== undefined; tree = waiting.pop()) {
      if (this.#places[tree] === 0) continue;
      const from = tree;
      let count = 0;
      this.forEachEntry(tree, (kind, row, index) => {
        count++;
        const status = this.#statusOf(kind, row);
        if (status !== STATUS.Ok)
          this.#weighEdge({ tree: from, index, ...this.#flawOf(status, true) }, bad, findings);
        if (kind === ENTRY.submodule || row < 0 || this.reached[row] === 1) return;
        this.reached[row] = 1;
        if (kind !== ENTRY.tree || types[row] !== KIND.tree) return;
        this.#parents[row] = from;
        waiting.push(row);
      });
      ledger.judged("reached trees");
      ledger.judged("edges", count);
    }
  }

  /** Weighs the entries of trees that nothing leads to. */
  #weighOthers(bad: BadEdge[], findings: Findings): void {
    this.#forEachTree((_, tree) => {
      if (this.#parents[tree]! >= 0) return;
      this.forEachEntry(tree, (kind, row, index) => {
        const status = this.#statusOf(kind, row);
        if (status !== STATUS.Ok)
          this.#weighEdge({ tree, index, ...this.#flawOf(status, false) }, bad, findings);
      });
    });
  }

  #weighEdge(edge: BadEdge, bad: BadEdge[], findings: Findings): void {
    findings.weigh(edge.severity, edge.code);
    this.#ledger.judged("flaws");
    if (bad.length < findings.max) bad.push(edge);
    else findings.drop(edge.severity, edge.code);
  }

  /** The finding of an entry's status. */
  #flawOf(status: number, isReached: boolean): Pick<BadEdge, "severity" | "code"> {
    if (status === STATUS.MissingObject && this.isPartial) return { severity: "warning", code: "Unchecked" };
    const code = status === STATUS.MissingObject ? "MissingObject" : "WrongKind";
    return { severity: isReached ? "error" : "warning", code };
  }

  /** Weighs the defects of trees themselves. @returns the trees that may be told, and the worst defect of each */
  #weighTrees(findings: Findings): { row: number; severity: Severity }[] {
    const told: { row: number; severity: Severity }[] = [];
    let errors = 0;
    this.#forEachTree((at, row) => {
      const flaw = this.#words[at + 1]! & ~COUNT_MASK;
      if (flaw === 0) return;
      const isError = this.#parents[row]! >= 0 && (flaw & FLAW.error) !== 0;
      const severity = isError ? "error" : "warning";
      findings.weigh(severity, "BadTree");
      this.#ledger.judged("flaws");
      // There may be very many, and only a few are told.
      const isTold = isError ? errors < findings.max : told.length < findings.max;
      if (isError) errors++;
      if (isTold) told.push({ row, severity });
      else findings.drop(severity, "BadTree");
    });
    return told;
  }

  /** Counts once more, from the tables alone, the parts that the walk had to judge. */
  #owe(): void {
    const { types, count } = this.#rows;
    const ledger = this.#ledger;
    let edges = 0;
    for (let row = 0; row < count; row++) {
      if (types[row] !== KIND.tree) continue;
      if (this.reached[row] === 1) {
        ledger.owe("reached trees", 1);
        const at = this.#places[row]! - 1;
        edges += at < 0 ? 1 : this.#countAt(at);
      }
    }
    ledger.owe("edges", edges);
    let flaws = 0;
    this.#forEachTree((at, tree) => {
      if ((this.#words[at + 1]! & ~COUNT_MASK) !== 0) flaws++;
      this.forEachEntry(tree, (kind, row) => {
        if (this.#statusOf(kind, row) !== STATUS.Ok) flaws++;
      });
    });
    ledger.owe("flaws", flaws);
  }

  /** Counts objects by kind, and those that the commit does not lead to. */
  countObjects(figures: ImageFigures, findings: Findings): void {
    const rows = this.#rows;
    const byType = Array.from({ length: 5 }, () => ({ count: 0, deltaCount: 0, packedBytes: 0 }));
    let unreachable = 0;
    let first = -1;
    for (let row = 0; row < rows.count; row++) {
      if (rows.states[row] !== STATE.ok) continue;
      const figures = byType[rows.types[row]!]!;
      figures.count++;
      figures.packedBytes += endOf(rows, row) - rows.offsets[row]!;
      if (rows.kinds[row]! >= KIND.ofsDelta) figures.deltaCount++;
      if (this.reached[row] === 1) continue;
      unreachable++;
      if (first < 0) first = row;
    }
    const [, commits, trees, blobs, tags] = byType;
    figures.objectCount = rows.count;
    figures.deltaCount = byType.reduce((sum, { deltaCount }) => sum + deltaCount, 0);
    figures.unreachableCount = unreachable;
    figures.objects = { commits: commits!, trees: trees!, blobs: blobs!, tags: tags! };
    if (first < 0) return;
    const what = unreachable === 1 ? "1 object is" : `${unreachable} objects are`;
    const oid = hexOid(rows.oids.subarray(first * OID));
    const message = `${what} not reached from the commit, the first of them ${oid}`;
    findings.add("note", "Unreachable", message, { oid, offset: PACK_START + rows.offsets[first]! });
  }
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

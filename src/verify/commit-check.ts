/** Checks the commit and its objects and, if that was asked for, compares it with a repository's. */

import { STATUS } from "../errors.js";
import { pathFields, shown } from "../git/byte-string.js";
import { parseCommit, treeOf } from "../git/commit.js";
import { KIND, OID, PACK_START } from "../git/entry.js";
import { hexOid, oidBytes } from "../git/oid.js";
import type { Rows } from "./entry-table.js";
import type { Expected } from "./expected-commit.js";
import type { Course, Frame } from "./frame.js";
import { sha1Of } from "./hash.js";
import { countPaths } from "./path-counts.js";
import type { Proven } from "./proven.js";
import { Graph } from "./reachability.js";
import type { Findings } from "./report.js";
import { checkDepth, tellMissing } from "./tree-findings.js";

/** Checks the commit and its trees, and counts. */
export async function checkCommit(
  course: Course,
  { commit }: Frame,
  proven: Proven,
  expected: Expected | undefined,
): Promise<void> {
  const { rows, index, rowOfRank, resolver } = proven;
  const { findings, ledger, out } = course;
  const graph = new Graph(proven, ledger);
  const { isPartial } = graph;
  const rowOf = (oid: Uint8Array): number => {
    const rank = index.rankOf(oid);
    return rank < 0 ? -1 : rowOfRank[rank]!;
  };
  out.commit = hexOid(commit);
  const row = rowOf(commit);
  const content = row < 0 ? undefined : await resolver.content(row);
  if (row >= 0) graph.mark(row);
  const offset = row < 0 ? undefined : PACK_START + rows.offsets[row]!;
  if (row < 0) tellMissing(findings, out.commit, isPartial);
  const tree = row < 0 ? undefined : readCommit(course, content, rows.types[row]!, offset);
  const root = tree === undefined ? -1 : rowOf(oidBytes(tree));
  if (tree !== undefined && root < 0) tellMissing(findings, tree, isPartial);
  if (root >= 0 && rows.types[root] !== KIND.tree)
    findings.addStatus(STATUS.WrongKind, { oid: tree!, offset: PACK_START + rows.offsets[root]! });
  else if (root >= 0) {
    ledger.judged("root");
    await graph.walk(root, findings);
    countTrees(course, graph, rows, root);
  }
  graph.countObjects(out.figures, findings);
  out.figures.objectBytes = rows.sizes.reduce((sum, size) => sum + size, 0);
  if (expected !== undefined) compareObjects(course, rows, graph, rowOf, expected);
}

/** Counts paths, if every tree on the way was read. */
function countTrees({ findings, ledger, out }: Course, graph: Graph, rows: Rows, root: number): void {
  if (!ledger.isSettled("reached trees")) return;
  const { bytes, depth, counts } = countPaths(graph, rows, root);
  out.figures.pathCounts = counts;
  out.figures.contentBytes = bytes;
  checkDepth(depth, findings);
}

/** Checks and reports the content of the commit's object. @returns its tree's id */
export function readCommit(
  { findings, ledger, out }: Course,
  content: Uint8Array | undefined,
  type: number,
  offset: number | undefined,
): string | undefined {
  const oid = out.commit!;
  const where = offset === undefined ? { oid } : { oid, offset };
  if (type !== KIND.commit) findings.addStatus(STATUS.WrongKind, where);
  else if (content === undefined) findings.addStatus(STATUS.OutOfMemory, where);
  // It was read again after its id had been proven.
  else if (idOf(content) !== oid) findings.addStatus(STATUS.OidMismatch, where);
  else {
    const tree = treeOf(content);
    if (tree === undefined) findings.addStatus(STATUS.BadCommit, where);
    else {
      ledger.judged("commit");
      out.tree = tree;
      out.text = parseCommit(content);
    }
    return tree;
  }
  return undefined;
}

function idOf(commit: Uint8Array): string {
  return hexOid(sha1Of(new TextEncoder().encode(`commit ${commit.length}\0`), commit));
}

/** Checks that the commit leads to exactly the trees and blobs of the repository's commit. */
function compareObjects(
  { findings, ledger }: Course,
  rows: Rows,
  graph: Graph,
  rowOf: (oid: Uint8Array) => number,
  expected: Expected,
): void {
  // If a tree could not be read, its objects are not known.
  if (graph.isPartial || !ledger.isSettled("reached trees")) return;
  const known = new Uint8Array(rows.count);
  for (const oid of [expected.commit, expected.tree]) {
    const row = rowOf(oidBytes(oid));
    if (row >= 0) known[row] = 1;
  }
  for (const [oid, path] of expected.objects) {
    const row = rowOf(oidBytes(oid));
    if (row >= 0 && graph.reached[row] === 1) known[row] = 1;
    else addLacking(findings, oid, path);
  }
  for (let row = 0; row < rows.count; row++) {
    if (graph.reached[row] !== 1 || known[row] === 1 || rows.types[row] === KIND.commit) continue;
    const oid = hexOid(rows.oids.subarray(row * OID));
    findings.add("error", "Mismatch", `the repository's commit has no object ${oid}`, { oid });
  }
}

/** Reports that the image lacks an object of the repository. @param path a byte string */
export function addLacking(findings: Findings, oid: string, path: string): void {
  const message = `the image lacks ${oid}, ${shown(path)} in the repository`;
  findings.add("error", "Mismatch", message, { oid, ...pathFields(path) });
}

/** Counts the paths that a commit leads to. Trees may hold each other many times over: counts end at 2^53. */
import { KIND } from "../git/entry.js";
import { ENTRY } from "../git/tree-mode.js";
import type { Rows } from "./entry-table.js";
import type { Graph } from "./reachability.js";
import { BEYOND, type PathCount, type PathCounts } from "./tally.js";

/** The end of counts: larger numbers are not exact. */
const END = 2 ** 53;

/** Counts of the entries at all paths below a tree. */
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

const COUNTED = ["directories", "files", "executables", "symlinks", "submodules", "bytes"] as const;

/** A count as a report has it. */
export function exactly(count: number): PathCount {
  return count < END ? count : BEYOND;
}

/**
 * Counts paths below the root. A tree that stands at many paths counts at each.
 * @returns their numbers, bytes of files and executables, and the trees from the root down
 */
export function countPaths(
  graph: Graph,
  rows: Rows,
  root: number,
): { counts: PathCounts; bytes: PathCount; depth: number } {
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
    const missing = isFirst
      ? subtrees(graph, rows, tree).filter((row) => !below.has(row) && !open.has(row))
      : [];
    if (missing.length > 0) {
      // One by one: a call takes fewer arguments than a directory may have directories.
      for (const row of missing) stack.push(row);
      continue;
    }
    below.set(tree, sum(graph, rows, tree, below));
    open.delete(tree);
    stack.pop();
  }
  const { bytes, depth, directories, files, executables, symlinks, submodules } = below.get(root)!;
  const counts = {
    directories: exactly(directories),
    files: exactly(files),
    executables: exactly(executables),
    symlinks: exactly(symlinks),
    submodules: exactly(submodules),
  };
  return { counts, bytes: exactly(bytes), depth };
}

function subtrees(graph: Graph, { types }: Rows, tree: number): number[] {
  const found: number[] = [];
  graph.forEachEntry(tree, (kind, row) => {
    if (kind === ENTRY.tree && row >= 0 && types[row] === KIND.tree) found.push(row);
  });
  return found;
}

function sum(graph: Graph, { sizes }: Rows, tree: number, below: Map<number, Below>): Below {
  const total: Below = {
    directories: 0,
    files: 0,
    executables: 0,
    symlinks: 0,
    submodules: 0,
    bytes: 0,
    depth: 1,
  };
  graph.forEachEntry(tree, (kind, row) => {
    if (kind === ENTRY.tree) {
      total.directories++;
      const child = below.get(row);
      if (child === undefined) return;
      for (const name of COUNTED) total[name] = Math.min(END, total[name] + child[name]);
      total.depth = Math.max(total.depth, child.depth + 1);
      return;
    }
    if (kind === ENTRY.submodule) total.submodules++;
    else if (kind === ENTRY.symlink) total.symlinks++;
    else {
      if (kind === ENTRY.executable) total.executables++;
      else total.files++;
      if (row >= 0) total.bytes = Math.min(END, total.bytes + sizes[row]!);
    }
  });
  return total;
}

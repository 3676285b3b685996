/** Objects that were resolved, on their way to the commit's check; and the resolving itself, on all threads. */

import type { Idx } from "../pack-table/idx.js";
import { type Forest, plantForest, type Rows, STATE } from "./entry-table.js";
import type { Course } from "./frame.js";
import type { Resolver } from "./resolve.js";
import { sharedBytes } from "./shared-bytes.js";
import { loadTable, type Team } from "./team.js";

/** Objects and their ids, all proven. */
export interface Proven {
  rows: Rows;
  /** The ids, sorted, and the row of each. */
  index: Idx;
  rowOfRank: Uint32Array;
  trees: readonly Uint32Array[];
  resolver: Resolver;
}

/** Other work besides resolving. */
interface ResolveAllOptions {
  /** Other threads, which look entries of trees up in `oids`. */
  team?: Team | undefined;
  oids?: Uint8Array;
  /** Work of this thread before it takes part. */
  first?: () => Promise<void>;
}

/** Resolves all objects that are pending. @returns the trees that were read */
export async function resolveAll(
  { reader, onProgress, tables }: Course,
  rows: Rows,
  resolver: Resolver,
  { team, oids = new Uint8Array(0), first = async () => undefined }: ResolveAllOptions = {},
): Promise<Uint32Array[]> {
  const forest = plantForest(rows, (row) => rows.states[row] === STATE.pending);
  const task = { rows, forest, next: counter(), oids, tables };
  const onGroup = (done: number, total: number): void => {
    reader.onChunk = undefined;
    onProgress?.({ phase: "resolve", done, total });
  };
  let trees: Uint32Array[] = [];
  if (team !== undefined) trees = await team.run(resolver, task, first, onGroup);
  else {
    await resolver.run(forest, task.next, onGroup);
    if (resolver.trees !== undefined) trees = [resolver.trees.words];
  }
  const total = forest.groups.length - 1;
  if (total > 0) onGroup(total, total);
  return trees;
}

/** Resolves a forest whose trees are read, with a table of ids that is given back afterwards. */
export async function readTrees(
  { reader }: Course,
  oids: Uint8Array,
  resolver: Resolver,
  read: () => Promise<Uint32Array[]>,
): Promise<Uint32Array[]> {
  const table = loadTable(reader, oids);
  try {
    return await read();
  } finally {
    // The next step needs the memory: the content of trees, for messages.
    reader.engine.free(table);
    resolver.trees?.release();
  }
}

/** Resolves the trees of a forest on this thread alone. */
export async function resolveForest(resolver: Resolver, forest: Forest): Promise<Uint32Array[]> {
  await resolver.run(forest, counter());
  return resolver.trees === undefined ? [] : [resolver.trees.words];
}

/** A counter that threads can share. */
export function counter(): Int32Array {
  return new Int32Array(sharedBytes(4));
}

/** Threads that resolve the forest of deltas together, as the steps of an examination know them. */
import { DocteurError } from "../errors.js";
import type { WasmModule } from "../wasm/types.js";
import type { Forest, Rows } from "./entry-table.js";
import { MORE_MEMORY } from "./out-of-memory.js";
import type { ImageReader } from "./reader.js";
import type { Resolver } from "./resolve.js";
import type { TablesBudget } from "./tables-budget.js";

/** The data that a thread begins with. */
export interface ThreadData {
  module: WasmModule;
  path: string;
  blockSize: number;
  memoryLimit: number;
}

/** The task of a thread: the objects to resolve, and the table of ids for their trees' entries. */
export interface ThreadTask {
  rows: Rows;
  forest: Forest;
  next: Int32Array;
  oids: Uint8Array;
  tables: TablesBudget;
}

/** Writes ids into an engine's memory, as the table in which trees' entries are looked up. @returns its address */
export function loadTable({ engine }: ImageReader, oids: Uint8Array): number {
  const table = engine.alloc(oids.length);
  if (table === 0)
    throw new DocteurError("OutOfMemory", "the memory limit is too small for the ids of all objects", {
      hint: MORE_MEMORY,
    });
  engine.bytes.set(oids, table);
  engine.wasm.setTable(table, oids.length / 20);
  return table;
}

/** Threads beside this one, which wait for their task. */
export interface Team {
  /**
   * Resolves a forest.
   * @param resolver this thread's
   * @param first work of this thread before it resolves
   * @param onGroup as of `Resolver.run`
   * @returns the trees of all threads
   */
  run(
    resolver: Resolver,
    task: ThreadTask,
    first: () => Promise<void>,
    onGroup: (done: number, total: number) => void,
  ): Promise<Uint32Array[]>;
  close(): Promise<void>;
}

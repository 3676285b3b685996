/** Threads that resolve the forest of deltas together, this one among them. */
import { Worker } from "node:worker_threads";
import { DocteurError } from "../errors.js";
import { type ErrorMessage, threadDied, unpackError } from "../threads/errors.js";
import type { WasmModule } from "../wasm/types.js";
import type { Forest, Rows } from "./entry-table.js";
import { MORE_MEMORY, tablesOutOfMemory } from "./out-of-memory.js";
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

/** A thread's answer: its part of the trees, or an error. */
export type ThreadAnswer = { trees: Uint32Array } | { error: ErrorMessage };

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

/** A thread, and the promise of its answer. */
class Helper {
  readonly worker: Worker;
  readonly #answer: Promise<Uint32Array>;

  constructor(data: ThreadData) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: data });
    this.worker = worker;
    // From the start: a thread may end before it is asked.
    this.#answer = new Promise((resolve, reject) => {
      const died = (cause: unknown): void => reject(threadEnded(cause));
      worker.once("error", died);
      worker.once("exit", died);
      worker.once("messageerror", died);
      worker.once("message", (answer: ThreadAnswer) => {
        if ("trees" in answer) resolve(answer.trees);
        else reject(unpackError(answer.error));
      });
    });
    // The caller that asks gets the error.
    this.#answer.catch(() => undefined);
  }

  ask(task: ThreadTask): Promise<Uint32Array> {
    this.worker.postMessage(task);
    return this.#answer;
  }
}

/** The error of a thread that ended, by its exit code or exception. */
function threadEnded(cause: unknown): DocteurError {
  const isLack = (cause as NodeJS.ErrnoException | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY";
  return isLack ? tablesOutOfMemory(cause) : threadDied("--jobs 1 takes less", cause);
}

/** Worker threads, which wait for their task from the start. */
export class Team {
  readonly #helpers: readonly Helper[];

  /** @param helpers threads beside this one */
  constructor(helpers: number, data: ThreadData) {
    this.#helpers = Array.from({ length: helpers }, () => new Helper(data));
  }

  /**
   * Resolves a forest.
   * @param resolver this thread's
   * @param first work of this thread before it resolves
   * @param onGroup as of `Resolver.run`
   * @returns the trees of all threads
   */
  async run(
    resolver: Resolver,
    task: ThreadTask,
    first: () => Promise<void>,
    onGroup: (done: number, total: number) => void,
  ): Promise<Uint32Array[]> {
    const answers = Promise.all(this.#helpers.map((helper) => helper.ask(task)));
    answers.catch(() => undefined);
    await first();
    await resolver.run(task.forest, task.next, onGroup);
    return [resolver.trees!.words, ...(await answers)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#helpers.map(({ worker }) => worker.terminate()));
  }
}

/** Threads that resolve the forest of deltas together, this one among them. */
import { Worker } from "node:worker_threads";
import { DocteurError } from "../errors.js";
import { type ErrorMessage, threadDied, unpackError } from "../threads/errors.js";
import type { Forest, Rows } from "./entry-table.js";
import type { ImageReader } from "./reader.js";
import type { Resolver } from "./resolve.js";

/** What a thread begins with. */
export interface ThreadData {
  module: WebAssembly.Module;
  path: string;
  blockSize: number;
  memoryLimit: number;
}

/** What a thread is asked: which objects to resolve, and what their trees' entries are looked up in. */
export interface ThreadTask {
  rows: Rows;
  forest: Forest;
  next: Int32Array;
  oids: Uint8Array;
}

/** What it answers: its part of the trees, or what went wrong. */
export type ThreadAnswer = { trees: Uint32Array } | { error: ErrorMessage };

/** Writes ids into an engine's memory, as the table that trees' entries are looked up in. @returns where it lies */
export function loadTable({ engine }: ImageReader, oids: Uint8Array): number {
  const table = engine.alloc(oids.length);
  if (table === 0)
    throw new DocteurError("OutOfMemory", "the memory limit is too small for the ids of all objects", {
      hint: "raise the memory limit",
    });
  engine.bytes.set(oids, table);
  engine.wasm.setTable(table, oids.length / 20);
  return table;
}

/** Worker threads, which wait for their task from the start. */
export class Team {
  readonly #workers: Worker[] = [];

  /** @param helpers threads beside this one */
  constructor(helpers: number, data: ThreadData) {
    for (let index = 0; index < helpers; index++) {
      const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: data });
      // Whoever waits for its answer hears of it.
      worker.on("error", () => undefined);
      this.#workers.push(worker);
    }
  }

  /**
   * Resolves a forest.
   * @param resolver this thread's
   * @param first what this thread does before it resolves
   * @param onGroup as of `Resolver.run`
   * @returns the trees of all threads
   */
  async run(
    resolver: Resolver,
    task: ThreadTask,
    first: () => Promise<void>,
    onGroup: (done: number, total: number) => void,
  ): Promise<Uint32Array[]> {
    const answers = Promise.all(this.#workers.map((worker) => ask(worker, task)));
    answers.catch(() => undefined);
    await first();
    await resolver.run(task.forest, task.next, onGroup);
    return [resolver.trees!.words, ...(await answers)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, task: ThreadTask): Promise<Uint32Array> {
  return new Promise((resolve, reject) => {
    const died = (cause: unknown): void => reject(threadDied("--jobs 1 takes less", cause));
    worker.once("error", died);
    worker.once("exit", died);
    worker.once("message", (answer: ThreadAnswer) => {
      if ("trees" in answer) resolve(answer.trees);
      else reject(unpackError(answer.error));
    });
    worker.postMessage(task);
  });
}

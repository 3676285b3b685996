/** Runs jobs on worker threads. */
import { Worker } from "node:worker_threads";
import { type ErrorMessage, threadDied, unpackError } from "../../threads/errors.js";
import type { WasmModule } from "../../wasm/types.js";
import type { Effort } from "../base/effort.js";
import { buffersOf, type Parcel, packJob } from "./job-message.js";
import type { Executor, Job, Results } from "./jobs.js";

/**
 * Megabytes of a worker's JavaScript heap. It holds a job and its result, which are small, since contents are
 * in Wasm memory. Without a limit the engine would let garbage grow instead of collecting it.
 */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

/** The script of a worker. */
export const threadUrl = (): URL => new URL("./pack-thread.js", import.meta.url);

/** What a thread starts with. */
export interface ThreadStart {
  /** `asm/packer.ts`, compiled. */
  module: WasmModule;
  effort: Effort;
}

/** A worker's answer. */
export type Answer = { result: Results[keyof Results] } | { error: ErrorMessage };

interface Task {
  parcel: Parcel;
  isHeavy: boolean;
  resolve(result: never): void;
  reject(error: unknown): void;
}

interface Thread {
  worker: Worker;
  /** Only one runs heavy jobs, as a Wasm memory never shrinks. */
  isHeavy: boolean;
  task: Task | undefined;
}

/** A fixed number of worker threads, each with the packer's Wasm module. Jobs start in the order of `run`. */
export class Pool implements Executor {
  readonly width: number;
  readonly #threads: Thread[] = [];
  readonly #waiting: Task[] = [];
  #failure: unknown;

  /**
   * @param size the number of threads
   * @param module `asm/packer.ts`, compiled
   */
  constructor(size: number, module: WasmModule, effort: Effort = "default") {
    this.width = size;
    for (let index = 0; index < size; index++) this.#start(index === 0, { module, effort });
  }

  run<T extends Job>(job: T, isHeavy = false): Promise<Results[T["type"]]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.push({ parcel: packJob(job), isHeavy, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#fail(new Error("the pool is closed"));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #start(isHeavy: boolean, start: ThreadStart): void {
    const worker = new Worker(new URL("./pack-thread.js", import.meta.url), {
      workerData: start,
      // The process's own options do not apply: "--input-type" is for its main program.
      execArgv: [],
      resourceLimits: HEAP_LIMITS,
    });
    const thread: Thread = { worker, isHeavy, task: undefined };
    this.#threads.push(thread);
    worker.on("message", (answer: Answer) => {
      const { task } = thread;
      thread.task = undefined;
      if ("error" in answer) task?.reject(unpackError(answer.error));
      else task?.resolve(answer.result as never);
      this.#dispatch();
    });
    worker.on("error", (cause) => this.#died(cause));
    worker.on("exit", () => this.#died(undefined));
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (thread.task !== undefined) continue;
      const at = this.#waiting.findIndex(({ isHeavy }) => !isHeavy || thread.isHeavy);
      if (at < 0) continue;
      thread.task = this.#waiting.splice(at, 1)[0]!;
      const { parcel } = thread.task;
      thread.worker.postMessage(parcel, buffersOf(parcel));
    }
  }

  #died(cause: unknown): void {
    this.#fail(threadDied("fewer workers take less", cause));
  }

  /** Rejects all pending jobs. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    const tasks = [...this.#threads.map(({ task }) => task), ...this.#waiting.splice(0)];
    for (const thread of this.#threads) thread.task = undefined;
    for (const task of tasks) task?.reject(this.#failure);
  }
}

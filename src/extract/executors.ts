/** Where jobs are done: in threads, each of which reads the image by itself, or in this thread, several at once. */
import { Worker } from "node:worker_threads";
import { threadDied, unpackError } from "../threads/errors.js";
import { startThreads } from "../threads/start.js";
import type { Volume } from "../volume.js";
import type { Counts, FolderJob, WorkerAnswer, WorkerStart, WriteSettings } from "./job.js";
import { Writer } from "./write.js";

/** Does jobs. */
export interface Executor {
  /** Jobs that it should have at once. */
  readonly width: number;
  run(jobs: readonly FolderJob[]): Promise<Counts>;
  close(): Promise<void>;
}

/** Files that are written at once, and jobs, if the image has to be waited for. */
const LANES = 8;
const LOCAL_WIDTH = 2;

/** Does jobs in this thread, over the one volume. */
export function localExecutor(
  volume: Volume,
  settings: WriteSettings,
  signal: AbortSignal | undefined,
): Executor {
  const writer = new Writer(volume, settings, LANES, signal);
  return { width: LOCAL_WIDTH, run: (jobs) => writer.run(jobs), close: async () => undefined };
}

interface Waiting {
  resolve(counts: Counts): void;
  reject(error: Error): void;
}

function script(): URL {
  return new URL("./extract-thread.js", import.meta.url);
}

/** A thread, and the jobs that it has. */
class Helper {
  readonly worker: Worker;
  readonly waiting: Waiting[] = [];
  #end: Error | undefined;

  constructor(start: WorkerStart) {
    this.worker = new Worker(script(), { workerData: start });
    const died = (cause: unknown): void => {
      this.#end = threadDied("--jobs 1 takes less", cause);
      for (const { reject } of this.waiting.splice(0)) reject(this.#end);
    };
    this.worker.once("error", died);
    this.worker.once("exit", died);
    this.worker.on("message", (answer: WorkerAnswer) => {
      const { resolve, reject } = this.waiting.shift()!;
      if ("counts" in answer) resolve(answer.counts);
      else reject(unpackError(answer.error));
    });
  }

  run(jobs: readonly FolderJob[]): Promise<Counts> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(jobs);
    });
  }
}

/** Starts threads. @param count how many @returns undefined where there can be none */
export function threadExecutor(count: number, start: WorkerStart): Executor | undefined {
  const helpers = startThreads(script, () => Array.from({ length: count }, () => new Helper(start)));
  if (helpers === undefined) return undefined;
  return {
    // A thread that has finished a job finds the next.
    width: 2 * count,
    run: (jobs) =>
      helpers
        .reduce((least, helper) => (helper.waiting.length < least.waiting.length ? helper : least))
        .run(jobs),
    close: async () => void (await Promise.all(helpers.map(({ worker }) => worker.terminate()))),
  };
}

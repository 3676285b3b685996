/** Threads that work on blobs beside this one. */
import { Worker } from "node:worker_threads";
import { threadDied, unpackError } from "../threads/errors.js";
import { startThreads } from "../threads/start.js";
import type { Done, SharedJob, WorkerAnswer, WorkerStart } from "./job.js";

function script(): URL {
  return new URL("./sweep-thread.js", import.meta.url);
}

/** Threads, which open the image at once and then wait for a job. */
export interface Team {
  /** Has all threads take groups of a job. @param onGroup told of each group's results */
  run(job: SharedJob, onGroup: (done: Done[]) => void): Promise<void>;
  close(): Promise<void>;
}

/** A thread, and how it ended if it has. */
class Helper {
  readonly worker: Worker;
  #end: { cause: unknown } | undefined;
  #onEnd: (() => void) | undefined;

  constructor(start: WorkerStart) {
    this.worker = new Worker(script(), { workerData: start });
    const died = (cause: unknown): void => {
      this.#end ??= { cause };
      this.#onEnd?.();
    };
    this.worker.once("error", died);
    this.worker.once("exit", died);
  }

  run(job: SharedJob, onGroup: (done: Done[]) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onEnd = () => reject(threadDied("--jobs 1 takes less", this.#end?.cause));
      this.worker.on("message", (answer: WorkerAnswer) => {
        if ("done" in answer) onGroup(answer.done);
        else if ("error" in answer) reject(unpackError(answer.error));
        else resolve();
      });
      if (this.#end === undefined) this.worker.postMessage(job);
      else this.#onEnd();
    });
  }
}

/** @param count threads @returns undefined where there can be none */
export function startTeam(count: number, start: WorkerStart): Team | undefined {
  const helpers = startThreads(script, () => Array.from({ length: count }, () => new Helper(start)));
  if (helpers === undefined) return undefined;
  return {
    run: async (job, onGroup) => void (await Promise.all(helpers.map((helper) => helper.run(job, onGroup)))),
    close: async () => void (await Promise.all(helpers.map(({ worker }) => worker.terminate()))),
  };
}

/** The team of Node: worker threads. */
import { Worker } from "node:worker_threads";
import type { DocteurError } from "../errors.js";
import { type ErrorMessage, threadDied, unpackError } from "../threads/errors.js";
import { tablesOutOfMemory } from "./out-of-memory.js";
import type { Resolver } from "./resolve.js";
import type { Team, ThreadData, ThreadTask } from "./team.js";

/** A thread's answer: its part of the trees, or an error. */
export type ThreadAnswer = { trees: Uint32Array } | { error: ErrorMessage };

/** The script of a thread. */
export const threadUrl = (): URL => new URL("./verify-thread.js", import.meta.url);

/** A thread, and the promise of its answer. */
class Helper {
  readonly worker: Worker;
  readonly #answer: Promise<Uint32Array>;

  constructor(data: ThreadData) {
    const worker = new Worker(new URL("./verify-thread.js", import.meta.url), { workerData: data });
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
export class WorkerTeam implements Team {
  readonly #helpers: readonly Helper[];

  /** @param helpers threads beside this one */
  constructor(helpers: number, data: ThreadData) {
    this.#helpers = Array.from({ length: helpers }, () => new Helper(data));
  }

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

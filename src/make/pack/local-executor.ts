/** Jobs without workers: where there are no threads, and for what is too small to be worth their start. */
import type { Executor, Job, Results } from "./jobs.js";
import type { JobRunner } from "./runner.js";

/** Runs jobs one after the other where it is; others have their turn in between. */
export class LocalExecutor implements Executor {
  readonly width = 1;
  readonly #runner: JobRunner;

  constructor(runner: JobRunner) {
    this.#runner = runner;
  }

  async run<T extends Job>(job: T): Promise<Results[T["type"]]> {
    await new Promise((resolve) => setTimeout(resolve));
    return this.#runner.run(job);
  }

  async close(): Promise<void> {}
}

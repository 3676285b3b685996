/** Runs jobs without workers, if there are no threads or too little work to start them. */
import type { Executor, Job, Results } from "./jobs.js";
import type { JobRunner } from "./runner.js";

/** Runs jobs one after the other on the present thread, and yields to other events in between. */
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

/** Jobs whose results are wanted in the order of the jobs. */
import type { Executor, Job, Results } from "./jobs.js";

/** A job, and whether it takes much memory. */
export interface Planned<T extends Job> {
  job: T;
  isHeavy: boolean;
}

/**
 * Runs jobs, as many at once as are worth it, and hands on their results in order. Jobs are made when they are needed
 * and results wait for no more than a few others, so that memory stays bounded.
 * @throws what a job or `consume` throws; the signal's reason
 */
export async function runInOrder<T extends Job>(
  executor: Executor,
  jobs: Iterable<Planned<T>>,
  consume: (result: Results[T["type"]], job: T) => Promise<void> | void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const running: { job: T; result: Promise<Results[T["type"]]> }[] = [];
  const iterator = jobs[Symbol.iterator]();
  const start = (): void => {
    while (running.length < 3 * executor.width) {
      const next = iterator.next();
      if (next.done) return;
      const { job, isHeavy } = next.value;
      const result = executor.run(job, isHeavy);
      // Where an earlier one fails, nobody waits for this one any more.
      result.catch(() => {});
      running.push({ job, result });
    }
  };
  for (start(); running.length > 0; start()) {
    const { job, result } = running.shift()!;
    try {
      await consume(await result, job);
    } finally {
      // It says more than what the end of the workers led to.
      signal?.throwIfAborted();
    }
  }
}

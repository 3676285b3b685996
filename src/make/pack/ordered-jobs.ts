/** Jobs whose results are wanted in the order of the jobs. */
import type { Executor, Job, Results } from "./jobs.js";

/** A job, and what it takes. */
export interface Planned<T extends Job, Note = undefined> {
  job: T;
  /** What is to be known when the result is there. The job itself is not kept until then. */
  note: Note;
  /** Whether the work takes much memory. */
  isHeavy: boolean;
  /** Bytes of the result, at most, where that is much. */
  resultLen: number;
}

/** Jobs for each that runs at once: so many at least are under way, that none waits for work. */
const JOBS_MIN = 3;
/**
 * Where one job takes as long as many others, their results wait for it: jobs under way for each that runs at once, and
 * bytes of all their results, at most.
 */
const JOBS_MAX = 24;
const RESULTS_LEN = 24 << 20;

/**
 * Runs jobs, as many at once as are worth it, and hands on their results in order. Jobs are made when they are needed
 * and results wait for no more than a few others, so that memory stays bounded.
 * @throws what a job or `consume` throws; the signal's reason
 */
export async function runInOrder<T extends Job, Note>(
  executor: Executor,
  jobs: Iterable<Planned<T, Note>>,
  consume: (result: Results[T["type"]], note: Note) => Promise<void> | void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const running: { note: Note; result: Promise<Results[T["type"]]>; resultLen: number }[] = [];
  let resultsLen = 0;
  const iterator = jobs[Symbol.iterator]();
  const start = (): void => {
    while (running.length < (resultsLen < RESULTS_LEN ? JOBS_MAX : JOBS_MIN) * executor.width) {
      const next = iterator.next();
      if (next.done) return;
      const { job, note, isHeavy, resultLen } = next.value;
      const result = executor.run(job, isHeavy);
      // Where an earlier one fails, nobody waits for this one any more.
      result.catch(() => {});
      running.push({ note, result, resultLen });
      resultsLen += resultLen;
    }
  };
  for (start(); running.length > 0; start()) {
    const { note, result, resultLen } = running.shift()!;
    try {
      await consume(await result, note);
    } finally {
      // It says more than what the end of the workers led to.
      signal?.throwIfAborted();
      resultsLen -= resultLen;
    }
  }
}

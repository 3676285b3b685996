/** Runs jobs whose results are needed in order. */
import type { Executor, Job, Results } from "./jobs.js";

/** A job, and its costs. */
export interface Planned<T extends Job, Note = undefined> {
  job: T;
  /** Data that the caller needs with the result. The job itself is not kept until then. */
  note: Note;
  /** Whether the work takes much memory. */
  isHeavy: boolean;
  /** The most bytes of the result, if they are many. */
  resultLen: number;
  /** The result of a job that has nothing to do: it is not run. */
  result?: Results[T["type"]];
}

/** Jobs under way for each concurrent one: at least this many, so that no worker waits for work. */
const JOBS_MIN = 3;
/**
 * A long job makes the results of many others wait. These limits bound them: jobs under way for each
 * concurrent one, and bytes of all their results.
 */
const JOBS_MAX = 24;
const RESULTS_LEN = 24 << 20;

/**
 * Runs a useful number of jobs at once, and passes on their results in order. Jobs are made on demand, and
 * results wait only for a few others, so that memory stays bounded.
 * @throws errors of a job or of `consume`; the signal's reason
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
      const known = next.value.result;
      const result = known === undefined ? executor.run(job, isHeavy) : Promise.resolve(known);
      // If an earlier job fails, nothing waits for this one any more.
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
      // This error says more than the errors that follow from the end of the workers.
      signal?.throwIfAborted();
      resultsLen -= resultLen;
    }
  }
}

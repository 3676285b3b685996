/** Cuts work into jobs. */

/** The most items of a job. */
const JOB_COUNT = 512;

/** Cuts a sequence at each place at which its weights reach a limit. */
export function* batches<T>(
  items: Iterable<T>,
  weightOf: (item: T) => number,
  limit: number,
): Generator<T[], void, undefined> {
  let batch: T[] = [];
  let weight = 0;
  for (const item of items) {
    batch.push(item);
    weight += weightOf(item);
    if (weight < limit && batch.length < JOB_COUNT) continue;
    yield batch;
    batch = [];
    weight = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Whole numbers. */
export function* range(from: number, to: number): Generator<number, void, undefined> {
  for (let number = from; number < to; number++) yield number;
}

/** Two contents whose sum is larger make a job heavy: it takes much memory. In bytes. */
export const HEAVY_LEN = 32 << 20;

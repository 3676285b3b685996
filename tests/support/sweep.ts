/** Damages an image in all ways of a kind, in a thread of its own, which must not hang. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import type { SampleName } from "./sample-images.js";

/** What the thread is given. */
export interface SweepJob {
  kind: "flips" | "sectors";
  image: SampleName;
  /** The number of the case that it is at. */
  current: Int32Array;
}

/** No case may take longer, on however busy a machine. */
const CASE_MS = 60_000;

/**
 * Damages an image; what was found is the test's diagnostic.
 * @throws AssertionError where `verify` or a reader fails, or does not come to an end
 */
export async function runSweep(t: TestContext, kind: SweepJob["kind"], image: SampleName): Promise<void> {
  const current = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const worker = new Worker(new URL("./sweep-worker.js", import.meta.url), {
    workerData: { kind, image, current } satisfies SweepJob,
  });
  let last = -1;
  let hung = -1;
  const watch = setInterval(() => {
    const number = Atomics.load(current, 0);
    if (number === last) {
      hung = number;
      void worker.terminate();
    }
    last = number;
  }, CASE_MS);
  try {
    const summary = await new Promise<string>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () =>
        reject(new assert.AssertionError({ message: `${image}: case ${hung} hangs` })),
      );
    });
    t.diagnostic(`${image}: ${summary}`);
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

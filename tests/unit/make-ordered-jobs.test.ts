import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Executor, Job, SurveyJob, SurveyResult } from "../../src/make/pack/jobs.js";
import { type Planned, runInOrder } from "../../src/make/pack/ordered-jobs.js";

const NOTHING = new Uint32Array(0);

/** Jobs that say who they are by their object's index. */
function jobOf(index: number, resultLen = 0): Planned<SurveyJob, number> {
  const content = new Uint8Array(0);
  return {
    job: { type: "survey", objects: [{ index, kind: "blob", size: 0, content }] },
    note: index,
    isHeavy: index === 3,
    resultLen,
  };
}

const indexOf = (job: Job): number => job.objects[0]!.index;

/** An executor whose jobs end when the test says so. */
class ByHand implements Executor {
  readonly width = 2;
  readonly started: { index: number; isHeavy: boolean; end: (error?: Error) => void }[] = [];

  run(job: Job, isHeavy = false): Promise<never> {
    return new Promise((resolve, reject) => {
      const result: SurveyResult = {
        oids: new Uint8Array(0),
        features: NOTHING,
        wholeCosts: Uint32Array.of(indexOf(job)),
        pieceHashes: new Map(),
        segments: new Map(),
      };
      const end = (error?: Error): void => (error === undefined ? resolve(result as never) : reject(error));
      this.started.push({ index: indexOf(job), isHeavy, end });
    });
  }

  async close(): Promise<void> {}
}

test("results come in the order of the jobs, whichever ends first", async () => {
  const executor = new ByHand();
  const seen: number[] = [];
  const jobs = Array.from({ length: 10 }, (_, index) => jobOf(index));
  const run = runInOrder(
    executor,
    jobs,
    async (result, index) => {
      assert.equal(result.wholeCosts[0], index);
      await setImmediate();
      seen.push(index);
    },
    undefined,
  );
  for (let round = 0; seen.length < 10; round++) {
    assert.ok(round < 100, `no more than ${seen} were handed on`);
    // The last that began ends first.
    for (const { end } of [...executor.started].reverse()) end();
    await setImmediate();
    await setImmediate();
  }
  await run;
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(
    executor.started.filter(({ isHeavy }) => isHeavy).map(({ index }) => index),
    [3],
  );
});

for (const [what, resultLen, most] of [
  ["small", 0, 48],
  ["large", 1 << 20, 24],
  ["very large", 64 << 20, 6],
] as const)
  test(`jobs are made no earlier than they are worth it: ${what} results that wait for one are few`, async () => {
    const executor = new ByHand();
    let made = 0;
    const jobs = function* (): Generator<Planned<SurveyJob, number>> {
      while (made < 100) yield jobOf(made++, resultLen);
    };
    let consumed = 0;
    const run = runInOrder(executor, jobs(), () => void consumed++, undefined);
    assert.equal(made, most);
    // All but the first are ready; nothing more begins.
    for (const { end } of executor.started.slice(1)) end();
    await setImmediate();
    assert.equal(consumed, 0);
    assert.equal(made, most);
    while (consumed < 100) {
      for (const { end } of executor.started) end();
      await setImmediate();
      assert.ok(made - consumed <= most, `${made} were made and ${consumed} used`);
    }
    await run;
    assert.equal(made, 100);
  });

test("a job that fails ends the run: nothing after it is handed on, and nobody misses a failure", async () => {
  const executor = new ByHand();
  const seen: number[] = [];
  const jobs = Array.from({ length: 20 }, (_, index) => jobOf(index));
  const run = runInOrder(executor, jobs, (_, index) => void seen.push(index), undefined);
  const failure = new Error("the third");
  executor.started[2]!.end(failure);
  executor.started[4]!.end(new Error("the fifth, which nobody waits for"));
  executor.started[3]!.end();
  executor.started[0]!.end();
  executor.started[1]!.end();
  await assert.rejects(run, failure);
  assert.deepEqual(seen, [0, 1]);
  const { length } = executor.started;
  await setImmediate();
  assert.equal(executor.started.length, length);
});

test("what the consumer or the maker of jobs throws ends the run", async () => {
  const executor = new ByHand();
  const failure = new Error("no room");
  const run = runInOrder(
    executor,
    [jobOf(0), jobOf(1)],
    async () => {
      throw failure;
    },
    undefined,
  );
  executor.started[0]!.end();
  await assert.rejects(run, failure);
  const jobs = function* (): Generator<Planned<SurveyJob, number>> {
    yield jobOf(0);
    throw failure;
  };
  await assert.rejects(
    runInOrder(new ByHand(), jobs(), () => undefined, undefined),
    failure,
  );
});

test("a signal ends the run, with its reason rather than what it led to", async () => {
  const reason = new Error("enough");
  for (const outcome of [undefined, new Error("the workers were stopped")]) {
    const executor = new ByHand();
    const controller = new AbortController();
    const seen: number[] = [];
    const jobs = [jobOf(0), jobOf(1), jobOf(2)];
    const run = runInOrder(executor, jobs, (_, index) => void seen.push(index), controller.signal);
    executor.started[0]!.end();
    await setImmediate();
    controller.abort(reason);
    executor.started[1]!.end(outcome);
    await assert.rejects(run, reason);
    assert.ok(!seen.includes(2));
  }
});

test("no jobs: nothing happens", async () => {
  const never = (): never => assert.fail("nothing is to be handed on");
  await runInOrder(new ByHand(), [], never, undefined);
});

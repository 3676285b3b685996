/** Every fuzz target runs over its saved inputs and for a few cases of a fixed seed, so that the fuzzers live; and their loop tells what it has found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { savedInputs } from "../fuzz/corpus.js";
import { runTarget, type Target } from "../fuzz/target.js";
import { TARGETS, type TargetName } from "../fuzz/targets.js";

const SEED = 20240607;
const CASES: Record<TargetName, number> = {
  inflate: 100,
  deflate: 12,
  delta: 800,
  "delta-encode": 60,
  idx: 8,
  tree: 4,
  commit: 4,
  image: 12,
  "index-pack": 60,
  tar: 1500,
  "tar-extract": 40,
  zip: 600,
  manifest: 600,
  cmdline: 300,
  "wasi-host": 400,
  layout: 60,
  seek: 6,
  chaos: 40,
};

for (const [name, target] of Object.entries(TARGETS)) {
  const cases = CASES[name as TargetName];
  test(`${name}: ${cases} cases`, async () => {
    const corpus = savedInputs(name);
    const result = await runTarget(target, { seed: SEED, cases, corpus });
    if (result.failure !== undefined) throw result.failure.error;
    assert.equal(result.cases, cases + corpus.length);
    const counted = Object.values(result.counts).reduce((sum, count) => sum + count, 0);
    assert.ok(counted >= cases, "every case has come to something");
  });
}

test("a failure is told with its case and input, and the same case fails again by itself", async () => {
  const fragile: Target = async () => async (fuzz) => {
    const input = Uint8Array.of(fuzz.random(256), fuzz.random(256));
    fuzz.keep(input);
    if (input[0]! < 20) throw new RangeError("found");
  };
  const { failure, cases } = await runTarget(fragile, { seed: SEED, cases: 1000 });
  assert.ok(failure !== undefined && failure.input[0]! < 20);
  assert.equal(failure.index, cases - 1);
  assert.equal((failure.error as Error).message, "found");
  const again = await runTarget(fragile, { seed: SEED, from: failure.index, cases: 1 });
  assert.deepEqual(again.failure?.input, failure.input);
});

test("a run ends when its time is over", async () => {
  const result = await runTarget(
    async () =>
      async ({ count }) =>
        count("done"),
    { seed: 1, seconds: 0.05 },
  );
  assert.ok(result.cases > 0 && result.counts.done === result.cases);
});

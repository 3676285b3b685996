import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultWorkers } from "../../src/make/pack/workers.js";

test("there is a worker a processor, and no more than memory is for: fewer where there are many objects", () => {
  assert.equal(defaultWorkers(1000, 1), 1);
  assert.equal(defaultWorkers(1000, 2), 2);
  assert.equal(defaultWorkers(1000, 64), 6);
  assert.equal(defaultWorkers(300_000, 64), 5);
  assert.equal(defaultWorkers(1_000_000, 64), 2);
  assert.equal(defaultWorkers(100_000_000, 64), 1);
  for (let count = 0, last = 64; count < 3_000_000; count += 10_000) {
    const workers = defaultWorkers(count, 64);
    assert.ok(workers >= 1 && workers <= last, `${count} objects`);
    last = workers;
  }
});

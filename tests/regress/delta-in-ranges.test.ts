/**
 * A part of a large delta, of which the whole was cheaper: where memory had no room for the whole, the read failed,
 * although ranges fit.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seek } from "../fuzz/seek.js";
import { runTarget } from "../fuzz/target.js";

test("a large delta is read in ranges where memory has no room for the whole", async () => {
  const { cases, failure } = await runTarget(seek, { seed: 410359097, from: 205, cases: 1 });
  assert.equal(failure?.error, undefined);
  assert.equal(cases, 1);
});

/** Numbered progress: a step never begins again under its number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { numberSteps } from "../../src/progress-steps.js";

type Event = [phase: string, done: number];

/** The numbers that these events get. */
function numbers(expected: string[], events: Event[]): string[] {
  const seen: string[] = [];
  const report = numberSteps<{ phase: string; done: number }>(
    ({ step, steps }) => seen.push(`${step}/${steps}`),
    expected,
  );
  for (const [phase, done] of events) report({ phase, done });
  return seen;
}

test("phases get their place among those that are expected", () => {
  const phases = ["scan", "read", "compare", "compare", "pack"];
  const events: Event[] = [
    ["scan", 1],
    ["scan", 9],
    ["read", 2],
    ["compare", 8],
    ["compare", 1],
    ["pack", 1],
  ];
  assert.deepEqual(numbers(phases, events), ["1/5", "1/5", "2/5", "3/5", "4/5", "5/5"]);
});

test("a phase that is skipped keeps its number, one that comes again unexpectedly gets a new one", () => {
  const skipped: Event[] = [
    ["read", 9],
    ["resolve", 1],
  ];
  assert.deepEqual(numbers(["read", "hash", "resolve"], skipped), ["1/3", "3/3"]);
  const again: Event[] = [
    ["read", 9],
    ["resolve", 5],
    ["read", 1],
    ["read", 2],
    ["resolve", 1],
  ];
  assert.deepEqual(numbers(["read", "resolve"], again), ["1/2", "2/2", "3/3", "3/3", "4/4"]);
});

test("phases that run at the same time keep their numbers", () => {
  const events: Event[] = [
    ["hash", 1],
    ["resolve", 1],
    ["hash", 2],
    ["resolve", 2],
  ];
  assert.deepEqual(numbers(["hash", "resolve"], events), ["1/2", "2/2", "1/2", "2/2"]);
});

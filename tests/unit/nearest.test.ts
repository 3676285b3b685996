/** Which known word a misspelt one is taken for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "../../src/text/nearest.js";
import { seeded } from "../support/random.js";

/** The distance by its definition, without a table. */
function distanceByDefinition(left: string, right: string): number {
  if (left === "" || right === "") return left.length + right.length;
  const same = left.at(-1) === right.at(-1);
  const [l, r] = [left.slice(0, -1), right.slice(0, -1)];
  const choices = [
    distanceByDefinition(l, right) + 1,
    distanceByDefinition(left, r) + 1,
    distanceByDefinition(l, r) + (same ? 0 : 1),
  ];
  const isSwap =
    left.length > 1 && right.length > 1 && left.at(-1) === right.at(-2) && left.at(-2) === right.at(-1);
  if (isSwap) choices.push(distanceByDefinition(left.slice(0, -2), right.slice(0, -2)) + 1);
  return Math.min(...choices);
}

test("the edit distance is that of its definition", () => {
  assert.equal(editDistance("verify", "veryfi"), 2);
  assert.equal(editDistance("make", "mkae"), 1);
  assert.equal(editDistance("", "abc"), 3);
  const random = seeded(3);
  const word = (): string => Array.from({ length: random(6) }, () => "abc"[random(3)]).join("");
  for (let round = 0; round < 300; round++) {
    const [left, right] = [word(), word()];
    assert.equal(editDistance(left, right), distanceByDefinition(left, right), `${left} ${right}`);
  }
});

test("a word is near at a third of its letters, or as a beginning; a long one is near nothing", () => {
  const known = ["make", "verify", "checksum", "ls", "cat"];
  const cases: [word: string, meant: string | undefined][] = [
    ["verfiy", "verify"],
    ["check", "checksum"],
    ["CAT", "cat"],
    ["sl", "ls"],
    ["frobnicate", undefined],
    ["", undefined],
    ["-", undefined],
    ["x".repeat(1e6), undefined],
  ];
  for (const [word, meant] of cases) assert.equal(nearest(word, known), meant, word.slice(0, 20));
});

/** The guests' names of statuses are those of `src/errors.ts`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { STATUS } from "../../src/errors.js";
import { distPath } from "../support/programs.js";

/** Statuses that `simple` has a sentence for, or that no operation of a synchronous guest, which proves nothing, ends with. */
const WITHOUT_NAME = [
  ...["Ok", "Again", "NotFound", "ValueExpected", "DictionaryExpected", "SymlinkLoop", "Submodule"],
  ...["OutOfMemory", "PathTooLong", "OtherCommit", "Collision"],
];

test("guests call a status what the library calls it", () => {
  const source = readFileSync(distPath("../guest/lib/status.ts"), "utf8");
  const literal = [...source.matchAll(/=\s+"([^"]*)";/g)].map(([, text]) => text).join("");
  const named = [...literal.matchAll(/([0-9]+)([A-Za-z]+)/g)].map(([, number, name]) => [
    name,
    Number(number),
  ]);
  const expected = Object.entries(STATUS).filter(([name]) => !WITHOUT_NAME.includes(name));
  assert.deepEqual(named, expected);
});

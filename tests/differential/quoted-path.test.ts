/** Quoted paths against git: git reads what is shown here as the same names, and the reverse. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parsePath, quotePath } from "../../src/text/quoted-path.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/** Names of all bytes but NUL and the slash, and of what UTF-8 makes of several. */
function names(): Buffer[] {
  const random = seeded(11);
  const found = new Map<string, Buffer>();
  for (let byte = 1; byte < 256; byte++) if (byte !== 0x2f) found.set(`x${byte}`, Buffer.from([0x78, byte]));
  for (let round = 0; round < 500; round++) {
    const bytes = Buffer.from(Array.from({ length: 2 + random(5) }, () => 1 + random(255)));
    const text = random(2) === 0 ? bytes : Buffer.from(`é"\\\u202e##[::\n`.slice(random(4)) + random(1000));
    const name = Buffer.concat([Buffer.from("n"), text]);
    if (!name.includes(0x2f)) found.set(name.toString("latin1"), name);
  }
  return [...found.values()];
}

test("git reads quoted paths as they are meant, and its own are read as it means them", (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "-q");
  const expected = names().sort(Buffer.compare);
  const run = (args: string[], input?: Buffer): Buffer =>
    execFileSync("git", args, { cwd: folder, env: GIT_ENVIRONMENT, input, maxBuffer: 1 << 24 });
  const index = expected.map((name) => `100644 ${EMPTY_BLOB} 0\t${quotePath(name)}\n`).join("");
  run(["update-index", "--index-info"], Buffer.from(index));
  const listed = run(["ls-files", "-z"]).toString("latin1").split("\0").slice(0, -1);
  assert.deepEqual(
    listed,
    expected.map((name) => name.toString("latin1")),
  );
  const quoted = run(["-c", "core.quotePath=true", "ls-files"]).toString().split("\n").slice(0, -1);
  assert.deepEqual(
    quoted.map((line) => Buffer.from(parsePath(line)!).toString("latin1")),
    listed,
  );
});

/** The README's transcript, command by command, as a reader would repeat it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fixture } from "../support/fixtures.js";
import { guestPath, runNode } from "../support/programs.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

/** The commands of the first console block, each with what it prints. */
function readTranscript(): { command: string; output: string }[] {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const [, block] = /```console\n(.*?)```/s.exec(readme)!;
  return block!
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const end = text.indexOf("\n");
      return { command: text.slice(0, end), output: text.slice(end + 1) };
    });
}

test("the README's transcript is what happens", (t) => {
  const folder = temporaryFolder(t);
  const transcript = readTranscript();
  assert.ok(transcript.length >= 7);
  for (const { command, output } of transcript) {
    const [program, ...args] = command.split(" ");
    if (program === "tar") {
      assert.equal(args[0], "-xf");
      unpackTar(fixture(args[1]!.replace("disk-fixtures/", "")), folder);
      continue;
    }
    const words = args.map((word) => (word === "dist/guest/simple.wasm" ? guestPath("simple") : word));
    const { stdout, stderr } = runNode(`tools/${program}.js`, words, folder);
    assert.deepEqual([stdout, stderr], [output, ""], command);
  }
});

/** The README's transcript, command by command, as a reader would repeat it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EXIT_MEANINGS } from "../../tools/cli/exit.js";
import { fixture } from "../support/fixtures.js";
import { guestPath, runNode } from "../support/programs.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";
import { readTranscripts } from "../support/transcript.js";

/** Standard output and standard error, as a terminal shows both, but for the time that it took. */
function withoutTime(text: string): string {
  return text.replace(/[0-9.]+ s$/gm, "N s");
}

test("the README's transcript is what happens", (t) => {
  const folder = temporaryFolder(t);
  const transcript = readTranscripts("README.md");
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
    assert.equal(withoutTime(stdout + stderr), withoutTime(output), command);
  }
});

test("docs/COMMANDS.md, docteur --help and every subcommand's --help have the exit statuses of one table", () => {
  const page = readFileSync(new URL("../../../docs/COMMANDS.md", import.meta.url), "utf8");
  const help = (...args: string[]): string => runNode("tools/docteur.js", [...args, "--help"]).stdout;
  const listed = (text: string): string[] => text.match(/^ +[0-9]+ {2}.*$/gm) ?? [];
  const all = Object.entries(EXIT_MEANINGS).map(([status, meaning]) => `${status.padStart(5)}  ${meaning}`);
  assert.deepEqual(listed(help()), all);
  for (const [status, meaning] of Object.entries(EXIT_MEANINGS))
    assert.ok(page.includes(`| ${status} | ${meaning} |`), String(status));
  for (const command of ["make", "verify", "checksum", "ls", "cat"]) {
    const some = listed(help(command));
    assert.ok(some.length >= 4 && some.every((line) => all.includes(line)), command);
  }
});

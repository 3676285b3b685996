/** Colours: never in pipes and data, where FORCE_COLOR asks for them, and nothing but colours. And how progress is told. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { formatDuration } from "../../tools/cli/format.js";
import { ProgressLine } from "../../tools/cli/progress.js";
import { docteur } from "../support/cli.js";
import { damagedImage } from "../support/command-images.js";
import { temporaryFolder } from "../support/temporary.js";

const STYLE = /\x1b\[\d+m/g;
const FORCED = { FORCE_COLOR: "1", NO_COLOR: undefined };

/** Two images, with a name that would command a terminal. */
async function images(t: TestContext): Promise<{ a: string; b: string }> {
  const folder = temporaryFolder(t);
  const files = { "dir/text": "one\ntwo\n", "\x1b[31mred": "x\n", same: "same\n" };
  const [a, b] = [files, { ...files, "dir/text": "one\n2\n" }].map(async (content, index) => {
    const path = join(folder, `${index}.img`);
    writeFileSync(path, (await makeImage(content, { date: "2024-06-07T08:09:10Z" })).image);
    return path;
  });
  return { a: await a!, b: await b! };
}

test("output and messages are coloured where that is asked for, and are the same but for colours", async (t) => {
  const { a, b } = await images(t);
  const cases: [string[], RegExp][] = [
    [["ls", a], /^"\\033\[31mred"\n\x1b\[34mdir\x1b\[39m\nsame\n$/],
    [["find", a], /\x1b\[34m\/dir\x1b/],
    [["tree", a], /\x1b\[34mdir\x1b/],
    [["stat", a, "/same"], /\x1b\[2m {2}path\x1b/],
    [["grep", "two", a], /\x1b\[/],
    [
      ["diff", "-p", a, b],
      /\x1b\[1m--- .*\n\x1b\[1m\+\+\+ .*\n\x1b\[36m@@ .* @@\x1b.*\n one\n\x1b\[31m-two\x1b\[39m\n\x1b\[32m\+2\x1b/,
    ],
    [["diff", "--stat", a, b], / \| 2 \x1b\[32m\+\x1b\[39m\x1b\[31m-\x1b\[39m\n/],
    [["verify", a], /: \x1b\[32msound:\x1b\[39m header/],
    [["verify", damagedImage(t)], /\x1b\[31mdocteur:\x1b\[39m .*\n/],
    [["cat", a, "/none"], /^\x1b\[31mdocteur:\x1b\[39m \/none/],
    [["cat"], /\n\x1b\[36mhint:\x1b\[39m /],
  ];
  for (const [args, expected] of cases) {
    const plain = await docteur(args, { closing: true });
    const coloured = await docteur(args, { closing: true, env: FORCED });
    assert.ok(!`${plain.stdout}${plain.stderr}`.includes("\x1b"), args.join(" "));
    assert.match(coloured.stdout + coloured.stderr, expected, args.join(" "));
    assert.equal(coloured.stdout.replace(STYLE, ""), plain.stdout);
    assert.equal(coloured.stderr.replace(STYLE, ""), plain.stderr);
    const without = await docteur(args, { closing: true, env: { ...FORCED, NO_COLOR: "1" } });
    assert.deepEqual(without, plain);
  }
});

test("data for programs is never coloured", async (t) => {
  const { a, b } = await images(t);
  for (const args of [
    ["ls", "-z", a],
    ["ls", "--json", a],
    ["find", "--json", a],
    ["tree", "--json", a],
    ["stat", "--json", a, "/same"],
    ["grep", "--json", "two", a],
    ["diff", "--json", a, b],
    ["info", "--json", a],
    ["cat", a, "/same"],
    ["checksum", a],
  ]) {
    const { stdout } = await docteur(args, { env: FORCED });
    assert.deepEqual(stdout, (await docteur(args)).stdout, args.join(" "));
    assert.doesNotMatch(stdout.replaceAll("\x1b[31mred", ""), STYLE, args.join(" "));
  }
});

test("a line of progress tells rate and time left of its step, once they can be known", (t) => {
  let now = 0;
  const shown: string[] = [];
  const stderr = process.stderr as { isTTY: boolean };
  const wasTerminal = stderr.isTTY;
  stderr.isTTY = true;
  t.mock.method(performance, "now", () => now);
  const write = t.mock.method(process.stderr, "write", (text: string) => shown.push(text) > 0);
  try {
    const line = new ProgressLine();
    const at = (time: number, done: number, name = "one", isBytes = true): void => {
      now = time;
      line.update(() => name, { name, done, total: 100e6, isBytes });
    };
    at(1000, 20e6);
    at(2000, 30e6);
    at(5000, 60e6);
    at(9000, 100e6);
    at(10_000, 10e6, "two", false);
    at(110_000, 20e6, "two", false);
  } finally {
    write.mock.restore();
    stderr.isTTY = wasTerminal;
  }
  assert.deepEqual(
    shown.map((text) => text.slice(1, -3)),
    ["one", "one", "one, 10 MB/s, 4 s left", "one, 10 MB/s", "two", "two, 13 min left"],
  );
  assert.deepEqual([0, 1, 99_000, 100_000, 3_600_000, 7_200_000].map(formatDuration), [
    "0 s",
    "1 s",
    "99 s",
    "2 min",
    "60 min",
    "2.0 h",
  ]);
});

/** Lines that are found in an image beside those that `git grep` finds in the same files, for random texts and patterns. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type OpenOptions, open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { type FileMatch, type GrepJob, grep } from "../../src/sweep/grep.js";
import { hashFiles } from "../../src/sweep/hash.js";
import { LINE } from "../../src/sweep/search.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const WORDS = [
  "foo",
  "bar",
  "Foo",
  "foo_",
  "fooo",
  "a foo b",
  "barfoo",
  "é",
  "É",
  "x",
  "",
  "",
  "f",
  "o",
  "1",
];

function textOf(random: Random): Buffer {
  const line = (): Buffer => {
    const words = Array.from({ length: random(4) }, () => Buffer.from(WORDS[random(WORDS.length)]!));
    if (random(12) === 0) words.push(Buffer.of(0xff, 0x20, 0xc3));
    const joined = words.flatMap((word) => [word, Buffer.from(random(2) === 0 ? " " : "-")]);
    return Buffer.concat([...joined, Buffer.from(random(8) === 0 ? "\r" : "")]);
  };
  const lines = Array.from({ length: random(25) }, line);
  const text = lines.flatMap((one, at) => (at === 0 ? [one] : [Buffer.from("\n"), one]));
  if (random(3) > 0) text.push(Buffer.from("\n"));
  if (random(8) === 0) text.splice(random(text.length), 0, Buffer.of(0));
  return Buffer.concat(text);
}

/** A committed folder of texts, some of them several times. */
async function repositoryOf(
  t: TestContext,
  files: Map<string, Buffer>,
): Promise<{ folder: string; image: string }> {
  const top = temporaryFolder(t);
  const folder = join(top, "repository");
  mkdirSync(folder);
  git(folder, "init", "-q");
  for (const [path, content] of files) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  commitAll(folder, "texts");
  const image = join(top, "image");
  await make(folder, image);
  return { folder, image };
}

/** What is asked of both. */
interface Question {
  pattern: string;
  fixed: boolean;
  ignoreCase: boolean;
  word: boolean;
  invert: boolean;
  before: number;
  after: number;
  maxCount: number | undefined;
  /** Take every file for text: GNU grep answers. */
  text: boolean;
}

/** The output of `git grep -n`, or of `grep -na` of the same files in git's order. */
function expectedAnswer(folder: string, question: Question): string {
  const { pattern, fixed, ignoreCase, word, invert, before, after, maxCount, text } = question;
  const args = ["-n", fixed ? "-F" : "-E"];
  if (ignoreCase) args.push("-i");
  if (word) args.push("-w");
  if (invert) args.push("-v");
  if (before > 0) args.push("-B", String(before));
  if (after > 0) args.push("-A", String(after));
  if (maxCount !== undefined) args.push("-m", String(maxCount));
  args.push("-e", pattern);
  const files = text ? git(folder, "ls-files").split("\n") : [];
  // With several threads, git drops the line of a binary file that comes first.
  const [program, ...first] = text
    ? ["grep", "-aH"]
    : ["git", "-c", "core.quotePath=false", "grep", "--no-color", "--threads=1"];
  const { stdout, stderr } = spawnSync(program!, [...first, ...args, ...files], {
    cwd: folder,
    env: { ...GIT_ENVIRONMENT, LC_ALL: "C.UTF-8" },
    maxBuffer: 1 << 28,
  });
  assert.equal(stderr.toString(), "");
  return stdout.toString("latin1");
}

/** One file in the form of `git grep -n`. */
function* formatted(
  { path, found, isContinued }: FileMatch,
  state: { isFirst: boolean },
  hasContext: boolean,
): Generator<string> {
  const name = path.subarray(1).toString("latin1");
  if (found!.isBinary) {
    yield `Binary file ${name} matches\n`;
    return;
  }
  const bytes = Buffer.from(found!.bytes);
  for (let index = 0, at = 0; index < found!.lines.length; index += 3) {
    const [number, kind, length] = found!.lines.slice(index, index + 3) as [number, number, number];
    const isNewFile = index === 0 && !isContinued;
    if (hasContext && !state.isFirst && (kind >= LINE.gap || isNewFile)) yield "--\n";
    state.isFirst = false;
    const mark = (kind & LINE.around) === 0 ? ":" : "-";
    yield `${name}${mark}${number}${mark}${bytes.toString("latin1", at, at + length)}\n`;
    at += length;
  }
}

async function ourAnswer(
  image: string,
  question: Question,
  options: OpenOptions,
  jobs: number,
): Promise<string> {
  const { pattern, fixed, ignoreCase, word, invert, before, after, maxCount, text } = question;
  const volume = await open(image, options);
  const job: GrepJob = {
    source: image,
    open: options,
    paths: ["/"],
    follow: false,
    pattern: { source: pattern, fixed, ignoreCase, word },
    search: {
      invert,
      before,
      after,
      maxCount: maxCount ?? Number.MAX_SAFE_INTEGER,
      text,
      want: "lines",
    },
    isNameWanted: () => true,
    isPathWanted: () => true,
    isMissing: false,
    isFirst: false,
    jobs,
  };
  const parts: string[] = [];
  const state = { isFirst: true };
  for await (const match of grep(volume, job)) parts.push(...formatted(match, state, before + after > 0));
  await volume.close();
  return parts.join("");
}

const PATTERNS = [
  ...[
    "foo",
    "fo+",
    "^bar",
    "o$",
    "foo|bar",
    "[fb]oo?",
    "b.r",
    "é",
    "(foo|bar) ?foo",
    "^$",
    "fo{2,3}",
    "^",
    "a foo b",
  ],
  ...["fo*", "x?foo", "(f)(o)o", "\\.", "1|é", "foo ", "[^f]oo", "o-|- "],
];

function questionOf(random: Random): Question {
  const fixed = random(4) === 0;
  const pattern = PATTERNS[random(PATTERNS.length)]!;
  const hasContext = random(3) === 0;
  // Of patterns that match nothing, git finds a line behind the last one.
  const canBeEmpty = ["^$", "^", "fo*"].includes(pattern);
  const word = !canBeEmpty && random(4) === 0;
  // For git, only letters of ASCII make words.
  const text = canBeEmpty || word || random(4) === 0;
  return {
    text,
    pattern: random(9) === 0 ? `${pattern}\nbarfoo` : pattern,
    fixed,
    ignoreCase: random(3) === 0,
    word,
    invert: random(4) === 0,
    before: hasContext ? random(4) : 0,
    after: hasContext ? random(4) : 0,
    maxCount: !hasContext && random(5) === 0 ? 1 + random(3) : undefined,
  };
}

test("lines are those that git grep finds", async (t) => {
  for (const seed of [1, 2, 3]) {
    const random = seeded(seed);
    const files = new Map<string, Buffer>();
    for (let count = 0; count < 40; count++)
      files.set(`${["a", "a.b", "a0", "c"][random(4)]}/${random(20)}`, textOf(random));
    for (const [index, content] of [...files.values()].entries())
      if (random(3) === 0) files.set(`again/${index}`, content);
    const { folder, image } = await repositoryOf(t, files);
    let found = 0;
    for (let count = 0; count < 60; count++) {
      const question = questionOf(random);
      const expected = expectedAnswer(folder, question);
      const actual = await ourAnswer(
        image,
        question,
        { mode: count % 7 === 0 ? "analyze" : "light" },
        1 + (count % 20 === 0 ? 1 : 0),
      );
      assert.equal(actual, expected, JSON.stringify({ seed, ...question }));
      if (expected !== "") found++;
    }
    assert.ok(found > 30);
  }
});

/** A file that is read in pieces where memory is short, with lines of many lengths. */
function largeText(): Buffer {
  const random = seeded(9);
  const parts: string[] = [];
  for (let size = 0, line = 1; size < 9_500_000; line++) {
    const text = `${line} ${"y".repeat(random(90))}${random(4000) === 0 ? " needle" : ""}\n`;
    parts.push(text);
    size += text.length;
  }
  return Buffer.from(`${parts.join("")}needle at the end`);
}

test("a file that is larger than memory is searched and hashed in pieces", async (t) => {
  const content = largeText();
  const { folder, image } = await repositoryOf(
    t,
    new Map([
      ["large", content],
      ["small", Buffer.from("needle\n")],
    ]),
  );
  const options = { memoryLimit: 4 << 20 };
  const base = {
    pattern: "needle",
    fixed: false,
    ignoreCase: false,
    word: false,
    maxCount: undefined,
    text: false,
  };
  for (const more of [
    { invert: false, before: 3, after: 2 },
    { invert: false, before: 0, after: 60_000 },
    { invert: false, before: 60_000, after: 0 },
    { invert: true, before: 0, after: 0 },
  ]) {
    const question = { ...base, ...more };
    const [actual, expected] = [
      await ourAnswer(image, question, options, 1),
      expectedAnswer(folder, question),
    ];
    assert.ok(actual === expected, JSON.stringify(question));
  }
  const volume = await open(image, options);
  const digests: string[] = [];
  for await (const { path, digest } of hashFiles(volume, {
    source: image,
    open: options,
    algorithm: "sha256",
  }))
    digests.push(`${path} ${digest}`);
  await volume.close();
  const expected = ["large", "small"].map(
    (name) =>
      `/${name} ${createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex")}`,
  );
  assert.deepEqual(digests, expected);
});

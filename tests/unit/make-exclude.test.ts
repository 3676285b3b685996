/** Patterns of names to leave out: against git's own reading of them, and as slow as they can be made. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ExcludePatterns, patternsIn } from "../../src/make/source/exclude.js";
import { git } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Whether a path is left out, or a folder on the way to it; all its names but the last are folders' names. */
function isExcluded(patterns: readonly string[], path: string, isFolder = false): boolean {
  const exclude = new ExcludePatterns(patterns);
  const names = Buffer.from(path).toString("latin1").split("/");
  let state = exclude.root;
  for (const [index, name] of names.entries()) {
    const next = exclude.step(state, name, isFolder || index < names.length - 1);
    if (next === undefined) return true;
    state = next;
  }
  return false;
}

test("patterns mean what gitignore(5) says", () => {
  const cases: [string, string[], string[]][] = [
    ["*.o", ["a.o", "b/c/.o", "x.o/y"], ["a.ob", "o"]],
    ["/build", ["build", "build/x"], ["a/build"]],
    ["build/", ["build/x", "a/build/x"], ["build"]],
    ["doc/*.txt", ["doc/a.txt"], ["a/doc/a.txt", "doc/b/a.txt"]],
    ["**/foo/bar", ["foo/bar", "x/y/foo/bar"], ["foo/x/bar", "xfoo/bar"]],
    ["abc/**", ["abc/x", "abc/x/y"], ["abc", "x/abc/y"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "b"]],
    ["[a-c]?[!x]", ["aaa", "c/b\\z"], ["aax", "daa", "aa"]],
    ["[]-]", ["]", "-"], ["a"]],
    ["[[:digit:][:upper:]_]x", ["0x", "Zx", "_x"], ["zx", ":x"]],
    ["\\*\\[", ["*["], ["a["]],
    ["\\!important", ["!important"], ["important"]],
    [" a ", [" a "], ["a"]],
    ["é?", ["éa"], ["é", "ea"]],
    ["/a/", ["a/b"], ["a", "b/a/c"]],
    ["**", ["a", "a/b"], []],
    ["a//b", [], ["a/b", "a"]],
    ["[!/]b", ["ab"], ["x/ab"]],
    ["[a/]/", ["a/b"], ["a", "x/a/b"]],
  ];
  for (const [pattern, out, kept] of cases) {
    for (const path of out) assert.ok(isExcluded([pattern], path), `${pattern} leaves out ${path}`);
    for (const path of kept) assert.ok(!isExcluded([pattern], path), `${pattern} keeps ${path}`);
  }
  assert.ok(isExcluded(["x", "y/", "z"], "a/y", true));
  assert.ok(!isExcluded([], "a"));
});

test("what is no pattern is refused", () => {
  for (const pattern of ["", "/", "a[", "[a-", "[]", "[!]", "a\\", "!", "[[:digits:]]"])
    assert.throws(() => new ExcludePatterns([pattern]), { code: "InvalidArgument" }, JSON.stringify(pattern));
});

const NAMES = ["a", "b", "ab", "ba", "a.b", "-", "]", "a*", "aab", "A", "\\", "[b"];
const TOKENS = [
  ..."abb.",
  "*",
  "?",
  "[ab]",
  "[!a]",
  "[^b]",
  "[a-b]",
  "[]a]",
  "[a-]",
  "[*-\\]]",
  "\\*",
  "\\a",
];

function randomPattern(random: Random): string {
  const segment = (): string => {
    if (random(5) === 0) return "**";
    if (random(3) === 0) return NAMES[random(5)]!;
    let text = "";
    // Two stars that are no segment are one to us, and more than that to git in some places.
    for (let left = 1 + random(4); left > 0; left--) {
      const token = TOKENS[random(TOKENS.length)]!;
      if (token !== "*" || !text.endsWith("*")) text += token;
    }
    return text;
  };
  const segments = Array.from({ length: 1 + random(4) }, segment);
  return `${random(4) ? "" : "/"}${segments.join("/")}${random(4) ? "" : "/"}`;
}

test("random patterns leave out what git leaves out", (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "-q");
  const random = seeded(11);
  const paths: string[] = [];
  const fill = (at: string, depth: number): void => {
    for (const name of NAMES) {
      const path = at === "" ? name : `${at}/${name}`;
      if (depth > 0 && random(3) === 0) {
        mkdirSync(join(folder, path));
        fill(path, depth - 1);
      } else if (random(3) > 0) {
        writeFileSync(join(folder, path), "");
        paths.push(path);
      }
    }
  };
  fill("", 3);
  assert.ok(paths.length > 100);
  let someCount = 0;
  for (let round = 0; round < 150; round++) {
    const patterns = Array.from({ length: 1 + random(2) }, () => randomPattern(random));
    const kept = git(folder, "ls-files", "-z", "-o", ...patterns.map((pattern) => `-x${pattern}`));
    const expected = kept.split("\0").slice(0, -1).sort();
    if (expected.length < paths.length && expected.length > 0) someCount++;
    const exclude = new ExcludePatterns(patterns);
    assert.ok(exclude.root.length === patterns.length);
    assert.deepEqual(
      paths.filter((path) => !isExcluded(patterns, path)).sort(),
      expected,
      `round ${round}: ${JSON.stringify(patterns)}`,
    );
  }
  assert.ok(someCount > 40, `${someCount} rounds left out some paths`);
});

test("hostile patterns take time by their length, not more", () => {
  const start = performance.now();
  assert.ok(!isExcluded([`${"*a".repeat(120)}*b`], "a".repeat(255)));
  assert.ok(!isExcluded([`${"**/*a*/".repeat(200)}b`], `${"aa/".repeat(500)}c`));
  assert.ok(isExcluded([`${"**/".repeat(300)}c`], `${"a/".repeat(500)}c`));
  assert.ok(performance.now() - start < 3000);
});

test("patterns of a file, some of them with ! in front, leave out what git check-ignore tells", (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "-q");
  const random = seeded(12);
  const paths: string[] = [];
  for (let index = 0; index < 300; index++) {
    const depth = 1 + random(4);
    paths.push(Array.from({ length: depth }, () => NAMES[random(5)]!).join("/"));
  }
  // Paths that nothing is at are files to check-ignore.
  const unique = [...new Set(paths)];
  let negatedCount = 0;
  for (let round = 0; round < 80; round++) {
    const lines = Array.from({ length: 2 + random(5) }, () => {
      const line = [randomPattern(random), `!${randomPattern(random)}`, `!${NAMES[random(5)]}`][random(3)]!;
      return line + ["", "", " ", "  ", "\\ "][random(5)]! + ["", "\r"][random(2)]!;
    });
    const text = ["\ufeff# comment", "", random(2) ? "*" : "a/*", ...lines, "#!x"].join("\n");
    writeFileSync(join(folder, ".gitignore"), text);
    // It ends with 1 where nothing is ignored.
    const { stdout } = spawnSync("git", ["check-ignore", "--no-index", "-z", "--stdin"], {
      cwd: folder,
      input: unique.join("\0"),
      encoding: "utf8",
    });
    const expected = stdout.split("\0").slice(0, -1).sort();
    const patterns = patternsIn(text);
    const found = unique.filter((path) => isExcluded(patterns, path)).sort();
    assert.deepEqual(found, expected, JSON.stringify(text));
    const positive = patterns.filter((pattern) => !pattern.startsWith("!"));
    if (unique.filter((path) => isExcluded(positive, path)).length > found.length) negatedCount++;
  }
  assert.ok(negatedCount > 5, `${negatedCount} rounds took something in again`);
});

/** Images of several sources against the image of a directory that holds all of them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open } from "../../src/index.js";
import { type MakeOptions, type MakeSummary, make } from "../../src/make/index.js";
import { DATE } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";
import { zipOf } from "../support/zip-writer.js";

/** Two versions of some files: as a directory, and as a tar archive, a repository and an image. */
function createVersions(t: TestContext): string {
  const work = temporaryFolder(t);
  for (const version of ["one", "two"]) {
    const folder = join(work, version);
    mkdirSync(join(folder, "docs", "empty"), { recursive: true });
    for (let page = 0; page < 30; page++)
      writeFileSync(
        join(folder, "docs", `page ${page}`),
        `page ${page} `.repeat(200) + (page % 7 ? "" : version),
      );
    writeFileSync(join(folder, "run"), "#!/bin/sh\n", { mode: 0o755 });
    symlinkSync("docs/page 1", join(folder, "link"));
  }
  git(join(work, "two"), "init", "-q", "-b", "main");
  commitAll(join(work, "two"), "two");
  execFileSync("tar", ["-cf", join(work, "one.tar"), "-C", join(work, "one"), "."]);
  return work;
}

async function imageOf(
  work: string,
  source: string | undefined,
  options: MakeOptions = {},
): Promise<{ bytes: Buffer; summary: MakeSummary }> {
  const summary = await make(source, join(work, "image"), { date: DATE, ...options });
  return { bytes: readFileSync(join(work, "image")), summary };
}

test("sources of every kind, side by side, are as a directory of them", async (t) => {
  const work = createVersions(t);
  await make(join(work, "one.tar"), join(work, "one.img"), { date: DATE });
  const all = join(work, "all");
  for (const [place, version] of [
    ["main", "one"],
    ["v1", "one"],
    ["deep/v2", "two"],
    ["old", "one"],
  ] as const) {
    const target = place === "main" ? all : join(all, place);
    cpSync(join(work, version), target, {
      recursive: true,
      verbatimSymlinks: true,
      // An empty directory is not in a commit, nor is a repository in a directory.
      filter: (path) => !/\.git$/.test(path) && !(version === "two" && path.endsWith("empty")),
    });
  }
  const add = [
    { prefix: "v1", source: join(work, "one.tar") },
    { prefix: "deep/v2/", source: join(work, "two"), ref: "main" },
    { prefix: "old", source: join(work, "one.img") },
  ];
  const message = "all";
  const joined = await imageOf(work, join(work, "one"), { add, message });
  assert.equal(joined.summary.sourceKind, "mixed");
  const whole = await imageOf(work, all, { message });
  assert.ok(joined.bytes.equals(whole.bytes));
  // Their order does not matter, and what is in several of them is stored once.
  const again = await imageOf(work, join(work, "one"), { add: [...add].reverse(), message });
  assert.ok(again.bytes.equals(whole.bytes));
  const { bytes } = await imageOf(work, join(work, "one"));
  assert.ok(joined.bytes.length < 2 * bytes.length);
});

test("the commit names the sources, and has the date of the newest", async (t) => {
  const work = createVersions(t);
  const head = git(join(work, "two"), "rev-parse", "HEAD").trim();
  await make(join(work, "one.tar"), join(work, "one.img"), { date: DATE });
  const zip = join(work, "zip");
  writeFileSync(zip, zipOf([{ name: "a", content: "a" }]));
  const made = await docteur([
    ...["make", "-q", "--add", `two=${join(work, "two")}@main`, "--add", `one/img=${join(work, "one.img")}`],
    ...["--add", `zip=${zip}`, join(work, "image")],
  ]);
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  const volume = await open(join(work, "image"));
  t.after(() => volume.close());
  const { commit } = await open(join(work, "one.img"));
  assert.equal(
    volume.commit.message,
    `Files of 3 sources\n\n/one/img: the files of an image of commit ${commit.oid}\n/two: commit ${head}\n/zip: a zip archive\n`,
  );
  const seconds = Number(git(join(work, "two"), "log", "-1", "--format=%ct").trim());
  const newest = Math.max(seconds, commit.date!.getTime() / 1000);
  assert.equal(volume.commit.date!.getTime() / 1000, newest);
});

test("entries of two sources at one path", async (t) => {
  const work = createVersions(t);
  const one = join(work, "one");
  const plain = join(work, "plain");
  mkdirSync(join(plain, "run"), { recursive: true });
  const refused = async (
    main: string | undefined,
    add: MakeOptions["add"],
    message: string,
  ): Promise<void> => {
    const make = imageOf(work, main, { add });
    await assert.rejects(make, { code: "BadSource", message });
  };
  await refused(
    undefined,
    [
      { prefix: "v", source: one },
      { prefix: "v", source: join(work, "one.tar") },
    ],
    `v/docs/page 0 is in both ${one} (--add v) and ${join(work, "one.tar")} (--add v)`,
  );
  await refused(
    one,
    [{ prefix: "docs", source: join(one, "docs") }],
    `docs/page 0 is in both ${one} and ${join(one, "docs")} (--add docs)`,
  );
  const file = "is a file in one source and a directory in the other";
  await refused(one, [{ prefix: "run/x", source: plain }], `run ${file}: ${one}, ${plain} (--add run/x)`);
  await refused(
    undefined,
    [
      { prefix: "a", source: plain },
      { prefix: "a", source: one },
    ],
    `a/run ${file}: ${plain} (--add a), ${one} (--add a)`,
  );
});

test("arguments of --add that are refused", async (t) => {
  const work = createVersions(t);
  const one = join(work, "one");
  const image = join(work, "image");
  for (const [args, status, message] of [
    [["--add", "x", image], 16, /^docteur: --add lacks a prefix or a source: x\n/],
    [["--add", "=x", image], 16, /^docteur: --add lacks a prefix/],
    [["--add", `../x=${one}`, image], 16, /^docteur: not a directory of the image: "\.\.\/x"\n/],
    [["--add", `/=${one}`, image], 16, /^docteur: not a directory of the image: "\/"\n/],
    [["--add", `a/.git=${one}`, image], 8, /\.git/],
    [["--add", `a=${work}/none`, image], 8, /none does not exist\n/],
    [["--add", "a=-", "--add", "b=-", image], 16, /^docteur: two sources are standard input\n/],
    [
      ["--add", `a=${one}`, "--subdir", "x", image],
      16,
      /^docteur: --subdir is for SOURCE, and there is none\n/,
    ],
    [["--add", `a=${one}`, "--repack", join(work, "two"), image], 16, /--repack is for a repository alone\n/],
    [["--add", `a=${one}`], 16, /^docteur: IMAGE is missing\n/],
  ] as [string[], number, RegExp][]) {
    const { status: actual, stderr } = await docteur(["make", ...args]);
    assert.match(stderr, message);
    assert.equal(actual, status, stderr);
  }
});

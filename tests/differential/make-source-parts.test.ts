/** Parts of directories and archives: --subdir, and --strip-components as GNU tar has it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError } from "../../src/index.js";
import { type MakeOptions, make } from "../../src/make/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import { createRandomTree } from "../support/random-tree.js";
import { tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

function createSource(t: TestContext) {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "pkg", "lib", "deep"), { recursive: true });
  writeFileSync(join(source, "top"), "top");
  writeFileSync(join(source, "pkg", "readme"), "readme");
  writeFileSync(join(source, "pkg", "lib", "file"), "file", { mode: 0o755 });
  writeFileSync(join(source, "pkg", "lib", "deep", "x"), "x");
  symlinkSync("lib/file", join(source, "pkg", "link"));
  const archive = join(work, "archive");
  const pack = (): string => {
    execFileSync("tar", ["-C", source, "-cf", archive, "top", "pkg"]);
    return archive;
  };
  return { work, source, pack };
}

async function treeOf(source: string, work: string, options: MakeOptions = {}): Promise<string> {
  return (await makeAndCheck(source, work, options)).summary.tree;
}

async function fails(source: string, options: MakeOptions, code: string, message: RegExp): Promise<void> {
  await assert.rejects(make(source, join(tmpdir(), "docteur-never"), { date: DATE, ...options }), (error) => {
    assert.ok(error instanceof DocteurError);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test("--subdir of a directory, an archive and a work tree is the image of that directory", async (t) => {
  const { work, source, pack } = createSource(t);
  const archive = pack();
  for (const subdir of ["pkg", "pkg/lib", "/pkg/./lib/"]) {
    const expected = await treeOf(join(source, subdir), work);
    assert.equal(await treeOf(source, work, { subdir }), expected, subdir);
    assert.equal(await treeOf(archive, work, { subdir }), expected, subdir);
  }
  assert.equal(await treeOf(source, work, { subdir: "." }), await treeOf(source, work));
  git(source, "init", "-q", "-b", "main");
  commitAll(source, "first");
  const committed = await treeOf(source, work, { subdir: "pkg/lib" });
  assert.equal(await treeOf(source, work, { subdir: "pkg/lib", worktree: true }), committed);
});

test("patterns match from the root of the source, whatever becomes the image's root", async (t) => {
  const { work, source, pack } = createSource(t);
  const archive = pack();
  const expected = await treeOf(join(source, "pkg"), work, { exclude: ["/lib/deep"] });
  for (const from of [source, archive])
    for (const options of [{ subdir: "pkg" }, { stripComponents: 1 }])
      assert.equal(await treeOf(from, work, { ...options, exclude: ["/pkg/lib/deep"] }), expected, from);
});

test("--subdir that is not there, no directory, left out, or out of the source", async (t) => {
  const { source, pack } = createSource(t);
  symlinkSync("pkg", join(source, "linked"));
  const archive = pack();
  for (const from of [source, archive]) {
    for (const subdir of ["nope", "pkg/lib/nope", "top", "top/x", "pkg/link", "linked", "linked/lib"])
      await fails(from, { subdir }, "NoSuchRevision", /^there is no directory /);
    await fails(
      from,
      { subdir: "pkg", exclude: ["pkg"] },
      "NoSuchRevision",
      /^there is no directory pkg in /,
    );
    await fails(from, { subdir: "../pkg" }, "InvalidArgument", /^not a directory of the source/);
  }
});

for (const strip of [1, 2, 3])
  test(`--strip-components ${strip} of an archive gives what GNU tar extracts`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const { work, source, pack } = createSource(t);
      // Of more names random trees give one path to several files.
      if (strip === 1) createRandomTree(join(source, "pkg"), seed, 2);
      // GNU tar makes no link to a name that it took away whole.
      if (strip < 3) linkSync(join(source, "pkg", "lib", "file"), join(source, "pkg", "lib", "deep", "same"));
      const archive = pack();
      const extracted = join(work, "extracted");
      mkdirSync(extracted);
      execFileSync("tar", ["-C", extracted, `--strip-components=${strip}`, "-xf", archive], {
        stdio: "pipe",
      });
      const expected = await treeOf(extracted, work);
      const { summary } = await makeAndCheck(archive, work, { stripComponents: strip });
      assert.equal(summary.tree, expected, `seed ${seed}`);
      const members = execFileSync("tar", ["-tf", archive, "--quoting-style=escape"], { encoding: "latin1" });
      const left = members.split("\n").filter((path) => /^[^\n]*[^/]$/.test(path));
      const short = left.filter((path) => path.split("/").length <= strip);
      assert.equal(summary.strippedCount, short.length);
      assert.ok(short.length > 0);
      const directory = await makeAndCheck(source, work, { stripComponents: strip });
      assert.equal(directory.summary.strippedCount, short.length);
      assert.equal(directory.summary.tree, expected);
    }
  });

test("with both the names are taken away below the directory", async (t) => {
  const { work, source, pack } = createSource(t);
  const expected = await treeOf(join(source, "pkg", "lib"), work);
  for (const from of [source, pack()]) {
    const { summary } = await makeAndCheck(from, work, { subdir: "pkg", stripComponents: 1 });
    assert.equal(summary.tree, expected);
    assert.equal(summary.strippedCount, 2);
  }
});

test("two files of one path: of an archive the last counts, of a directory neither", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  for (const folder of ["a", "b"]) {
    mkdirSync(join(source, folder, "both"), { recursive: true });
    writeFileSync(join(source, folder, "both", folder), folder);
  }
  const merged = await makeAndCheck(source, work, { stripComponents: 1 });
  assert.equal(git(merged.repository, "ls-tree", "-r", "--name-only", "image"), "both/a\nboth/b");
  writeFileSync(join(source, "a", "file"), "a");
  writeFileSync(join(source, "b", "file"), "b");
  await fails(
    source,
    { stripComponents: 1 },
    "BadSource",
    /^--strip-components gives file to more than one file$/,
  );
  const archive = join(work, "archive");
  writeFileSync(archive, tarOf({ name: "a/file", content: "a" }, { name: "b/file", content: "b" }));
  const { repository } = await makeAndCheck(archive, work, { stripComponents: 1 });
  assert.equal(git(repository, "cat-file", "blob", "image:file"), "b");
});

test("hard links to members that are no part of the image have their content", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const link = { name: "a/link", type: "1", link: "b/file" };
  writeFileSync(archive, tarOf({ name: "b/file", content: "b" }, link));
  const { repository, summary } = await makeAndCheck(archive, work, { subdir: "a" });
  assert.equal(git(repository, "cat-file", "blob", "image:link"), "b");
  assert.equal(summary.fileCount, 1);
});

test("on the command line", async (t) => {
  const { work, source, pack } = createSource(t);
  const image = join(work, "image");
  const made = await docteur(["make", "-d", DATE, "--strip-components", "1", pack(), image]);
  assert.equal(made.status, 0);
  assert.equal(made.stderr, "docteur: note: 1 file left out: --strip-components takes the whole path away\n");
  const expected = readFileSync(image);
  rmSync(image);
  await docteur(["make", "-d", DATE, "--subdir=pkg", source, image]);
  assert.ok(readFileSync(image).equals(expected));
  for (const count of ["x", "-1", "513"])
    assert.equal((await docteur(["make", `--strip-components=${count}`, source, image])).status, 16, count);
});

/** Parts of commits: --exclude and --strip-components give the trees that they give of the same files in a directory. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError } from "../../src/index.js";
import { type MakeOptions, make } from "../../src/make/index.js";
import { makeAndCheck } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { CraftedRepository } from "../support/crafted-repository.js";
import { commitAll, git } from "../support/git.js";
import { clientEnvironment, startHttpServer, useEnvironment } from "../support/git-servers.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { temporaryFolder } from "../support/temporary.js";

const SUBMODULE = "1234567890".repeat(4);

function createSource(t: TestContext) {
  const work = temporaryFolder(t);
  useEnvironment(t, clientEnvironment(work));
  const source = join(work, "source");
  mkdirSync(join(source, "pkg", "lib", "deep"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "top"), "top");
  writeFileSync(join(source, "pkg", "readme"), "readme");
  writeFileSync(join(source, "pkg", "lib", "file"), "file", { mode: 0o755 });
  writeFileSync(join(source, "pkg", "lib", "deep", "x"), "x");
  symlinkSync("lib/file", join(source, "pkg", "link"));
  const head = commitAll(source, "first");
  return { work, source, head };
}

/** The tree and the count that a source comes to, or the error. */
async function outcomeOf(source: string, work: string, options: MakeOptions): Promise<string> {
  try {
    const { tree, strippedCount } = await make(source, join(work, "image"), options);
    return `${tree}, ${strippedCount} stripped`;
  } catch (error) {
    assert.ok(error instanceof DocteurError);
    return error.message.replace(/ in .*/, "");
  }
}

const PATTERNS = ["a*", "!a.txt", "b/", "/a/b", "**/ab", "a/**/b", "*.c", "[AB]*", "!b", "pkg/lib", "?", "é"];

for (const seed of [1, 2, 3, 4])
  test(`as of a directory, for random trees and patterns: seed ${seed}`, async (t) => {
    const { work, source } = createSource(t);
    const random = seeded(seed);
    createRandomTree(join(source, "pkg"), seed, 3);
    commitAll(source, "random");
    let refusals = 0;
    for (let left = 12; left > 0; left--) {
      const options: MakeOptions = {
        exclude: PATTERNS.filter(() => random(4) === 0),
        stripComponents: random(3),
        ...(random(3) === 0 ? { subdir: random(2) ? "pkg" : "pkg/lib" } : {}),
      };
      const expected = await outcomeOf(source, work, { ...options, worktree: true });
      assert.equal(await outcomeOf(source, work, options), expected, JSON.stringify(options));
      if (!expected.includes("stripped")) refusals++;
    }
    assert.ok(refusals < 12);
  });

test("the commit says what was taken away of which other", async (t) => {
  const { work, source, head } = createSource(t);
  const options = { exclude: ["*.o", "/pkg/lib/deep", "two\nlines"], stripComponents: 1 };
  const { summary, repository } = await makeAndCheck(source, work, options);
  assert.equal(summary.sourceCommit, head);
  assert.equal(summary.strippedCount, 1);
  assert.equal(summary.fileCount, 3);
  assert.equal(
    git(repository, "log", "-1", "--format=%B", "image"),
    `Part of commit ${head}\n\nExclude: *.o\nExclude: /pkg/lib/deep\nExclude: two\\nlines\nStrip-components: 1\n`,
  );
  const people = (path: string, commit: string) =>
    git(path, "log", "-1", "--format=%an %ae %ad %cn %ce %cd", commit);
  assert.equal(people(repository, "image"), people(source, head));
  assert.equal(git(repository, "ls-tree", "-r", "--name-only", "image"), "lib/file\nlink\nreadme");
  const repacked = await makeAndCheck(source, work, { ...options, repack: true });
  assert.equal(repacked.summary.commit, summary.commit);
  const of = await makeAndCheck(source, work, { subdir: "pkg", exclude: ["deep"], message: "m" });
  assert.equal(git(of.repository, "log", "-1", "--format=%B", "image"), "m\n");
  const part = await makeAndCheck(source, work, { subdir: "pkg", exclude: ["deep"] });
  assert.equal(
    git(part.repository, "log", "-1", "--format=%B", "image"),
    `Directory pkg of commit ${head}\n\nExclude: deep\n`,
  );
});

test("a commit of which nothing is taken away stays what it is, unless it gets other words", async (t) => {
  const { work, source, head } = createSource(t);
  const { summary } = await makeAndCheck(source, work, { exclude: ["nothing", "*.o"] });
  assert.equal(summary.commit, head);
  assert.equal(summary.sourceCommit, head);
  const worded = await makeAndCheck(source, work, { exclude: ["nothing"], message: "m" });
  assert.notEqual(worded.summary.commit, head);
  assert.equal(worded.summary.tree, summary.tree);
});

test("submodules are directories to patterns, and nothing without their names", async (t) => {
  const { work, source } = createSource(t);
  git(source, "update-index", "--add", "--cacheinfo", `160000,${SUBMODULE},vendor/sub`);
  git(source, "commit", "-q", "-m", "a submodule");
  assert.equal((await makeAndCheck(source, work, { exclude: ["top"] })).summary.omittedSubmodules.count, 1);
  assert.equal((await makeAndCheck(source, work, { exclude: ["sub/"] })).summary.omittedSubmodules.count, 0);
  const { summary } = await makeAndCheck(source, work, { stripComponents: 2 });
  assert.deepEqual([summary.omittedSubmodules.count, summary.fileCount, summary.strippedCount], [0, 2, 3]);
});

test("a directory that patterns leave out is no part to take", async (t) => {
  const { work, source } = createSource(t);
  await assert.rejects(make(source, join(work, "image"), { subdir: "pkg/lib", exclude: ["lib"] }), {
    code: "NoSuchRevision",
    message: /^there is no directory pkg\/lib in the commit [0-9a-f]{40}$/,
    hint: /--exclude/,
  });
});

/** A commit of 10^depth paths: trees that hold the one below ten times, the lowest with `leaf`. */
function createNested(
  path: string,
  depth: number,
  leaf: readonly (readonly [string, string, string])[],
): void {
  const repository = new CraftedRepository(path);
  let tree = repository.tree(leaf);
  for (let level = 0; level < depth; level++) {
    const below = tree;
    tree = repository.tree(Array.from({ length: 10 }, (_, index) => ["40000", `d${index}`, below] as const));
  }
  repository.commit(tree);
}

test("trees that many paths lead to are trimmed once", async (t) => {
  const { work } = createSource(t);
  const repository = join(work, "nested");
  createNested(repository, 60, [
    ["100644", "file", new CraftedRepository(join(work, "blob")).write("blob", "")],
  ]);
  new CraftedRepository(repository).write("blob", "");
  const image = join(work, "image");
  // Each of the trees is another one without `d3`, and the empty ones at the bottom are one.
  const { objectCount } = await make(repository, image, { exclude: ["d3"] });
  assert.equal(objectCount, 1 + 61 + 1);
  await assert.rejects(make(repository, image, { stripComponents: 30 }), {
    code: "BadSource",
    message: "--strip-components gives file to more than one file",
  });
  const empty = join(work, "empty");
  createNested(empty, 60, []);
  assert.equal((await make(empty, image, { stripComponents: 30 })).objectCount, 1 + 31);
});

test("partial clones fetch the trees, and of the files those that are in the image", async (t) => {
  const { work, source } = createSource(t);
  const random = seeded(1);
  writeFileSync(
    join(source, "pkg", "lib", "large"),
    Buffer.from(Array.from({ length: 1 << 21 }, () => random(256))),
  );
  commitAll(source, "large");
  const served = join(work, "served");
  mkdirSync(served);
  git(served, "clone", "-q", "--bare", source, "site.git");
  git(join(served, "site.git"), "config", "uploadpack.allowFilter", "true");
  const { url } = await startHttpServer(t, served);
  for (const filter of ["blob:none", "tree:0"])
    for (const options of [
      { exclude: ["pkg"] },
      { subdir: "pkg", exclude: ["lib"] },
      { stripComponents: 3 },
    ]) {
      const expected = await makeAndCheck(source, work, options);
      const clone = join(work, `${filter}${JSON.stringify(options)}`);
      git(work, "clone", "-q", "--no-checkout", `--filter=${filter}`, `file://${served}/site.git`, clone);
      git(clone, "remote", "set-url", "origin", `${url}/site.git`);
      const made = await makeAndCheck(clone, work, { ...options, maxFetch: 1 << 20 });
      assert.ok(made.bytes.equals(expected.bytes), clone);
    }
  const remote = await makeAndCheck(`${url}/site.git`, work, { exclude: ["lib"] });
  assert.ok(remote.bytes.equals((await makeAndCheck(source, work, { exclude: ["lib"] })).bytes));
});

test("on the command line", async (t) => {
  const { work, source, head } = createSource(t);
  const image = join(work, "image");
  const made = await docteur(["make", "--strip-components", "1", "--exclude=deep", source, image]);
  assert.deepEqual(
    [made.status, made.stderr],
    [0, "docteur: note: 1 file left out: --strip-components takes the whole path away\n"],
  );
  const listed = await docteur(["ls", "-r", image]);
  assert.equal(listed.stdout, "/lib\n/lib/file\n/link\n/readme\n");
  const shown = await docteur(["verify", "--json", image]);
  assert.match(shown.stdout, new RegExp(`Part of commit ${head}`));
});

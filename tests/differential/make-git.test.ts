/** Images of git repositories, in every form that repositories and revisions have. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import { resolveCommit } from "../../src/git-program/revision.js";
import { make } from "../../src/make/index.js";
import { fixture, fixtureLines } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

/** A repository of two commits, a branch, tags of every kind, a submodule entry and awkward names. */
function createRepository(t: TestContext) {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "dir"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "only-in-history"), "gone later\n");
  writeFileSync(join(source, "dir", "file"), "first\n");
  const first = commitAll(source, "first");
  rmSync(join(source, "only-in-history"));
  writeFileSync(join(source, "dir", "file"), "second\n");
  writeFileSync(join(source, "run.sh"), "#!/bin/sh\n");
  chmodSync(join(source, "run.sh"), 0o755);
  symlinkSync("nowhere", join(source, "link"));
  writeFileSync(join(source, 'new\nline \t"日本"'), "odd name\n");
  git(source, "update-index", "--add", "--cacheinfo", `160000,${"1234567890".repeat(4)},vendor/sub`);
  git(source, "add", "-A", "dir", "run.sh", "link", "only-in-history", 'new\nline \t"日本"');
  git(source, "commit", "-q", "-m", "second");
  const second = git(source, "rev-parse", "HEAD");
  git(source, "branch", "old", first);
  git(source, "tag", "light", first);
  git(source, "tag", "-a", "-m", "annotated", "v1", second);
  git(source, "tag", "-a", "-m", "a tag of a tag", "v1-signed", "v1");
  git(source, "tag", "-a", "-m", "of a tree", "tree-tag", "HEAD^{tree}");
  return { work, source, first, second };
}

test("a signal that comes while git is asked: its reason, as it is", async (t) => {
  const { source } = createRepository(t);
  const reason = new Error("enough");
  await assert.rejects(
    resolveCommit(source, undefined, AbortSignal.abort(reason)),
    (error) => error === reason,
  );
});

test("every form of a revision, loose and packed", async (t) => {
  const { work, source, first, second } = createRepository(t);
  const image = join(work, "image");
  const revisions: [string | undefined, string][] = [
    [undefined, second],
    ["HEAD", second],
    ["main", second],
    ["old", first],
    ["refs/heads/old", first],
    ["heads/old", first],
    ["light", first],
    ["refs/tags/light", first],
    ["v1", second],
    ["refs/tags/v1", second],
    ["v1-signed", second],
    [first, first],
    [first.slice(0, 8), first],
    [git(source, "rev-parse", "v1"), second],
    ["HEAD~1", first],
  ];
  for (const packed of [false, true]) {
    if (packed) git(source, "pack-refs", "--all");
    for (const [ref, commit] of revisions)
      assert.equal((await make(source, image, { ref })).commit, commit, `${ref}, packed: ${packed}`);
  }
});

test("the pack holds the commit's objects and none of its history; git finds it sound", async (t) => {
  const { work, source, second } = createRepository(t);
  const image = join(work, "image");
  const summary = await make(source, image, { blockSize: 1024 });
  const bytes = readFileSync(image);
  const parts = takeApart(bytes);
  assert.equal(bytes.length % 1024, 0);
  assert.equal(parts.idxOffset % 1024, 0);
  writeFileSync(join(work, "pack"), parts.pack);
  execFileSync("git", ["index-pack", "--fsck-objects", "-o", "idx", "pack"], { cwd: work, stdio: "pipe" });
  assert.ok(readFileSync(join(work, "idx")).equals(parts.idx));
  const repository = repositoryOf(parts, join(work, "check.git"));
  assert.equal(git(repository, "fsck", "--full", "--strict"), "");
  const listing = git(source, "ls-tree", "-r", "-z", second);
  assert.equal(git(repository, "ls-tree", "-r", "-z", "image"), listing);
  const objects = git(source, "rev-list", "--objects", "--no-object-names", "--no-walk", second)
    .split("\n")
    .sort();
  const packed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split(
    "\n",
  );
  assert.deepEqual(packed, objects);
  const { commit, tree, objectCount, fileCount, omittedSubmodules } = summary;
  assert.deepEqual(
    { commit, tree, objectCount, fileCount, omittedSubmodules },
    {
      commit: second,
      tree: git(source, "rev-parse", "HEAD^{tree}"),
      objectCount: objects.length,
      fileCount: 4,
      omittedSubmodules: { count: 1, first: [{ path: "/vendor/sub" }] },
    },
  );
});

test("the trees of docteur's images from git", async (t) => {
  const work = temporaryFolder(t);
  unpackTar(fixture("delta.src.tar"), work);
  const source = join(work, "delta");
  git(source, "init", "-q", "-b", "master");
  commitAll(source, "the tree of gitdelta");
  const { tree, packBytes } = await make(source, join(work, "image"), { ref: "refs/heads/master" });
  assert.equal(fixtureLines("gitdelta.verify.txt")[2], `root\t: ${tree}`);
  assert.ok(
    packBytes < takeApart(Buffer.from(fixture("gitdelta.img"))).pack.length * 1.05,
    "deltas are missing",
  );
});

test("work trees, linked work trees, bare and shallow clones, detached heads: the same bytes", async (t) => {
  const { work, source, second } = createRepository(t);
  const make1 = async (path: string): Promise<Buffer> => {
    const image = join(work, "image");
    assert.equal((await make(path, image)).commit, second, path);
    return readFileSync(image);
  };
  const expected = await make1(source);
  git(work, "clone", "-q", "--bare", source, "bare.git");
  git(work, "clone", "-q", "--depth=1", `file://${source}`, "shallow");
  git(work, "clone", "-q", "--shared", source, "shared");
  git(source, "worktree", "add", "-q", "--detach", join(work, 'linked # "tree"'), second);
  git(work, "clone", "-q", source, "detached");
  git(join(work, "detached"), "checkout", "-q", "--detach");
  cpSync(source, join(work, '#odd "name": é'), { recursive: true, verbatimSymlinks: true });
  git(join(work, "bare.git"), "repack", "-adfq", "--depth=1");
  const others = [
    "bare.git",
    "shallow",
    "shared",
    'linked # "tree"',
    "detached",
    '#odd "name": é',
    "source/.git",
  ];
  for (const other of others) assert.ok((await make1(join(work, other))).equals(expected), other);
});

test("neither settings, attributes, replace refs nor the environment change the bytes", async (t) => {
  const { work, source, first, second } = createRepository(t);
  const image = join(work, "image");
  await make(source, image);
  const expected = readFileSync(image);
  for (const [name, value] of [
    ["pack.window", "0"],
    ["pack.compression", "0"],
    ["core.compression", "1"],
    ["pack.indexVersion", "1"],
    ["pack.packSizeLimit", "1m"],
    ["core.bigFileThreshold", "1"],
    ["pack.threads", "4"],
  ] as const)
    git(source, "config", name, value);
  writeFileSync(join(source, ".git", "info", "attributes"), "* -delta\n");
  git(source, "replace", second, first);
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env = {
    ...before,
    GIT_DIR: "/nonexistent",
    GIT_OBJECT_DIRECTORY: "/nonexistent",
    GIT_INDEX_FILE: "/nonexistent",
  };
  await make(source, image);
  assert.ok(readFileSync(image).equals(expected));
});

test("nothing is written into the source, nothing is left beside the image", async (t) => {
  const { work, source } = createRepository(t);
  const list = (): string[] => readdirSync(source, { recursive: true, encoding: "utf8" }).sort();
  const before = list();
  mkdirSync(join(work, "out"));
  await make(source, join(work, "out", "image"));
  assert.deepEqual(list(), before);
  assert.deepEqual(readdirSync(join(work, "out")), ["image"]);
});

test("a broken repository is not taken for one that it lies in", async (t) => {
  const { work, source } = createRepository(t);
  const image = join(work, "image");
  // git separates the folders in which it is not to look by colons; and it knows them by their real names.
  renameSync(source, join(work, "a:b"));
  git(work, "clone", "-q", "--bare", "a:b", "bare.git");
  for (const outer of ["a:b", "bare.git"]) {
    mkdirSync(join(work, outer, "inner", ".git"), { recursive: true });
    symlinkSync(join(work, outer, "inner"), join(work, `${outer}.link`));
    for (const path of [join(outer, "inner"), `${outer}.link`])
      await assert.rejects(make(join(work, path), image), {
        code: "BadSource",
        message: `git cannot use the repository ${join(work, path)}`,
        hint: /not a git repository/,
      });
  }
  symlinkSync(join(work, "a:b"), join(work, "whole"));
  symlinkSync(join(work, "a:b", ".git"), join(work, "bare"));
  for (const path of ["whole", "bare", "a:b/.git", "a:b"]) await make(join(work, path), image);
});

test("a repository that lacks an object is an error that says which", async (t) => {
  const { work, source } = createRepository(t);
  const blob = git(source, "rev-parse", "HEAD:dir/file");
  rmSync(join(source, ".git", "objects", blob.slice(0, 2), blob.slice(2)));
  const image = join(work, "image");
  await assert.rejects(make(source, image), {
    code: "BadSource",
    message: new RegExp(`^the commit .* cannot be read: dir/file: the repository lacks the object ${blob}$`),
    hint: "git fsck tells what else is damaged",
  });
  const tree = git(source, "rev-parse", "HEAD:dir");
  rmSync(join(source, ".git", "objects", tree.slice(0, 2), tree.slice(2)));
  await assert.rejects(make(source, image), {
    code: "BadSource",
    message: new RegExp(`cannot be read: dir: the repository lacks the object ${tree}$`),
  });
  const commit = git(source, "rev-parse", "HEAD");
  const path = join(source, ".git", "objects", commit.slice(0, 2), commit.slice(2));
  rmSync(path);
  for (const ref of ["main", "v1", "v1-signed"])
    await assert.rejects(make(source, image, { ref }), {
      code: "BadSource",
      message: `git cannot read ${ref}`,
    });
  // A commit by its header, and nothing behind.
  writeFileSync(path, deflateSync("commit 5\0tree\n"));
  for (const ref of ["main", "v1", "v1-signed", commit])
    await assert.rejects(make(source, image, { ref }), {
      code: "BadSource",
      message: `git cannot read ${ref}`,
    });
  assert.ok(!readdirSync(work).some((name) => name !== "source"));
});

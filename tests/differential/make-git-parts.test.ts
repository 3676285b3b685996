/** Git sources that are not whole: partial clones, submodules, pointers of Git LFS; and parts of commits taken on purpose. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { make } from "../../src/make/index.js";
import { makeAndCheck } from "../support/checked-image.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { clientEnvironment, startHttpServer, useEnvironment } from "../support/git-servers.js";
import { temporaryFolder } from "../support/temporary.js";

const SUBMODULE = "1234567890".repeat(4);

function pointer(content: string): string {
  const oid = createHash("sha256").update(content).digest("hex");
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
}

/** A work tree of two commits, with folders of every depth. */
function createSource(t: TestContext) {
  const work = temporaryFolder(t);
  useEnvironment(t, clientEnvironment(work));
  const source = join(work, "source");
  mkdirSync(join(source, "lib", "deep", "er"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "top"), "top\n");
  writeFileSync(join(source, "lib", "old"), "only in history\n");
  const first = commitAll(source, "first");
  writeFileSync(join(source, "lib", "old"), "newer\n");
  writeFileSync(join(source, "lib", "deep", "er", "file"), "deep\n");
  writeFileSync(join(source, "lib", "deep", "run"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("lib", join(source, "link"));
  const head = commitAll(source, "second");
  return { work, source, first, head };
}

/** What every file below a folder holds. */
function contentsOf(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path, readFileSync(path, "latin1")]));
}

test("partial clones: what they lack is fetched, and kept out of them", async (t) => {
  const { work, source, first } = createSource(t);
  const served = join(work, "served");
  mkdirSync(served);
  git(served, "clone", "-q", "--bare", source, "site.git");
  git(join(served, "site.git"), "config", "uploadpack.allowFilter", "true");
  const { url, requests } = await startHttpServer(t, served);
  const { bytes } = await makeAndCheck(source, work);
  const part = await makeAndCheck(source, work, { subdir: "lib/deep" });
  for (const filter of ["blob:none", "tree:0"]) {
    const clone = join(work, filter);
    git(work, "clone", "-q", "--no-checkout", `--filter=${filter}`, `file://${served}/site.git`, filter);
    git(clone, "remote", "set-url", "origin", `${url}/site.git`);
    const before = contentsOf(clone);
    requests.length = 0;
    const made = await makeAndCheck(clone, work);
    assert.ok(made.bytes.equals(bytes), filter);
    // Rounds of two requests each, not one for every object.
    assert.ok(requests.length <= 3 * (filter === "tree:0" ? 2 : 1), requests.join(", "));
    assert.ok((await makeAndCheck(clone, work, { subdir: "lib/deep" })).bytes.equals(part.bytes), filter);
    assert.equal((await makeAndCheck(clone, work, { ref: "HEAD~1" })).summary.commit, first);
    assert.deepEqual(contentsOf(clone), before, "the clone was written to");
  }
  renameSync(join(served, "site.git"), join(served, "gone.git"));
  const image = join(work, "none");
  for (const filter of ["blob:none", "tree:0"])
    await assert.rejects(make(join(work, filter), image), {
      code: "BadSource",
      message: /is a partial clone, and what it lacks of the commit [0-9a-f]{40} cannot be fetched$/,
      hint: /^git says: fatal: repository '.*' not found$/,
    });
});

test("submodules' own checkouts, worktrees of them, and chains of borrowed objects", async (t) => {
  const { work, source, head } = createSource(t);
  const { bytes } = await makeAndCheck(source, work);
  const outer = join(work, "outer");
  mkdirSync(outer);
  git(outer, "init", "-q", "-b", "main");
  git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "vendor/inner");
  commitAll(outer, "with a submodule");
  assert.ok(readFileSync(join(outer, "vendor", "inner", ".git"), "utf8").startsWith("gitdir: "));
  git(join(outer, "vendor", "inner"), "worktree", "add", "-q", "--detach", join(work, "linked"), head);
  git(work, "clone", "-q", "--shared", source, "second");
  git(work, "clone", "-q", "--shared", "--bare", "second", "third.git");
  git(join(work, "third.git"), "pack-refs", "--all");
  // As long a chain as git follows.
  const chain = ["second", "4", "5", "6", "7", "8"];
  chain.slice(1).forEach((name, at) => {
    git(work, "clone", "-q", "--shared", chain[at]!, name);
  });
  for (const path of ["outer/vendor/inner", "linked", "second", "third.git", "8"])
    assert.ok((await makeAndCheck(join(work, path), work)).bytes.equals(bytes), path);
  const { summary } = await makeAndCheck(outer, work);
  assert.deepEqual(summary.omittedSubmodules, { count: 1, first: [{ path: "/vendor/inner" }] });
  assert.equal(summary.fileCount, 1);
});

test("a part of a commit is a commit that says what it is", async (t) => {
  const { work, source, head, first } = createSource(t);
  const whole = await makeAndCheck(source, work);
  for (const root of ["", ".", "/", "././"])
    assert.ok((await makeAndCheck(source, work, { subdir: root })).bytes.equals(whole.bytes), root);
  const { summary, repository } = await makeAndCheck(source, work, { subdir: "lib/deep" });
  assert.equal(summary.sourceCommit, head);
  assert.equal(summary.fileCount, 2);
  assert.equal(summary.tree, git(source, "rev-parse", "HEAD:lib/deep"));
  const original = git(source, "cat-file", "commit", head).split("\n");
  const lines = original.filter((line) => /^(author|committer) /.test(line));
  assert.equal(lines.length, 2);
  assert.equal(
    git(repository, "cat-file", "commit", "image"),
    [`tree ${summary.tree}`, ...lines, "", `Directory lib/deep of commit ${head}`].join("\n"),
  );
  const again = await makeAndCheck(source, work, { subdir: "./lib/deep/" });
  assert.deepEqual(again.summary, summary);
  const older = await makeAndCheck(source, work, { subdir: "lib", ref: "HEAD~1" });
  assert.equal(older.summary.sourceCommit, first);
  assert.notEqual(older.summary.commit, summary.commit);
});

test("names in another encoding, in the commit and in the path", async (t) => {
  const { work, source } = createSource(t);
  mkdirSync(join(source, 'ü "x"', "*"), { recursive: true });
  writeFileSync(join(source, 'ü "x"', "*", "file"), "content\n");
  git(source, "add", "-A");
  const message = join(work, "message");
  writeFileSync(message, Buffer.from("gr\xfc\xdfe", "latin1"));
  const raw = Buffer.concat([
    Buffer.from(`tree ${git(source, "write-tree")}\nauthor J`),
    Buffer.from([0xfc]),
    Buffer.from("rgen <j@example.org> 1717740550 -0330\ncommitter C <c@example.org> 1717740551 +0000\n"),
    Buffer.from("encoding ISO-8859-1\nunknown header\n more of it\n\nmessage\n\nauthor of nothing\n"),
  ]);
  const commit = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], {
    cwd: source,
    env: GIT_ENVIRONMENT,
    input: raw,
    encoding: "utf8",
  }).trim();
  const { repository } = await makeAndCheck(source, work, { ref: commit, subdir: 'ü "x"/*' });
  const made = execFileSync("git", ["cat-file", "commit", "image"], { cwd: repository });
  const expected = [
    `tree ${git(source, "rev-parse", `${commit}:ü "x"/*`)}`,
    "author J\xfcrgen <j@example.org> 1717740550 -0330",
    "committer C <c@example.org> 1717740551 +0000",
    "encoding ISO-8859-1",
    "",
    Buffer.from(`Directory ü \\"x\\"/* of commit ${commit}\n`).toString("latin1"),
  ];
  assert.equal(made.toString("latin1"), expected.join("\n"));
});

test("parts that are not there, or no directories", async (t) => {
  const { work, source } = createSource(t);
  git(source, "update-index", "--add", "--cacheinfo", `160000,${SUBMODULE},vendor/sub`);
  git(source, "commit", "-q", "-m", "a submodule");
  const head = git(source, "rev-parse", "HEAD");
  const image = join(work, "image");
  const directory = "--subdir takes a directory";
  const cases: [string, string, string][] = [
    ["absent", `there is no directory absent in the commit ${head}`, "its root has lib, vendor"],
    ["lib/dee", `there is no directory lib/dee in the commit ${head}`, "its root has lib, vendor"],
    ["top/x", `there is no directory top/x in the commit ${head}`, "its root has lib, vendor"],
    ["lib/*", `there is no directory lib/* in the commit ${head}`, "its root has lib, vendor"],
    [":(top)lib", `there is no directory :(top)lib in the commit ${head}`, "its root has lib, vendor"],
    ["--help", `there is no directory --help in the commit ${head}`, "its root has lib, vendor"],
    ["lib/old", `lib/old is a file in the commit ${head}`, directory],
    ["link", `link is a symbolic link in the commit ${head}`, directory],
    [
      "vendor/sub",
      `vendor/sub is a submodule, which has a repository of its own in the commit ${head}`,
      directory,
    ],
  ];
  for (const [subdir, message, hint] of cases)
    await assert.rejects(make(source, image, { subdir }), { code: "NoSuchRevision", message, hint }, subdir);
  for (const subdir of ["..", "lib/../top", "a\0b"])
    await assert.rejects(make(source, image, { subdir }), { code: "InvalidArgument" }, subdir);
  assert.ok(!readdirSync(work).some((name) => name !== "source"));
});

test("submodules and LFS pointers are counted; strict makes them errors", async (t) => {
  const { work, source } = createSource(t);
  const none = await makeAndCheck(source, work, { strict: true });
  assert.deepEqual(none.summary.lfsPointers, { count: 0, first: [] });
  mkdirSync(join(source, "media"));
  const real = pointer("the content");
  const files: [string, string][] = [
    ["a.bin", real],
    ["new\nline", real],
    ["with-extension", real.replace("oid ", `ext-0-foo sha256:${"0".repeat(64)}\noid `)],
    ["not-1", `${real}${"x".repeat(1024)}`],
    ["not-2", real.replace("version", "Version")],
    ["not-3", real.replace("sha256:", "sha512:")],
    ["not-4", real.replace("size", "sise")],
    ["not-5", "x".repeat(500)],
    ["not-6", "\n".repeat(200)],
  ];
  for (const [name, content] of files) writeFileSync(join(source, "media", name), content);
  symlinkSync(real.replaceAll("\n", "/"), join(source, "media", "not-7"));
  for (let copy = 0; copy < 4; copy++) writeFileSync(join(source, "media", `z${copy}`), pointer(`${copy}`));
  commitAll(source, "pointers");
  const pointers = (await makeAndCheck(source, work)).summary.lfsPointers;
  assert.deepEqual(pointers, {
    count: 7,
    first: ["a.bin", "new\nline", "with-extension", "z0", "z1"].map((name) => ({ path: `/media/${name}` })),
  });
  const image = join(work, "image");
  const hint = "without --strict this is a warning; an image of a plain directory can hold all of it";
  await assert.rejects(make(source, image, { strict: true }), {
    code: "BadSource",
    message:
      '7 files would be only pointers of Git LFS: media/a.bin, "media/new\\nline", media/with-extension, media/z0, media/z1, …',
    hint,
  });
  assert.equal((await make(source, image, { strict: true, subdir: "lib" })).lfsPointers.count, 0);
  for (const name of ["one", "two"])
    git(source, "update-index", "--add", "--cacheinfo", `160000,${SUBMODULE},vendor/${name}`);
  git(source, "commit", "-q", "-m", "submodules");
  await assert.rejects(make(source, image, { strict: true }), {
    code: "BadSource",
    message: "2 submodules would be left out: vendor/one, vendor/two",
    hint,
  });
  const { summary } = await makeAndCheck(source, work);
  assert.deepEqual(summary.omittedSubmodules, {
    count: 2,
    first: [{ path: "/vendor/one" }, { path: "/vendor/two" }],
  });
  assert.deepEqual(summary.lfsPointers, pointers);
});

test("many small files are all looked through", async (t) => {
  const { work, source } = createSource(t);
  mkdirSync(join(source, "many"));
  for (let file = 0; file < 60; file++)
    writeFileSync(
      join(source, "many", `${file}`),
      file % 2 ? `${file}`.padEnd(130 + file * 10) : pointer(`${file}`),
    );
  commitAll(source, "sixty");
  const tree = git(source, "rev-parse", "HEAD:many");
  // The same folder a hundred times: more paths than pipes between the programs hold.
  const entries = Array.from({ length: 100 }, (_, index) => `040000 tree ${tree}\tcopy${index}\n`);
  const options = { cwd: source, env: GIT_ENVIRONMENT, encoding: "utf8" } as const;
  const root = execFileSync("git", ["mktree"], { ...options, input: entries.join("") }).trim();
  const ref = git(source, "commit-tree", "-m", "a hundred times", root);
  const { lfsPointers, fileCount } = await make(source, join(work, "image"), { ref });
  assert.equal(fileCount, 6000);
  assert.equal(lfsPointers.count, 3000);
});

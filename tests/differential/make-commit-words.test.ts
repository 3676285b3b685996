/** The author and the message of commits that make writes: what git writes for them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError, open } from "../../src/index.js";
import { type MakeOptions, make, makeImage } from "../../src/make/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

const AUTHOR = { name: "Zoë van Exel, J.R", email: "zoë@example.org" };

/** The commit that git writes. @param message what it reads as the message */
function commitByGit(repository: string, tree: string, person: typeof AUTHOR, message: string): string {
  const env = {
    ...GIT_ENVIRONMENT,
    GIT_AUTHOR_NAME: person.name,
    GIT_AUTHOR_EMAIL: person.email,
    GIT_AUTHOR_DATE: DATE,
    GIT_COMMITTER_NAME: person.name,
    GIT_COMMITTER_EMAIL: person.email,
    GIT_COMMITTER_DATE: DATE,
  };
  const args = ["commit-tree", tree, ...(message === "" ? [] : ["-m", message])];
  return execFileSync("git", args, { cwd: repository, env, input: "", encoding: "utf8" }).trim();
}

function createSource(t: TestContext) {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "lib"), { recursive: true });
  writeFileSync(join(source, "lib", "file"), "content\n");
  return { work, source };
}

test("directories, archives, work trees and files in memory: the commit is git commit-tree's", async (t) => {
  const { work, source } = createSource(t);
  writeFileSync(join(work, "archive"), tarOf({ name: "lib/file", content: "content\n" }));
  const tracked = join(work, "tracked");
  mkdirSync(join(tracked, "lib"), { recursive: true });
  writeFileSync(join(tracked, "lib", "file"), "content\n");
  git(tracked, "init", "-q");
  for (const message of ["", "one line", "a subject\n\nand a body, é\n", "\n\nodd\n\n"]) {
    const options: MakeOptions = { author: AUTHOR, message };
    const { summary, repository } = await makeAndCheck(source, work, options);
    // Of -m git ends the last line, and leaves the rest as it is.
    assert.equal(summary.commit, commitByGit(repository, summary.tree, AUTHOR, message), message);
    assert.equal((await makeAndCheck(join(work, "archive"), work, options)).summary.commit, summary.commit);
    const worktree = await makeAndCheck(tracked, work, { ...options, worktree: true });
    assert.equal(worktree.summary.commit, summary.commit);
    const { image, commit } = await makeImage({ "lib/file": "content\n" }, {
      ...options,
      date: DATE,
    } as object);
    assert.equal(commit, summary.commit);
    const volume = await open(image);
    assert.equal(volume.commit.author.name, AUTHOR.name);
    assert.equal(volume.commit.author.email, AUTHOR.email);
    await volume.close();
  }
});

test("one of the two alone leaves the other as it was", async (t) => {
  const { work, source } = createSource(t);
  const who = "Dr. Greenthumb <noreply@cypress.hill> 1717740550 +0200";
  const { summary, repository } = await makeAndCheck(source, work, { message: "m" });
  assert.equal(
    git(repository, "cat-file", "commit", "image"),
    `tree ${summary.tree}\nauthor ${who}\ncommitter ${who}\n\nm`,
  );
  const named = await makeAndCheck(source, work, { author: { name: "A", email: "a@b" } });
  assert.equal(
    git(named.repository, "cat-file", "commit", "image"),
    `tree ${summary.tree}\nauthor A <a@b> 1717740550 +0200\ncommitter A <a@b> 1717740550 +0200`,
  );
});

test("a part of a commit keeps the dates, and what no option changes", async (t) => {
  const { work, source } = createSource(t);
  git(source, "init", "-q", "-b", "main");
  const head = commitAll(source, "first");
  const words = async (options: MakeOptions): Promise<string[]> => {
    const made = await makeAndCheck(source, work, { subdir: "lib", ...options });
    return git(made.repository, "cat-file", "commit", "image").split("\n").slice(1);
  };
  const [author, committer] = await words({});
  const named = `Directory lib of commit ${head}`;
  assert.deepEqual(await words({ message: "m" }), [author, committer, "", "m"]);
  assert.deepEqual(await words({ author: { name: "N", email: "n@e" } }), [
    "author N <n@e> 1717740550 +0200",
    "committer N <n@e> 1717740550 +0200",
    "",
    named,
  ]);
});

test("a part of a commit in another encoding: its own people stay, new ones are UTF-8", async (t) => {
  const { work, source } = createSource(t);
  git(source, "init", "-q", "-b", "main");
  git(source, "add", ".");
  const people = Buffer.from("author J\xf6rg <j@e> 1 +0000\ncommitter J\xf6rg <j@e> 2 +0000\n", "latin1");
  const head = Buffer.from(`tree ${git(source, "write-tree")}\n`);
  const rest = Buffer.from("encoding ISO-8859-1\n\nm\n");
  const commit = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], {
    cwd: source,
    env: GIT_ENVIRONMENT,
    input: Buffer.concat([head, people, rest]),
    encoding: "utf8",
  }).trim();
  const made = await makeAndCheck(source, work, { ref: commit, subdir: "lib", author: AUTHOR, message: "é" });
  assert.equal(
    git(made.repository, "cat-file", "commit", "image"),
    `tree ${made.summary.tree}\nauthor ${AUTHOR.name} <${AUTHOR.email}> 1 +0000\n` +
      `committer ${AUTHOR.name} <${AUTHOR.email}> 2 +0000\n\né`,
  );
});

test("what git would leave out of a name, or cannot be in a commit, is refused", async (t) => {
  const { work, source } = createSource(t);
  const refused: [MakeOptions, RegExp][] = [
    [{ author: { name: "", email: "a@b" } }, /name is empty/],
    [{ author: { name: "A", email: "" } }, /e-mail address is empty/],
    [{ author: { name: "A", email: " " } }, /e-mail address is empty/],
    [{ author: { name: "A <", email: "a@b" } }, /has a <, a >, a line break or a zero byte/],
    [{ author: { name: "A\nB", email: "a@b" } }, /line break/],
    [{ author: { name: "A", email: "a>@b" } }, /e-mail address has a </],
    [{ author: { name: "A\0B", email: "a@b" } }, /zero byte/],
    [{ author: { name: " A", email: "a@b" } }, /blank/],
    [{ author: { name: "\ud800", email: "a@b" } }, /surrogate/],
    [{ author: "A <a@b>" as never }, /must be an object with a name and an email/],
    [{ message: "a\0b" }, /message has a zero byte/],
    [{ message: "\udc00" }, /surrogate/],
    [{ message: 1 as never }, /must be a string/],
  ];
  for (const [options, message] of refused)
    for (const run of [
      () => make(source, join(work, "image"), options),
      () => makeImage({}, options as object),
    ])
      await assert.rejects(run, (error) => {
        assert.ok(error instanceof DocteurError);
        assert.equal(error.code, "InvalidArgument");
        assert.match(error.message, message);
        return true;
      });
});

test("on the command line; a whole commit keeps its own words", async (t) => {
  const { work, source } = createSource(t);
  const image = join(work, "image");
  const run = (...args: string[]) => docteur(["make", "-d", DATE, ...args, source, image]);
  const made = await run("--json", "--author", `${AUTHOR.name}  <${AUTHOR.email}>`, "--message", "m");
  assert.equal(made.status, 0, made.stderr);
  await make(source, image, { date: DATE, author: AUTHOR, message: "m" });
  assert.equal(
    JSON.parse(made.stdout).commit,
    (await make(source, image, { date: DATE, author: AUTHOR, message: "m" })).commit,
  );
  for (const author of ["A", "A a@b", "<a@b", "A <a@b> c", "A <<a@b>>", ""]) {
    const refused = await run(`--author=${author}`);
    assert.equal(refused.status, 16, author);
    assert.match(
      refused.stderr,
      /^docteur: not an author: .*\nhint: an author is written as "Name <email>"\n$/,
    );
  }
  git(source, "init", "-q", "-b", "main");
  commitAll(source, "first");
  const whole = await run("--author", "A <a@b>");
  assert.equal(whole.status, 16);
  assert.match(whole.stderr, /its commit is taken as it is\nhint: --author is for --subdir, --exclude, /);
  assert.equal((await run("--message", "m", "--subdir", "lib")).status, 0);
});

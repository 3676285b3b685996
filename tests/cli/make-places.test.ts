/** `docteur make`: where a source may be, where an image may go, and what a work tree holds besides its commit. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
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
import { fileURLToPath } from "node:url";
import { make } from "../../src/make/index.js";
import { docteur } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import { clientEnvironment, useEnvironment } from "../support/git-servers.js";
import { temporaryFolder } from "../support/temporary.js";

const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));

function createSource(t: TestContext, name = "source") {
  const work = temporaryFolder(t);
  useEnvironment(t, clientEnvironment(work));
  const source = join(work, name);
  mkdirSync(join(source, "lib"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "top"), "top\n");
  writeFileSync(join(source, "lib", "file"), "file\n");
  writeFileSync(join(source, ".gitignore"), "*.o\n/dist/\n");
  const head = commitAll(source, "first");
  return { work, source, head, image: join(work, "image") };
}

test("file URLs: all that git clone takes, and where git clone finds a repository", async (t) => {
  const names = [
    "plain",
    "a b",
    "per%cent",
    "100%",
    "%zz",
    "é",
    "a%20b",
    "q?x#y",
    "%41",
    "plus+",
    "back\\slash",
  ];
  const { work, source, image } = createSource(t);
  for (const name of names) {
    renameSync(source, join(work, name));
    const path = join(work, name);
    const raw = path.replaceAll("%", "%25");
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    for (const url of [
      `file://${path}`,
      `file://${raw}`,
      `file://${encoded}`,
      `file://localhost${encoded}`,
    ]) {
      const clone = spawnSync("git", ["clone", "-q", "--bare", url, join(work, "clone")], {
        stdio: "ignore",
      });
      rmSync(join(work, "clone"), { recursive: true, force: true });
      const made = make(url, image, {});
      if (clone.status === 0) await made;
      else await assert.rejects(made, { name: "DocteurError" }, url);
    }
    renameSync(path, source);
  }
  for (const url of ["file://", "file://host", "file:///a%00b"])
    await assert.rejects(make(url, image), /path|exist/);
});

test("an image in standard output: the bytes of the file, and nothing else", async (t) => {
  const { work, source, image } = createSource(t);
  await make(source, image);
  const env = { TMPDIR: join(work, "tmp") };
  mkdirSync(env.TMPDIR);
  const made = await docteur(["make", source, "-"], { env, encoding: "latin1" });
  assert.equal(made.status, 0, made.stderr);
  assert.ok(Buffer.from(made.stdout, "latin1").equals(readFileSync(image)));
  assert.deepEqual(readdirSync(env.TMPDIR), []);
  const json = await docteur(["make", "--json", source, "-"], { env });
  assert.deepEqual([json.status, json.stdout], [16, ""]);
  const failed = await docteur(["make", "-b", "absent", source, "-"], { env });
  assert.deepEqual([failed.status, failed.stdout], [13, ""]);
  if (existsSync("/dev/full")) {
    const script = `exec "$0" "$@" > /dev/full`;
    const full = spawnSync("sh", ["-c", script, process.execPath, PROGRAM, "make", source, "-"], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    assert.equal(full.status, 8, full.stderr);
    assert.match(full.stderr, /^docteur: cannot write to standard output: no space left on device$/m);
  }
  assert.deepEqual(readdirSync(env.TMPDIR), []);
});

test("a signal ends make whose output nobody reads", { skip: process.platform === "win32" }, async (t) => {
  const { work, source } = createSource(t);
  writeFileSync(
    join(source, "noise"),
    Buffer.from(Uint32Array.from({ length: 300_000 }, (_, at) => at * 2654435761).buffer),
  );
  commitAll(source, "larger than a pipe");
  const env = { TMPDIR: join(work, "tmp") };
  mkdirSync(env.TMPDIR);
  const { status, signal } = await docteur(["make", source, "-"], {
    env,
    onStart: (child) => {
      child.stdout!.pause();
      // Once something has come, the rest does not fit into the pipe.
      child.stdout!.once("readable", () => child.kill("SIGTERM"));
      child.once("exit", () => child.stdout!.resume());
    },
  });
  assert.deepEqual([status, signal], [null, "SIGTERM"]);
  assert.deepEqual(readdirSync(env.TMPDIR), []);
});

test("a working directory that was removed is named as the cause", {
  skip: process.platform === "win32",
}, (t) => {
  const { work, source, image } = createSource(t);
  const script = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"`;
  for (const from of [source, join(source, "lib")]) {
    const args = ["-c", script, process.execPath, PROGRAM, "make", from, image];
    const { status, stderr } = spawnSync("sh", args, { cwd: work, encoding: "utf8" });
    assert.equal(
      stderr,
      "docteur: the working directory does not exist any more\nhint: change to another directory\n",
    );
    assert.equal(status, 8);
  }
});

test("files that are not committed are told of, in one line", async (t) => {
  const { source, image } = createSource(t);
  const notes = async (...args: string[]): Promise<string> =>
    (await docteur(["make", ...args, source, image])).stderr
      .split("\n")
      .filter((line) => line.startsWith("docteur: note"))
      .join("\n");
  const without = (files: string): string =>
    `docteur: note: the image holds the last commit, without ${files} of the work tree (--worktree takes them)`;
  writeFileSync(join(source, "ignored.o"), "");
  assert.equal(await notes(), "");
  writeFileSync(join(source, "new"), "");
  assert.equal(await notes(), without("1 untracked file"));
  writeFileSync(join(source, "lib", "file"), "changed\n");
  rmSync(join(source, "top"));
  assert.equal(await notes(), without("2 changed files and 1 untracked file"));
  assert.equal(await notes("--subdir", "lib"), without("1 changed file"));
  for (const args of [["-q"], ["-b", "main"], ["--worktree"]]) assert.equal(await notes(...args), "");
});

test("--worktree takes the files that git ls-files lists, as they are", async (t) => {
  const { work, source, image } = createSource(t);
  for (const folder of ["dist", "deep/er", "empty", "nested"])
    mkdirSync(join(source, folder), { recursive: true });
  for (const path of ["dist/out", "a.o", "deep/er/new", "deep/b.o", "-dash", "é", "with\nfeed", "lib/more"])
    writeFileSync(join(source, path), path);
  writeFileSync(join(source, "lib", "file"), "changed\n", { mode: 0o755 });
  rmSync(join(source, "top"));
  symlinkSync("lib", join(source, "link"));
  writeFileSync(join(source, "forced.o"), "tracked, though a pattern matches");
  git(source, "add", "-f", "forced.o");
  git(join(source, "nested"), "init", "-q");
  writeFileSync(join(source, "nested", "file"), "of another repository");
  const before = git(source, "status", "--porcelain");
  const made = await docteur(["make", "--worktree", "-d", "2024-06-07T08:09:10Z", source, image]);
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  const listed = execFileSync("git", ["ls-files", "-coz", "--exclude-standard"], {
    cwd: source,
    encoding: "latin1",
  });
  const expected = listed
    .split("\0")
    .filter((path) => existsSync(join(source, Buffer.from(path, "latin1").toString())));
  const { stdout } = await docteur(["ls", "-rz", image], { encoding: "latin1" });
  const files = expected.filter((path) => path !== "" && !path.endsWith("/")).sort();
  assert.deepEqual(
    stdout.split("\0").filter((path) => path !== "" && files.includes(path.replace(/^\//, ""))).length,
    files.length,
  );
  assert.deepEqual(
    stdout
      .split("\0")
      .filter((path) => /dist|\.o$|empty|nested|top/.test(path))
      .map((path) => path.replace(/^\//, "")),
    ["forced.o"],
  );
  assert.equal((await docteur(["cat", image, "/lib/file"])).stdout, "changed\n");
  assert.equal(git(source, "status", "--porcelain"), before);
  const bare = join(work, "bare.git");
  git(work, "clone", "-q", "--bare", source, "bare.git");
  assert.equal((await docteur(["make", "--worktree", bare, image])).status, 8);
  for (const args of [["-b", "main"], ["--repack"]])
    assert.equal((await docteur(["make", "--worktree", ...args, source, image])).status, 16);
  assert.equal((await docteur(["make", "--worktree", join(source, "lib"), image])).status, 16);
});

/** `docteur make` as its users run it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { docteur } from "../support/cli.js";
import { fixture, fixtureLines } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { createSources, DATE, expectFailure } from "../support/make-sources.js";
import { seeded } from "../support/random.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

test("a directory: nothing is printed, the commit is docteur's", async (t) => {
  const work = temporaryFolder(t);
  unpackTar(fixture("modes.src.tar"), work);
  const commit = fixtureLines("modes.verify.txt")[0]!.slice("commit\t: ".length);
  for (const source of ["modes", "./modes/", "relativize://modes", `file://${work}/modes`]) {
    const args = ["make", "-d", DATE, "--compat", source, "image"];
    assert.deepEqual(await docteur(args, { cwd: work }), { status: 0, signal: null, stdout: "", stderr: "" });
    assert.equal(readFileSync(join(work, "image")).toString("hex", 0, 20), commit, source);
  }
});

test("--json prints what was made", async (t) => {
  const { repository, plain, commit, image } = createSources(t);
  const result = await docteur(["make", "--json", "-b", "main", "--bs=4096", repository, image]);
  const summary = JSON.parse(result.stdout);
  assert.equal(summary.sourceKind, "git");
  assert.equal(summary.commit, commit);
  assert.equal(summary.blockSize, 4096);
  assert.equal(summary.imageBytes, readFileSync(image).length);
  const env = { SOURCE_DATE_EPOCH: "1717740550" };
  const [epoch, dated] = [
    await docteur(["make", "--json", plain, image], { env }),
    await docteur(["make", "--json", "-d", "2024-06-07T06:09:10Z", plain, image]),
  ];
  assert.equal(epoch.stdout, dated.stdout);
  assert.equal(JSON.parse(epoch.stdout).sourceKind, "directory");
});

test("what a run that was killed has left is left out with a warning", async (t) => {
  const { plain, image } = createSources(t);
  const clean = await docteur(["make", "--json", plain, image]);
  const { tree, skipped } = JSON.parse(clean.stdout) as { tree: string; skipped: string[] };
  assert.deepEqual(skipped, []);
  writeFileSync(join(plain, ".docteur-0123456789abcdef.tmp"), "half an image");
  mkdirSync(join(plain, ".docteur-0123456789abcdef.d"));
  const { status, stdout, stderr } = await docteur(["make", "--json", plain, image]);
  assert.equal(status, 0);
  const warning = (end: string): string =>
    `docteur: warning: ${plain}/.docteur-0123456789abcdef.${end} is left out: an image that is not finished\n`;
  assert.equal(stderr, warning("d") + warning("tmp"));
  assert.equal((JSON.parse(stdout) as { tree: string }).tree, tree);
});

test("a nested .git is left out with a warning, which -q silences", async (t) => {
  const { plain, image } = createSources(t);
  mkdirSync(join(plain, "sub", ".git"), { recursive: true });
  const loud = await docteur(["make", plain, image]);
  assert.equal(loud.stderr, `docteur: warning: ${plain}/sub/.git is left out: git trees hold no .git\n`);
  assert.equal(loud.status, 0);
  assert.equal((await docteur(["make", "-q", plain, image])).stderr, "");
});

test("--dereference follows links, out of the source too; cycles and links to nothing are errors", async (t) => {
  const work = temporaryFolder(t);
  for (const folder of ["plain/sub", "outside"]) mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, "outside", "file"), "from outside\n", { mode: 0o755 });
  symlinkSync("../../outside", join(work, "plain", "sub", "link"));
  symlinkSync("sub/link/file", join(work, "plain", "tool"));
  const run = (...args: string[]) =>
    docteur(["make", "-d", "@1717740550", ...args, "plain", "image"], { cwd: work });
  const { status, stdout } = await run("--dereference", "--json");
  assert.equal(status, 0);
  const volume = await open(join(work, "image"));
  for (const path of ["/sub/link/file", "/tool"]) {
    assert.equal(Buffer.from(await volume.get(path)).toString(), "from outside\n");
    assert.notEqual((await volume.stat(path)).kind, "symlink");
  }
  assert.equal(volume.commit.date?.getTime(), 1717740550_000);
  await volume.close();
  assert.equal((JSON.parse(stdout) as { fileCount: number }).fileCount, 2);
  symlinkSync("..", join(work, "plain", "sub", "up"));
  const cycle = await run("--dereference");
  assert.equal(cycle.status, 8);
  assert.match(cycle.stderr, /sub\/up is a symbolic link to a directory that it is in\n/);
  rmSync(join(work, "plain", "sub", "up"));
  symlinkSync("nothing", join(work, "plain", "sub", "up"));
  const dangling = await run("--dereference");
  assert.equal(dangling.status, 8);
  assert.match(dangling.stderr, /sub\/up is a symbolic link to nothing\n/);
  assert.equal((await run()).status, 0);
});

test("--exclude-from reads patterns as a .gitignore has them; --bs takes a unit", async (t) => {
  const { work, plain, image } = createSources(t);
  for (const name of ["a.log", "keep.log", "#x"]) writeFileSync(join(plain, name), name);
  writeFileSync(join(work, "patterns"), "# logs\n\n*.log  \r\n!keep.log\n\\#x\n");
  const args = ["make", "--bs", "4k", "--exclude-from", join(work, "patterns"), "--json", plain, image];
  const { stdout, stderr } = await docteur(args);
  assert.equal(stderr, "");
  const { blockSize } = JSON.parse(stdout) as { blockSize: number };
  assert.equal(blockSize, 4096);
  const volume = await open(image);
  const names = (await volume.list("/")).map(({ path }) => path);
  assert.deepEqual(names, ["/file", "/keep.log"]);
  await volume.close();
  await expectFailure(["--exclude-from", join(work, "none"), plain, image], 8, [
    `docteur: cannot read ${join(work, "none")}: no such file or directory`,
  ]);
});

test("--exclude leaves out without a word, --skip-special with one", async (t) => {
  const { plain, image } = createSources(t);
  mkdirSync(join(plain, "sub"));
  writeFileSync(join(plain, "sub", "note.tmp"), "");
  execFileSync("mkfifo", [join(plain, "sub", "fifo"), join(plain, "pipe")]);
  await expectFailure([plain, image], 8, [
    `docteur: ${plain}/pipe is a FIFO`,
    "hint: an image holds files, directories and symbolic links: --skip-special leaves others out",
  ]);
  const args = [
    "make",
    "--json",
    "--exclude",
    "*.tmp",
    "--exclude=/sub/fifo",
    "--skip-special",
    plain,
    image,
  ];
  const { status, stdout, stderr } = await docteur(args);
  assert.equal(
    stderr,
    `docteur: warning: ${plain}/pipe is left out: not a file, directory or symbolic link\n`,
  );
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).fileCount, 1);
  assert.deepEqual(JSON.parse(stdout).skipped, [{ sourcePath: join(plain, "pipe"), reason: "special" }]);
});

test("a directory's date: -d, else SOURCE_DATE_EPOCH, else its newest file's", async (t) => {
  const { plain, image } = createSources(t);
  utimesSync(join(plain, "file"), 1, 1717740550);
  const commitOf = async (args: string[], env: Record<string, string> = {}): Promise<string> =>
    JSON.parse((await docteur(["make", "--json", ...args, plain, image], { env })).stdout).commit;
  const files = await commitOf([]);
  const epoch = await commitOf([], { SOURCE_DATE_EPOCH: "1" });
  const given = await commitOf(["-d", "1970-01-01T00:00:02Z"], { SOURCE_DATE_EPOCH: "1" });
  assert.equal(files, await commitOf(["-d", "2024-06-07T06:09:10Z"]));
  assert.equal(epoch, await commitOf(["-d", "1970-01-01T00:00:01Z"]));
  assert.equal(given, await commitOf(["-d", "1970-01-01T00:00:02Z"]));
  assert.equal(new Set([files, epoch, given]).size, 3);
});

for (const kind of ["plain", "repository"] as const) {
  test(`a signal stops the making of an image, which leaves nothing: ${kind}`, async (t) => {
    const sources = createSources(t);
    const random = seeded(6);
    const noise = Buffer.from(Uint32Array.from({ length: 500_000 }, () => random(2 ** 32)).buffer);
    for (let file = 0; file < 12; file++)
      writeFileSync(join(sources[kind], `noise${file}`), Buffer.concat([Buffer.from(`${file}`), noise]));
    if (kind === "repository") commitAll(sources.repository, "noise");
    const out = join(sources.work, "out");
    mkdirSync(out);
    writeFileSync(join(out, "image"), "old");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      let wasWriting = false;
      const result = await docteur(["make", sources[kind], join(out, "image")], {
        onStart: (child) => {
          const watch = setInterval(() => {
            if (readdirSync(out).length < 2) return;
            clearInterval(watch);
            wasWriting = true;
            setTimeout(() => child.kill(signal), 150);
          }, 5);
        },
      });
      assert.ok(wasWriting);
      assert.equal(result.signal, signal, result.stderr);
      assert.deepEqual(readdirSync(out), ["image"]);
      assert.equal(readFileSync(join(out, "image"), "utf8"), "old");
    }
  });
}

test("help and version", async () => {
  const help = await docteur(["make", "--help"]);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^usage: docteur make /);
  assert.deepEqual(await docteur(["help", "make"]), help);
  const version = (
    JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string }
  ).version;
  assert.equal((await docteur(["--version"])).stdout, `docteur ${version}\n`);
  const list = await docteur(["--help"]);
  assert.equal(list.status, 0);
  assert.match(list.stdout, /\n {2}make +make an image of a git commit, a directory or an archive\n/);
  assert.equal((await docteur([])).status, 16);
  const unknown = await docteur(["mkae"]);
  assert.equal(unknown.status, 16);
  assert.match(unknown.stderr, /^docteur: no such subcommand: mkae\nhint: did you mean make\?\n$/);
});

test("a reader that closes standard output early ends the program silently, as SIGPIPE would", async () => {
  const result = await docteur(["make", "--help"], { onStart: (child) => child.stdout?.destroy() });
  assert.deepEqual(result, { status: 141, signal: null, stdout: "", stderr: "" });
});

test("-d with a git source changes nothing, and says so", async (t) => {
  const { repository, image } = createSources(t);
  const plainRun = await docteur(["make", repository, image]);
  const expected = readFileSync(image);
  const dated = await docteur(["make", "-d", DATE, repository, image]);
  assert.deepEqual([plainRun.status, plainRun.stderr, dated.status], [0, "", 0]);
  assert.equal(dated.stderr, "docteur: warning: -d has no effect: the commit has its own date\n");
  assert.deepEqual(readFileSync(image), expected);
});

test("what a commit's image lacks is said, unless -q", async (t) => {
  const { repository, image } = createSources(t);
  for (let index = 1; index <= 6; index++)
    git(
      repository,
      "update-index",
      "--add",
      "--cacheinfo",
      `160000,${"1234567890".repeat(4)},vendor/${index}`,
    );
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 5\n`;
  writeFileSync(join(repository, "odd\tname"), pointer);
  git(repository, "add", "odd\tname");
  git(repository, "commit", "-q", "-m", "incomplete");
  const loud = await docteur(["make", repository, image]);
  const [submodules, file] = [
    "6 submodules are left out: vendor/1, vendor/2, vendor/3, vendor/4, vendor/5, …",
    '1 file is a Git LFS pointer, not the content: "odd\\tname"',
  ];
  assert.equal(loud.stderr, `docteur: warning: ${submodules}\ndocteur: warning: ${file}\n`);
  assert.equal(loud.status, 0);
  assert.equal((await docteur(["make", "-q", repository, image])).stderr, "");
  const { omittedSubmodules: listed } = JSON.parse(
    (await docteur(["make", "-q", "--json", repository, image])).stdout,
  );
  assert.equal(listed.count, 6);
  await expectFailure(["--strict", repository, image], 8, [
    "docteur: 6 submodules would be left out: vendor/1, vendor/2, vendor/3, vendor/4, vendor/5, …",
    "hint: without --strict this is a warning; an image of a plain directory can hold all of it",
  ]);
});

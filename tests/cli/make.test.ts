/** `docteur make` as its users meet it: messages, exit statuses, what is left on the disk. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open } from "../../src/index.js";
import { docteur, type RunOptions } from "../support/cli.js";
import { fixture, fixtureLines } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

const DATE = "2024-06-07T08:09:10+02:00";
const BLOCK_HINT = "hint: a block size (--bs) is a power of two, at least 512";

/** A plain directory of one file, and a repository of one commit. */
function createSources(t: TestContext) {
  const work = temporaryFolder(t);
  const plain = join(work, "plain");
  const repository = join(work, "repository");
  for (const folder of [plain, repository]) {
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "content\n");
  }
  git(repository, "init", "-q", "-b", "main");
  const commit = commitAll(repository, "message");
  return { work, plain, repository, commit, image: join(work, "image") };
}

/** Runs `docteur make` and expects it to fail in these words. */
async function expectFailure(
  args: string[],
  status: number,
  lines: string[],
  options: RunOptions = {},
): Promise<void> {
  const result = await docteur(["make", ...args], options);
  assert.equal(result.stderr, `${lines.join("\n")}\n`, args.join(" "));
  assert.equal(result.stdout, "");
  assert.equal(result.status, status, args.join(" "));
}

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
  assert.equal(summary.kind, "git");
  assert.equal(summary.commit, commit);
  assert.equal(summary.blockSize, 4096);
  assert.equal(summary.imageBytes, readFileSync(image).length);
  const env = { SOURCE_DATE_EPOCH: "1717740550" };
  const [epoch, dated] = [
    await docteur(["make", "--json", plain, image], { env }),
    await docteur(["make", "--json", "-d", "2024-06-07T06:09:10Z", plain, image]),
  ];
  assert.equal(epoch.stdout, dated.stdout);
  assert.equal(JSON.parse(epoch.stdout).kind, "directory");
});

test("arguments that make no sense", async (t) => {
  const { plain, repository, image } = createSources(t);
  const more = "hint: docteur make --help says more";
  await expectFailure([], 16, ["docteur: SOURCE is missing", more]);
  await expectFailure([plain], 16, ["docteur: IMAGE is missing", more]);
  await expectFailure(["-b", "-x", repository, image], 16, [
    "docteur: -b needs a value",
    "hint: if -x is the value, write --branch=-x",
  ]);
  await expectFailure([plain, image, "third"], 16, ["docteur: one argument too many: third", more]);
  await expectFailure(["--fast", plain, image], 16, ["docteur: unknown option --fast", more]);
  await expectFailure(["-b", "x", "-b", "y", repository, image], 16, ["docteur: -b is given twice", more]);
  for (const size of ["0", "1", "100", "513"])
    await expectFailure(["--bs", size, plain, image], 16, [`docteur: not a block size: ${size}`, BLOCK_HINT]);
  for (const size of ["", "3k", "1T", "k", "5e2"])
    await expectFailure([`--bs=${size}`, plain, image], 16, [
      `docteur: not a block size: ${size}`,
      BLOCK_HINT,
    ]);
  await expectFailure(["-d", "yesterday", plain, image], 16, [
    'docteur: not a date: "yesterday": it has none of the forms of one',
    "hint: a date is written as in RFC 3339, with its offset, 2024-06-07T08:09:10+02:00, or as seconds since 1970",
  ]);
  await expectFailure(["-b", "main", plain, image], 16, [
    `docteur: ${plain} is a plain directory`,
    "hint: -b is for git repositories",
  ]);
  await expectFailure(["--compat", repository, image], 16, [
    `docteur: ${repository} is a git repository: its trees are taken as they are`,
    "hint: --compat is for plain directories",
  ]);
  await expectFailure(["--skip-special", repository, image], 16, [
    `docteur: ${repository} is a git repository, which has no special files`,
    "hint: --skip-special is for directories, archives and --worktree",
  ]);
  await expectFailure(["--dereference", repository, image], 16, [
    `docteur: ${repository} is a git repository: its trees are taken as they are`,
    "hint: --dereference is for plain directories",
  ]);
  await expectFailure(["--exclude", "!", plain, image], 16, [
    'docteur: not a pattern: "!": it names nothing',
    "hint: a pattern is written as in a .gitignore; \\ takes the meaning from *, ?, [ and itself",
  ]);
  await expectFailure(["-b", "main", "-", image], 16, [
    "docteur: - is an archive",
    "hint: -b is for git repositories",
  ]);
  await expectFailure(["--compat", "-", image], 16, [
    "docteur: - is an archive: its members are taken as they are",
    "hint: --compat is for plain directories",
  ]);
  for (const ref of ["--upload-pack=touch x", "", "^main"])
    await expectFailure([`--branch=${ref}`, repository, image], 16, [
      `docteur: not a name of a revision: ${JSON.stringify(ref)}`,
      "hint: -b takes a branch, a tag, or a commit's id",
    ]);
  await expectFailure(["ext::sh -c true", image], 16, [
    "docteur: the source is an address for git's remote helper ext, which is not taken",
    "hint: git clone it first (--depth=1 will do), then give the path of the clone",
  ]);
  await expectFailure(["--subdir", "x", plain, image], 13, [
    `docteur: there is no directory x in ${plain}`,
    "hint: --subdir takes a directory of the source, which --exclude does not leave out",
  ]);
  await expectFailure(["--strict", plain, image], 16, [
    `docteur: ${plain} is a plain directory`,
    "hint: --strict is for git repositories",
  ]);
  await expectFailure(
    [plain, image],
    16,
    ["docteur: SOURCE_DATE_EPOCH is not a number of seconds: now", "hint: unset it, or give a date with -d"],
    { env: { SOURCE_DATE_EPOCH: "now" } },
  );
  assert.ok(!existsSync(image));
});

test("sources that cannot be imaged", async (t) => {
  const { work, repository, image } = createSources(t);
  const kinds = "hint: the source is a git repository, a directory or a tar archive";
  await expectFailure([join(work, "absent"), image], 8, [`docteur: ${work}/absent does not exist`, kinds]);
  await expectFailure([join(work, "a\nb\x1b[m"), image], 8, [
    `docteur: ${work}/a\\x0ab\\x1b[m does not exist`,
    kinds,
  ]);
  await expectFailure([join(repository, "file"), image], 8, [
    `docteur: ${repository}/file is not a tar archive`,
    "hint: the source is a git repository, a directory, or a tar archive, plain or compressed by gzip",
  ]);
  await expectFailure(["/dev/null", image], 8, ["docteur: /dev/null is no directory and no file", kinds]);
  const xz = join(work, "archive.tar.xz");
  writeFileSync(xz, Buffer.from("fd377a585a000004", "hex"));
  await expectFailure([xz, image], 8, [
    `docteur: ${xz} is compressed by xz: archives are plain, or gzip's`,
    "hint: xz -dc ARCHIVE | docteur make - IMAGE",
  ]);
  await expectFailure(["-", image], 8, [
    "docteur: standard input is not a tar archive",
    "hint: the source is a git repository, a directory, or a tar archive, plain or compressed by gzip",
  ]);
  await expectFailure(["-b", "absent", repository, image], 13, [
    `docteur: no branch, tag or commit absent in ${repository}`,
    "hint: it has main",
  ]);
  const id = "1234567890".repeat(4);
  await expectFailure(["-b", id, repository, image], 13, [
    `docteur: no branch, tag or commit ${id} in ${repository}`,
    "hint: it has main",
  ]);
  await expectFailure(["-b", "main:file", repository, image], 13, [
    "docteur: main:file is a blob, not a commit",
    "hint: -b takes a branch, a tag, or a commit's id",
  ]);
  git(repository, "tag", "-a", "-m", "of a tree", "tree-tag", "HEAD^{tree}");
  await expectFailure(["-b", "tree-tag", repository, image], 13, [
    "docteur: the tag tree-tag leads to no commit",
    "hint: -b takes a branch, a tag, or a commit's id",
  ]);
  git(repository, "symbolic-ref", "HEAD", "refs/heads/unborn");
  await expectFailure([repository, image], 13, [
    `docteur: HEAD of ${repository} leads to no commit`,
    "hint: choose one with -b: it has main, tree-tag",
  ]);
  const empty = join(work, "empty");
  git(work, "init", "-q", "empty");
  await expectFailure([empty, image], 14, [
    `docteur: the repository ${empty} has no commits`,
    "hint: commit something first",
  ]);
  const sha256 = join(work, "sha256");
  git(work, "init", "-q", "--object-format=sha256", "sha256");
  await expectFailure([sha256, image], 15, [
    `docteur: ${sha256} names its objects by SHA-256`,
    "hint: an image holds SHA-1 ids: only SHA-1 repositories will do",
  ]);
  mkdirSync(join(work, "broken", ".git"), { recursive: true });
  const broken = await docteur(["make", join(work, "broken"), image]);
  assert.equal(broken.status, 8);
  assert.match(
    broken.stderr,
    /^docteur: git cannot use the repository .*broken\nhint: git says: fatal: not a git repo.*\n$/,
  );
  assert.ok(!existsSync(image));
});

test("git's refusal of a foreign repository is passed on", async (t) => {
  const { repository, image } = createSources(t);
  const { status, stderr } = await docteur(["make", repository, image], {
    env: { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" },
  });
  assert.equal(status, 8);
  assert.match(
    stderr,
    /^docteur: git cannot use the repository .*\nhint: git says: fatal: .*dubious ownership.*safe\.directory.*\n$/,
  );
});

test("without git there are still plain directories", async (t) => {
  const { repository, plain, work, image } = createSources(t);
  const env = { PATH: work };
  await expectFailure(
    [repository, image],
    9,
    [
      "docteur: git is not installed, or not in the PATH",
      "hint: a git source needs the git program; a plain directory needs none",
    ],
    { env },
  );
  assert.equal((await docteur(["make", plain, image], { env })).status, 0);
});

test("targets that cannot be written", async (t) => {
  const { work, plain } = createSources(t);
  const deep = join(work, "absent", "image");
  await expectFailure([plain, deep], 8, [
    `docteur: cannot write ${deep}: no such file or directory`,
    "hint: a temporary file is made in the folder of image",
  ]);
  await expectFailure([plain, work], 8, [
    `docteur: cannot write ${work}: it exists and is not a regular file`,
    "hint: an image replaces its target whole; write a file, then copy it to the device",
  ]);
  if (process.getuid?.() === 0) return;
  chmodSync(work, 0o555);
  t.after(() => chmodSync(work, 0o755));
  const result = await docteur(["make", plain, join(work, "image")]);
  assert.equal(result.status, 8);
  assert.match(result.stderr, /permission denied/);
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
  assert.deepEqual(JSON.parse(stdout).skipped, [{ path: join(plain, "pipe"), reason: "special" }]);
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
  assert.match(list.stdout, /\n {2}make +make an image of a git commit, a directory or a tar archive\n/);
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
  const { submodules: listed } = JSON.parse(
    (await docteur(["make", "-q", "--json", repository, image])).stdout,
  );
  assert.equal(listed.count, 6);
  await expectFailure(["--strict", repository, image], 8, [
    "docteur: 6 submodules would be left out: vendor/1, vendor/2, vendor/3, vendor/4, vendor/5, …",
    "hint: without --strict this is a warning; an image of a plain directory can hold all of it",
  ]);
});

/** What `docteur make` refuses: arguments, sources and targets, each with its message and exit status. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { docteur } from "../support/cli.js";
import { BLOCK_HINT } from "../support/command-failures.js";
import { git } from "../support/git.js";
import { createSources, expectFailure } from "../support/make-sources.js";

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
  await expectFailure(["--frobnicate", plain, image], 16, ["docteur: unknown option --frobnicate", more]);
  await expectFailure(["--fast", "--small", plain, image], 16, [
    "docteur: --fast and --small exclude each other",
    "hint: give one of them, or none",
  ]);
  for (const option of ["--fast", "--small"])
    await expectFailure([option, repository, image], 16, [
      `docteur: ${repository} is a git repository: git packs it`,
      `hint: ${option} is for --repack, directories and archives`,
    ]);
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
  const kinds = "hint: the source is a git repository, a directory or an archive";
  await expectFailure([join(work, "absent"), image], 8, [`docteur: ${work}/absent does not exist`, kinds]);
  await expectFailure([join(work, "a\nb\x1b[m"), image], 8, [
    `docteur: ${work}/a\\x0ab\\x1b[m does not exist`,
    kinds,
  ]);
  await expectFailure([join(repository, "file"), image], 8, [
    `docteur: ${repository}/file is not an archive: neither tar nor zip`,
    "hint: the source is a git repository, a directory, a tar archive, plain or compressed by gzip, xz, zstd or bzip2, or a zip archive",
  ]);
  await expectFailure(["/dev/null", image], 8, ["docteur: /dev/null is no directory and no file", kinds]);
  const xz = join(work, "archive.tar.xz");
  writeFileSync(xz, Buffer.from("fd377a585a000004", "hex"));
  await expectFailure([xz, image], 8, [
    `docteur: ${xz}: its compression is damaged: xz: (stdin): Unexpected end of input`,
  ]);
  await expectFailure(["-", image], 8, [
    "docteur: standard input is not an archive: neither tar nor zip",
    "hint: the source is a git repository, a directory, a tar archive, plain or compressed by gzip, xz, zstd or bzip2, or a zip archive",
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

/** Images of tar archives against images of the directories that tar extracts from them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  createReadStream,
  createWriteStream,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { paxHeader, type TarMember, tarMember, tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

function tar(...args: string[]): void {
  execFileSync("tar", args, { stdio: "pipe", env: { PATH: process.env.PATH, LC_ALL: "C" } });
}

/** A folder with what archives have ways of their own for. */
function createSource(t: TestContext, seed: number): { work: string; source: string } {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  createRandomTree(source, seed, 1);
  mkdirSync(join(source, "empty"));
  writeFileSync(join(source, "linked"), "one file, two names", { mode: 0o755 });
  linkSync(join(source, "linked"), join(source, "empty", "link"));
  symlinkSync("linked", join(source, "symbolic"));
  return { work, source };
}

/** Makes images of an archive and of the directory that it is of, which must be the same. */
async function compare(archive: string, source: string, work: string): Promise<void> {
  const { summary, bytes } = await makeAndCheck(archive, work);
  const directory = await make(source, join(work, "image2"), { date: DATE });
  assert.ok(bytes.equals(readFileSync(join(work, "image2"))));
  assert.deepEqual({ ...summary, sourceKind: "directory" }, directory);
}

for (const format of ["v7", "ustar", "gnu", "oldgnu", "posix"])
  test(`archives of GNU tar's in the format ${format}`, async (t) => {
    const { work, source } = createSource(t, 7);
    if (format !== "v7") {
      // Beyond 100 bytes, which end in a header's own field: a prefix will do for the one, for the others only extensions.
      const folder = join(source, "p".repeat(90), "q".repeat(90));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "file"), "far");
      if (format !== "ustar") {
        writeFileSync(join(folder, "r".repeat(200)), "farther");
        symlinkSync("s".repeat(300), join(folder, "link"));
        linkSync(join(folder, "r".repeat(200)), join(source, "t".repeat(150)));
      }
    }
    const archive = join(work, "archive");
    tar("-cf", archive, `--format=${format}`, "-C", source, ".");
    await compare(archive, source, work);
    tar("-czf", archive, `--format=${format}`, "-C", source, ".");
    await compare(archive, source, work);
  });

test("the order of members has no part in an image", async (t) => {
  const { work, source } = createSource(t, 8);
  const found = execFileSync("find", [".", "-mindepth", "1", "-print0"], { cwd: source, encoding: "latin1" });
  const names = found.split("\0").slice(0, -1);
  const images: Buffer[] = [];
  for (let seed = 1; seed <= 2; seed++) {
    const random = seeded(seed);
    const ranked = names.map((name) => ({ name, rank: random(1 << 30) })).sort((a, b) => a.rank - b.rank);
    const list = join(work, "list");
    writeFileSync(list, Buffer.from(ranked.map(({ name }) => `${name}\0`).join(""), "latin1"));
    const options = ["--no-recursion", "--null", "--verbatim-files-from"];
    tar("-cf", join(work, "archive"), "-C", source, ...options, "-T", list);
    images.push((await makeAndCheck(join(work, "archive"), work)).bytes);
  }
  assert.ok(images[0]!.equals(images[1]!));
  await make(source, join(work, "image"), { date: DATE });
  assert.ok(readFileSync(join(work, "image")).equals(images[0]!));
});

test("git archive's tree is the commit's", async (t) => {
  const { work, source } = createSource(t, 9);
  git(source, "init", "-q");
  commitAll(source, "all");
  for (const format of ["tar", "tar.gz"]) {
    const archive = join(work, `archive.${format}`);
    git(source, "archive", "-o", archive, "HEAD");
    const { summary } = await makeAndCheck(archive, work);
    assert.equal(summary.tree, git(source, "rev-parse", "HEAD^{tree}"));
    git(source, "archive", "-o", archive, "--prefix=some/where/", "HEAD");
    const prefixed = await makeAndCheck(archive, work);
    assert.equal(git(prefixed.repository, "rev-parse", "image:some/where"), summary.tree);
  }
});

test("from standard input, and from a pipe", async (t) => {
  const { work, source } = createSource(t, 10);
  const archive = join(work, "archive.tar");
  tar("-cf", archive, "-C", source, ".");
  await make(archive, join(work, "expected"), { date: DATE });
  const bytes = readFileSync(archive);
  // Two members of gzip's after each other are one file.
  const twice = Buffer.concat([gzipSync(bytes.subarray(0, 1000)), gzipSync(bytes.subarray(1000))]);
  for (const input of [bytes, gzipSync(bytes), twice]) {
    const { stderr, ...result } = await docteur(["make", "-d", DATE, "-", join(work, "image")], { input });
    assert.deepEqual(result, { status: 0, signal: null, stdout: "" });
    // The tree has links at random.
    assert.match(stderr, /^(?:docteur: warning: \d+ symbolic links? [^\n]*\n)?$/);
    assert.ok(readFileSync(join(work, "image")).equals(readFileSync(join(work, "expected"))));
  }
  const fifo = join(work, "fifo");
  execFileSync("mkfifo", [fifo]);
  const making = make(fifo, join(work, "image"), { date: DATE });
  createReadStream(archive).pipe(createWriteStream(fifo));
  await making;
  assert.ok(readFileSync(join(work, "image")).equals(readFileSync(join(work, "expected"))));
  assert.deepEqual(readdirSync(work).sort(), ["archive.tar", "expected", "fifo", "image", "source"]);
});

test("the last of a path counts, as for tar", async (t) => {
  const work = temporaryFolder(t);
  const cases: TarMember[][] = [
    [
      { name: "a", content: "first" },
      { name: "b", type: "1", link: "a" },
      { name: "a", content: "second", mode: 0o755 },
    ],
    [
      { name: "./a//./b/", type: "5" },
      { name: "/a/b/c", content: "1" },
      { name: "a/b/", type: "5" },
    ],
    [
      { name: "a", type: "5" },
      { name: "a", content: "a file now" },
    ],
    [
      { name: "a", content: "a file" },
      { name: "a", type: "2", link: "elsewhere" },
      { name: "x/y/z", content: "parents that nobody has listed" },
    ],
    [
      { name: "old/", type: "\0", magic: "" },
      { name: "old/file", type: "\0", magic: "", content: "x" },
      { name: "contiguous", type: "7", content: "y" },
      { name: "label", type: "V" },
    ],
  ];
  for (const [index, members] of cases.entries()) {
    const archive = join(work, `archive${index}`);
    const extracted = join(work, `extracted${index}`);
    writeFileSync(archive, tarOf(...members));
    mkdirSync(extracted);
    tar("-xf", archive, "-C", extracted);
    await compare(archive, extracted, work);
  }
});

test("numbers in base 256, fractions of seconds, times before 1970", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const size = Buffer.alloc(12);
  size[0] = 0x80;
  size[11] = 5;
  writeFileSync(archive, tarOf({ name: "a", content: "12345", size, mtime: 1717740550 }));
  const { summary, repository } = await makeAndCheck(archive, work, { date: undefined });
  assert.equal(summary.sourceKind, "tar");
  assert.equal(git(repository, "log", "-1", "--format=%at %ct", "image"), "1717740550 1717740550");
  assert.equal(git(repository, "show", "image:a"), "12345");

  const source = join(work, "source");
  mkdirSync(source);
  writeFileSync(join(source, "a"), "");
  for (const [time, expected] of [
    [new Date(1717740550_900), "1717740550"],
    [new Date(-5000), "0"],
  ] as const) {
    utimesSync(join(source, "a"), time, time);
    for (const format of ["gnu", "posix"]) {
      tar("-cf", archive, `--format=${format}`, "-C", source, "a");
      const made = await makeAndCheck(archive, work, { date: undefined });
      assert.equal(git(made.repository, "log", "-1", "--format=%at", "image"), expected);
    }
  }
  writeFileSync(archive, tarOf());
  const { parts } = await makeAndCheck(archive, work, { date: undefined });
  const directory = join(work, "directory");
  mkdirSync(directory);
  await make(directory, join(work, "image"));
  assert.equal(readFileSync(join(work, "image")).toString("hex", 0, 20), parts.commit);
});

test("sizes of what has no content", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "folder"), { recursive: true });
  writeFileSync(join(source, "file"), "content");
  linkSync(join(source, "file"), join(source, "hard"));
  symlinkSync("file", join(source, "soft"));
  const archive = join(work, "archive");
  writeFileSync(
    archive,
    tarOf(
      { name: "folder/", type: "5", size: 4096 },
      { name: "soft", type: "2", link: "file", size: 4 },
      { name: "file", content: "content" },
      { name: "hard", type: "1", link: "file", size: 7 },
    ),
  );
  await compare(archive, source, work);
  const specials = ["3", "4", "6"].map((type) => ({ name: type, type, size: 512 }));
  writeFileSync(archive, tarOf(...specials, { name: "file", content: "content" }));
  const { fileCount, skipped } = await make(archive, join(work, "image"), { skipSpecial: true });
  assert.deepEqual([fileCount, skipped.map(({ sourcePath }) => sourcePath)], [1, ["3", "4", "6"]]);
});

test("what is left out of an archive", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  writeFileSync(
    archive,
    tarOf(
      { name: "sub/.git/config", content: "x" },
      { name: "sub/.git/HEAD", content: "x" },
      { name: "sub/fifo", type: "6" },
      { name: "dev/null", type: "3" },
      { name: "build/big.o", content: "object" },
      { name: "keep", type: "1", link: "build/big.o" },
    ),
  );
  await assert.rejects(make(archive, join(work, "image")), {
    code: "BadSource",
    message: "dev/null is a device",
  });
  const options = { exclude: ["build/"], skipSpecial: true };
  const { summary, repository } = await makeAndCheck(archive, work, options);
  assert.deepEqual(summary.skipped, [
    { sourcePath: "dev/null", reason: "special" },
    { sourcePath: "sub/.git", reason: "git" },
    { sourcePath: "sub/fifo", reason: "special" },
  ]);
  assert.equal(git(repository, "ls-tree", "-rt", "--name-only", "image"), "dev\nkeep\nsub");
  assert.equal(git(repository, "show", "image:keep"), "object");
  await make(archive, join(work, "image"), { exclude: ["build", "fifo", "/dev/*"] });
  writeFileSync(archive, tarOf({ name: "fifo", type: "6" }, { name: "link", type: "1", link: "fifo" }));
  const { skipped } = await make(archive, join(work, "image"), { skipSpecial: true });
  assert.deepEqual(
    skipped.map(({ sourcePath }) => sourcePath),
    ["fifo", "link"],
  );
  await assert.rejects(make(archive, join(work, "image"), { exclude: ["fifo"] }), {
    message: "link is a FIFO",
  });
});

test("paths as long and as deep as images allow can be read", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const wide = `${"d".repeat(255)}/`.repeat(15) + "e".repeat(255);
  for (const path of ["n".repeat(4095), wide, `${"x/".repeat(511)}y`]) {
    writeFileSync(archive, tarOf(paxHeader({ path }), { name: "short", content: "content" }));
    const { bytes } = await makeAndCheck(archive, work);
    const volume = await open(bytes);
    assert.equal(Buffer.from(await volume.get(path)).toString(), "content");
    await volume.close();
  }
});

test("many empty members", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const members: Buffer[] = [];
  for (let index = 0; index < 30_000; index++)
    members.push(tarMember({ name: `folder${index % 100}/member${index}` }));
  writeFileSync(archive, Buffer.concat([...members, Buffer.alloc(1024)]));
  const { summary } = await makeAndCheck(archive, work);
  assert.equal(summary.fileCount, 30_000);
  assert.equal(summary.objectCount, 103);
});

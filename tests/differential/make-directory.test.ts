/** Images of plain directories against docteur's images and against git. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { assertSound } from "../../src/verify/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { fixture, fixtureLines } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

/** Makes folders in each other. */
function dig(folder: string, name: string, depth: number): void {
  const program = `process.chdir(process.argv[1]);
    for (let depth = 0; depth < ${depth}; depth++) { fs.mkdirSync("${name}"); process.chdir("${name}"); }`;
  execFileSync(process.execPath, ["-e", program, folder]);
}

/** Whether what nobody may read can be made, for this process. */
function canDropRights(): boolean {
  return process.getuid?.() !== 0 || process.seteuid !== undefined;
}

/** Does something as somebody who is not root: root may read everything. */
async function withoutRights<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid!(65534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

for (const name of ["tiny", "delta", "aligned", "modes"]) {
  test(`${name}: the commit and the root of docteur's image`, async (t) => {
    const work = temporaryFolder(t);
    unpackTar(fixture(`${name}.src.tar`), work);
    const { summary, repository } = await makeAndCheck(join(work, name), work, { compat: true });
    const lines = fixtureLines(`${name}.verify.txt`);
    assert.equal(lines[0], `commit\t: ${summary.commit}`);
    assert.equal(lines[2], `root\t: ${summary.tree}`);
    const listed = git(repository, "ls-tree", "-r", "-z", "image").split("\0").slice(0, -1);
    const blobs = listed.map((line) => line.replace(/^100644 blob (.{40})\t/, "$1  /"));
    assert.deepEqual(
      blobs.sort(),
      fixtureLines(`${name}.blobs.txt`)
        .map((line) => line.replace(/^(.{40})\s+/, "$1  "))
        .sort(),
    );
    assert.equal(summary.fileCount, blobs.length);
  });
}

test("random trees have the root that git add gives them, and do not depend on the order of creation", async (t) => {
  for (let seed = 1; seed <= 4; seed++) {
    const work = temporaryFolder(t);
    const source = join(work, "source");
    mkdirSync(source);
    createRandomTree(source, seed, 1);
    const first = await makeAndCheck(source, work);

    const again = join(work, "again");
    mkdirSync(again);
    createRandomTree(again, seed, 2);
    utimesSync(join(again), 1, 1);
    await make(again, join(work, "image2"), { date: DATE });
    assert.ok(readFileSync(join(work, "image2")).equals(first.bytes), `seed ${seed}: another image`);

    git(source, "init", "-q");
    commitAll(source, "as git has it");
    assert.equal(first.summary.tree, git(source, "rev-parse", "HEAD^{tree}"), `seed ${seed}`);
    assert.equal(
      git(first.repository, "ls-tree", "-r", "-z", "image"),
      git(source, "ls-tree", "-r", "-z", "HEAD"),
    );
  }
});

test("empty directories are kept, .git is left out, the image in its own source is no part of it", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "empty", "deeper"), { recursive: true });
  mkdirSync(join(source, "nested", ".git"), { recursive: true });
  writeFileSync(join(source, "nested", ".git", "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(source, "nested", "file"), "content");
  writeFileSync(join(source, "nested", ".gitignore"), "*");
  const outside = await makeAndCheck(source, work);
  assert.deepEqual(outside.summary.skipped, [{ sourcePath: join(source, "nested", ".git"), reason: "git" }]);
  assert.equal(
    git(outside.repository, "ls-tree", "-r", "-t", "--name-only", "image"),
    "empty\nempty/deeper\nnested\nnested/.gitignore\nnested/file",
  );
  const inside = join(source, "nested", "disk.img");
  for (let round = 0; round < 2; round++)
    assert.deepEqual(await make(source, inside, { date: DATE }), outside.summary);
  assert.ok(readFileSync(inside).equals(outside.bytes));
  rmSync(inside);
  symlinkSync(join(source, "nested"), join(work, "link"));
  for (let round = 0; round < 2; round++)
    assert.deepEqual(await make(source, join(work, "link", "disk.img"), { date: DATE }), outside.summary);
  assert.ok(readFileSync(inside).equals(outside.bytes));
});

test("an empty directory gives an image of the empty tree", async (t) => {
  const work = temporaryFolder(t);
  mkdirSync(join(work, "source"));
  const { summary } = await makeAndCheck(join(work, "source"), work, { blockSize: 4096 });
  assert.equal(summary.tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  assert.equal(summary.objectCount, 2);
});

test("large files are streamed, noise and text and both", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  const random = seeded(5);
  const noise = Buffer.from(Uint32Array.from({ length: 1_100_000 }, () => random(2 ** 32)).buffer);
  const text = Buffer.alloc(5 << 20, "a line of text that comes again and again, number 12345\n");
  writeFileSync(join(source, "noise"), noise);
  writeFileSync(join(source, "text"), text);
  writeFileSync(join(source, "both"), Buffer.concat([text, noise, text.subarray(0, 777)]));
  writeFileSync(join(source, "threshold"), text.subarray(0, 4 << 20));
  writeFileSync(join(source, "beyond"), text.subarray(0, (4 << 20) + 1));
  const { summary } = await makeAndCheck(source, work);
  assert.equal(summary.fileCount, 5);
  assert.ok(summary.packBytes < 2 * noise.length * 1.01 + 200_000);
});

test("--compat follows links and flattens executables", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "dir"), { recursive: true });
  writeFileSync(join(source, "dir", "tool"), "#!/bin/sh\n", { mode: 0o755 });
  cpSync(source, join(work, "copied"), { recursive: true });
  symlinkSync("dir/tool", join(source, "link"));
  symlinkSync("dir", join(source, "dirlink"));
  cpSync(join(work, "copied", "dir"), join(work, "copied", "dirlink"), { recursive: true });
  writeFileSync(join(work, "copied", "link"), "#!/bin/sh\n");
  chmodSync(join(work, "copied", "dir", "tool"), 0o644);
  chmodSync(join(work, "copied", "dirlink", "tool"), 0o644);
  const followed = await makeAndCheck(source, work, { compat: true });
  const copied = await make(join(work, "copied"), join(work, "image2"), { date: DATE });
  assert.equal(followed.summary.commit, copied.commit);
  const kept = await make(source, join(work, "image3"), { date: DATE });
  assert.notEqual(kept.tree, copied.tree);
});

test("--compat: links do not make the image a part of itself", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "dir"), { recursive: true });
  symlinkSync("dir", join(source, "dirlink"));
  const outside = await make(source, join(work, "image"), { compat: true, date: DATE });
  symlinkSync("dir/disk.img", join(source, "latest"));
  for (let round = 0; round < 2; round++) {
    // Before there is an image, the link to it leads nowhere.
    if (round === 0) renameSync(join(source, "latest"), join(work, "latest"));
    const inside = await make(source, join(source, "dir", "disk.img"), { compat: true, date: DATE });
    assert.deepEqual(inside, outside);
    if (round === 0) renameSync(join(work, "latest"), join(source, "latest"));
  }
});

test("links that lead nowhere are errors with --compat alone", async (t) => {
  const work = temporaryFolder(t);
  const image = join(work, "image");
  const cases: [string, string, RegExp][] = [
    ["dangling", "nowhere", /dangling is a symbolic link to nothing$/],
    ["itself", "itself", /itself is a symbolic link that leads back to itself$/],
    ["up", "..", /up.* is a symbolic link to a directory that it is in$/],
  ];
  for (const [name, target, message] of cases) {
    const source = join(work, name);
    mkdirSync(join(source, "sub"), { recursive: true });
    symlinkSync(target, join(source, "sub", name));
    await assert.rejects(make(source, image, { compat: true }), { code: "BadSource", message });
    await make(source, image);
    rmSync(image);
  }
});

test("what is no file, directory or link is named and refused", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  execFileSync("mkfifo", [join(source, "fifo")]);
  const image = join(work, "image");
  const fifo = { code: "BadSource", message: `${join(source, "fifo")} is a FIFO` };
  await assert.rejects(make(source, image), fifo);
  await assert.rejects(make(source, image, { compat: true }), fifo);
  rmSync(join(source, "fifo"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(source, "socket"), resolve));
  t.after(() => server.close());
  await assert.rejects(make(source, image), {
    code: "BadSource",
    message: `${join(source, "socket")} is a socket`,
  });
});

test("--skip-special leaves them out, and says which", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "file"), "content");
  const bare = await makeAndCheck(source, work);
  execFileSync("mkfifo", [join(source, "sub", "fifo")]);
  const { summary, bytes } = await makeAndCheck(source, work, { skipSpecial: true });
  assert.deepEqual(summary.skipped, [{ sourcePath: join(source, "sub", "fifo"), reason: "special" }]);
  assert.ok(bytes.equals(bare.bytes));
  const excluded = await make(source, join(work, "image"), { exclude: ["fifo"], date: DATE });
  assert.deepEqual(excluded, { ...summary, skipped: [], skippedCount: 0 });
});

test("what patterns leave out is not even looked at", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  for (const folder of ["a/build", "build/.git", "keep/.git", "c"])
    mkdirSync(join(source, folder), { recursive: true });
  for (const file of ["a/build/x", "build/.git/y", "keep/note.tmp", "keep/note", "c/\u00e9t\u00e9.o"])
    writeFileSync(join(source, file), file);
  symlinkSync("nowhere", join(source, "dangling"));
  execFileSync("mkfifo", [join(source, "a", "build", "fifo")]);
  const exclude = ["build/", "*.tmp", "/keep/.git", "c/?\u00e9*", "dang*"];
  const { summary, repository } = await makeAndCheck(source, work, { exclude, compat: true });
  assert.deepEqual(summary.skipped, []);
  // An \u00e9 is two bytes: ? is one of them.
  assert.equal(
    git(repository, "ls-tree", "-rtz", "--name-only", "image"),
    "a\0c\0c/\u00e9t\u00e9.o\0keep\0keep/note\0",
  );
  await assert.rejects(make(source, join(work, "image"), { exclude: ["[x"] }), { code: "InvalidArgument" });
});

test("names of one file are one blob, which is read once", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "b"), "the same", { mode: 0o755 });
  linkSync(join(source, "b"), join(source, "a"));
  linkSync(join(source, "b"), join(source, "sub", "c"));
  writeFileSync(join(source, "sub", "copy"), "the same");
  let surveyed: number | undefined;
  const { summary } = await makeAndCheck(source, work, {
    onProgress: ({ phase, total }) => {
      if (phase === "read" && surveyed === undefined) surveyed = total;
    },
  });
  assert.equal(surveyed, 2);
  assert.equal(summary.fileCount, 4);
  assert.equal(summary.objectCount, 4);
});

test("names that git's check finds fault with are refused by name", async (t) => {
  const work = temporaryFolder(t);
  for (const name of [".GIT", ".git.", "git~1", ".g\u200cit", "x\\.git"]) {
    const source = join(work, "source");
    mkdirSync(join(source, "sub", name), { recursive: true });
    await assert.rejects(make(source, join(work, "image")), {
      code: "BadSource",
      message: `${quotePath(Buffer.from(`${source}/sub/${name}`))} cannot be in an image: git trees hold no name that some file systems take for .git`,
    });
    rmSync(source, { recursive: true });
  }
  const source = join(work, "links");
  mkdirSync(source);
  symlinkSync("x", join(source, ".gitmodules"));
  await assert.rejects(make(source, join(work, "image")), /git has settings in files of that name$/);
});

test("directories that are nested as deep as images allow, and deeper", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "d/".repeat(511)), { recursive: true });
  writeFileSync(join(source, "d/".repeat(511), "f"), "deep");
  const { bytes } = await makeAndCheck(source, work);
  await assertSound(bytes);
  const volume = await open(bytes);
  assert.equal(Buffer.from(await volume.get(`${"d/".repeat(511)}f`)).toString(), "deep");
  await volume.close();
  mkdirSync(join(source, "d/".repeat(513)), { recursive: true });
  const deep = {
    code: "BadSource",
    message: /^".{200}"\.\.\. cannot be in an image: its path is more than 512 levels deep$/,
  };
  await assert.rejects(make(source, join(work, "image")), deep);
  // That is beyond what a path can name to the system.
  dig(source, "e", 2500);
  try {
    await assert.rejects(make(source, join(work, "image"), { exclude: ["/d"] }), deep);
    await make(source, join(work, "image"), { exclude: ["e", "/d"] });
  } finally {
    execFileSync("rm", ["-rf", join(source, "e")]);
  }
  const wide = join(work, "wide");
  mkdirSync(wide);
  dig(wide, "n".repeat(255), 17);
  try {
    const tooLong = { message: /: name too long$|longer than 4095 bytes$/ };
    await assert.rejects(make(wide, join(work, "image")), tooLong);
  } finally {
    execFileSync("rm", ["-rf", wide]);
  }
});

test("what cannot be read is named", { skip: !canDropRights() }, async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  chmodSync(work, 0o777);
  mkdirSync(join(source, "folder"), { recursive: true });
  writeFileSync(join(source, "file"), "secret");
  const attempts: [string, number][] = [
    ["file", 0o644],
    ["folder", 0o755],
  ];
  for (const [name, mode] of attempts) {
    chmodSync(join(source, name), 0);
    const expected = { code: "Io", message: `cannot read ${join(source, name)}: permission denied` };
    await assert.rejects(
      withoutRights(() => make(source, join(work, "image"))),
      expected,
    );
    chmodSync(join(source, name), mode);
  }
  await withoutRights(() => make(source, join(work, "image")));
});

test("without a date the commit has the newest file's, and an empty source 1970's", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "sub"), { recursive: true });
  const dateOf = async (): Promise<string> => {
    const { repository } = await makeAndCheck(source, work, { date: undefined });
    return git(repository, "log", "-1", "--format=%ai %ci", "image");
  };
  assert.equal(await dateOf(), "1970-01-01 00:00:00 +0000 1970-01-01 00:00:00 +0000");
  writeFileSync(join(source, "old"), "");
  utimesSync(join(source, "old"), 1, new Date(-1_000_000));
  assert.equal(await dateOf(), "1970-01-01 00:00:00 +0000 1970-01-01 00:00:00 +0000");
  writeFileSync(join(source, "sub", "new"), "");
  utimesSync(join(source, "sub", "new"), 1, 1717740550.9);
  assert.equal(await dateOf(), "2024-06-07 06:09:10 +0000 2024-06-07 06:09:10 +0000");
});

test("a file that changes between the passes is noticed", async (t) => {
  const work = temporaryFolder(t);
  const file = join(work, "source", "file");
  const changes: [string, () => void][] = [
    ["grown", () => writeFileSync(file, "longer than before")],
    ["shorter", () => writeFileSync(file, "")],
    ["rewritten", () => writeFileSync(file, "AFTER")],
    ["gone", () => rmSync(file)],
    [
      "a link now",
      () => {
        rmSync(file);
        symlinkSync("/etc/passwd", file);
      },
    ],
  ];
  for (const [what, change] of changes) {
    rmSync(join(work, "source"), { recursive: true, force: true });
    mkdirSync(join(work, "source"));
    writeFileSync(file, "first");
    let isChanged = false;
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase !== "read" || isChanged) return;
      isChanged = true;
      change();
    };
    await assert.rejects(
      make(join(work, "source"), join(work, "image"), { onProgress }),
      { code: "Io" },
      what,
    );
  }
});

/** Images of plain directories against docteur's images and against git. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { make } from "../../src/make/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { fixture, fixtureLines } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { unpackTar } from "../support/tar.js";
import { temporaryFolder } from "../support/temporary.js";

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
  assert.deepEqual(outside.summary.skipped, [join(source, "nested", ".git")]);
  assert.equal(
    git(outside.repository, "ls-tree", "-r", "-t", "--name-only", "image"),
    "empty\nempty/deeper\nnested\nnested/.gitignore\nnested/file",
  );
  const inside = join(source, "nested", "disk.img");
  for (let round = 0; round < 2; round++)
    assert.deepEqual(await make(source, inside, { date: DATE }), outside.summary);
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

test("a file that changes between the passes is noticed", async (t) => {
  const work = temporaryFolder(t);
  const file = join(work, "source", "file");
  const changes: [string, () => void][] = [
    ["grown", () => writeFileSync(file, "longer than before")],
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
      if (phase !== "pack" || isChanged) return;
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

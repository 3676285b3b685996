/** Images of zip archives and of compressed tar archives against images of the directories that programs extract from them. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { make } from "../../src/make/index.js";
import { DATE } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { createRandomTree } from "../support/random-tree.js";
import { unlessRequired } from "../support/required.js";
import { temporaryFolder } from "../support/temporary.js";

/** The reason why a test without these programs is skipped. */
function without(...programs: string[]): string | undefined {
  const missing = programs.filter((program) => spawnSync(program, ["--help"], { stdio: "ignore" }).error);
  return unlessRequired(
    "archives",
    missing.length === 0 ? undefined : `there is no ${missing.join(", ")} here`,
  );
}

/** @param seed of a random tree; without it the names are those that unzip can write */
function createSource(t: TestContext, seed?: number): { work: string; source: string } {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "empty"), { recursive: true });
  if (seed !== undefined) createRandomTree(source, seed, 1);
  for (const folder of ["a", "a/b c", "a/ü", "a/b c/\\d"]) {
    mkdirSync(join(source, folder));
    for (let index = 0; index < 20; index++)
      writeFileSync(join(source, folder, `file ${index}`), `${folder} `.repeat(index * index));
  }
  writeFileSync(join(source, "run"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(source, "nothing"), "");
  writeFileSync(join(source, "large"), Buffer.alloc(3 << 20, "large "));
  writeFileSync(join(source, "größe"), "u");
  symlinkSync("run", join(source, "link"));
  return { work, source };
}

function run(cwd: string, program: string, ...args: string[]): void {
  execFileSync(program, args, { cwd, stdio: "pipe", env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" } });
}

async function imageOf(source: string, work: string, name: string): Promise<Buffer> {
  await make(source, join(work, name), { date: DATE });
  return readFileSync(join(work, name));
}

const ZIPPERS: [name: string, programs: string[], zip: (source: string, archive: string) => void][] = [
  ["zip", ["zip", "unzip"], (source, archive) => run(source, "zip", "-qry", archive, ".")],
  ["zip -0", ["zip", "unzip"], (source, archive) => run(source, "zip", "-qry0", archive, ".")],
  [
    "zip with fields of 64 bits",
    ["zip", "unzip"],
    (source, archive) => run(source, "zip", "-qry", "-fz", archive, "."),
  ],
  [
    "bsdtar",
    ["bsdtar", "unzip"],
    (source, archive) => run(source, "bsdtar", "--format=zip", "-cf", archive, "."),
  ],
];

for (const [name, programs, zip] of ZIPPERS)
  test(`zip archives of ${name}`, { skip: without(...programs) }, async (t) => {
    const { work, source } = createSource(t);
    const archive = join(work, "archive.zip");
    zip(source, archive);
    const extracted = join(work, "extracted");
    run(work, "unzip", "-qq", archive, "-d", extracted);
    const image = await imageOf(archive, work, "image");
    assert.ok(image.equals(await imageOf(extracted, work, "image2")), "unzip's tree");
    assert.ok(image.equals(await imageOf(source, work, "image3")), "the archived tree");
  });

test("zip archives of Python, which mark names as UTF-8", { skip: without("python3") }, async (t) => {
  const { work, source } = createSource(t);
  const script =
    "import os, sys, zipfile\n" +
    "with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n" +
    "  for folder, names, files in os.walk('.'):\n" +
    "    for name in names + files:\n" +
    "      path = os.path.join(folder, name)\n" +
    "      if not os.path.islink(path): z.write(path)\n";
  const archive = join(work, "archive.zip");
  run(source, "python3", "-c", script, archive);
  const extracted = join(work, "extracted");
  run(
    work,
    "python3",
    "-c",
    "import sys, zipfile\nzipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])",
    archive,
    extracted,
  );
  // Python's own extraction forgets which files are executable.
  run(extracted, "chmod", "+x", "run");
  assert.ok((await imageOf(archive, work, "image")).equals(await imageOf(extracted, work, "image2")));
});

for (const [program, extension] of [
  ["xz", "xz"],
  ["zstd", "zst"],
  ["bzip2", "bz2"],
  ["gzip", "gz"],
])
  test(`tar archives that ${program} compressed`, { skip: without("tar", program!) }, async (t) => {
    const { work, source } = createSource(t, 13);
    run(work, "tar", "-cf", "archive.tar", "-C", source, ".");
    const packed = execFileSync(program!, ["-c", join(work, "archive.tar")], { maxBuffer: 1 << 28 });
    // The content tells, not the name.
    const archive = join(work, "archive");
    writeFileSync(archive, packed);
    const expected = await imageOf(source, work, "expected");
    assert.ok(expected.equals(await imageOf(archive, work, extension!)));
    const piped = await docteur(["make", "-q", "-d", DATE, "-", join(work, "piped")], { input: packed });
    assert.deepEqual([piped.status, piped.stderr], [0, ""]);
    assert.ok(expected.equals(readFileSync(join(work, "piped"))));
    // Two streams, one after the other, are one.
    const plain = readFileSync(join(work, "archive.tar"));
    const halves = [plain.subarray(0, 5000), plain.subarray(5000)].map((half) =>
      execFileSync(program!, ["-c"], { input: half, maxBuffer: 1 << 28 }),
    );
    writeFileSync(archive, Buffer.concat(halves));
    assert.ok(expected.equals(await imageOf(archive, work, extension!)));
    for (const length of [packed.length - 1, packed.length >> 1, 20]) {
      writeFileSync(archive, packed.subarray(0, length));
      await assert.rejects(make(archive, join(work, "none")), {
        code: "BadSource",
        message: /: its compression is damaged: /,
      });
    }
    const flipped = Buffer.from(packed);
    flipped[flipped.length >> 1]! ^= 0xff;
    writeFileSync(archive, flipped);
    await assert.rejects(make(archive, join(work, "none")), { code: "BadSource" });
  });

test("a program that is missing, and one that dies", { skip: without("xz") }, async (t) => {
  const { work } = createSource(t);
  const archive = join(work, "archive");
  writeFileSync(archive, execFileSync("xz", ["-c"], { input: Buffer.alloc(1 << 20, "x") }));
  const empty = join(work, "bin");
  mkdirSync(empty);
  const image = join(work, "image");
  const missing = await docteur(["make", archive, image], { env: { PATH: empty } });
  assert.equal(missing.status, 8);
  assert.equal(
    missing.stderr,
    `docteur: ${archive} is compressed by xz: xz, which inflates it, is missing\n` +
      "hint: install xz (on Debian: apt install xz-utils), or give the archive without its compression\n",
  );
  writeFileSync(join(empty, "xz"), "#!/bin/sh\nkill -SEGV $$\n", { mode: 0o755 });
  const died = await docteur(["make", archive, image], { env: { PATH: empty } });
  assert.equal(died.status, 8);
  assert.match(died.stderr, /^docteur: xz, which inflates .*archive, was ended by SIGSEGV\n$/);
});

/** Images that take entries from an earlier one: sound, with the objects of an image made anew, and never a wrong byte. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type MakeOptions, type MakeSummary, make } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { DATE } from "../support/checked-image.js";
import { docteur } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Families of files that are deltas of each other. */
function createSource(t: TestContext): { work: string; source: string } {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  const random = seeded(5);
  for (let family = 0; family < 8; family++) {
    mkdirSync(join(source, `d${family}`, "sub"), { recursive: true });
    const lines = Array.from({ length: 80 }, () => `${random(1e9)} ${random(1e9)}`);
    for (let member = 0; member < 12; member++) {
      lines[random(lines.length)] = `changed ${member}`;
      writeFileSync(join(source, `d${family}`, member % 2 ? "sub" : ".", `f${member}`), lines.join("\n"));
    }
  }
  // Equal contents, some of them before the others: of each, the packer keeps one.
  for (let copy = 0; copy < 20; copy++)
    writeFileSync(
      join(source, `d${copy % 4}`, `copy ${copy}`),
      readFileSync(join(source, `d${copy % 8}`, "f0")),
    );
  const large = Buffer.from(Array.from({ length: 9 << 20 }, () => random(256)));
  for (const name of ["a copy", "large"]) writeFileSync(join(source, name), large);
  symlinkSync("d1/f0", join(source, "link"));
  return { work, source };
}

/** The objects of an image's PACK: lines of id, kind and size, and of deltas the length of the chain, by git's own reader. */
function objectsOf(work: string, image: string): { lines: string[]; depth: number } {
  const bytes = readFileSync(image);
  const idx = Number(bytes.readBigUInt64LE(20));
  const pack = bytes.subarray(28, idx);
  const count = pack.readUInt32BE(8);
  const inIdx = bytes.readUInt32BE(idx + 8 + 255 * 4);
  assert.equal(count, inIdx);
  const hash = bytes.subarray(idx + 8 + 1024 + count * 28, idx + 8 + 1024 + count * 28 + 20);
  const end = pack.lastIndexOf(hash) + 20;
  const folder = join(work, "git");
  rmSync(folder, { recursive: true, force: true });
  execFileSync("git", ["init", "-q", "--bare", folder]);
  writeFileSync(join(folder, "x.pack"), pack.subarray(0, end));
  execFileSync("git", ["index-pack", "--strict", join(folder, "x.pack")], { cwd: folder, stdio: "pipe" });
  const listed = execFileSync("git", ["verify-pack", "-v", join(folder, "x.pack")], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const rows = listed.split("\n").filter((line) => /^[0-9a-f]{40} /.test(line));
  const depths = rows.map((row) => Number(row.split(/ +/)[5] ?? 0));
  return {
    lines: rows.map((row) => row.split(/ +/).slice(0, 2).join(" ")).sort(),
    depth: Math.max(...depths),
  };
}

async function makeOne(
  work: string,
  source: string,
  name: string,
  options: MakeOptions = {},
): Promise<{ image: string; summary: MakeSummary }> {
  const image = join(work, name);
  const summary = await make(source, image, { date: DATE, ...options });
  const report = await verify(image);
  assert.deepEqual([report.status, report.findings], ["sound", []]);
  return { image, summary };
}

test("changes of every kind give the objects of an image made anew", async (t) => {
  const { work, source } = createSource(t);
  const { image: old, summary: first } = await makeOne(work, source, "old");
  const same = await makeOne(work, source, "same", { from: old });
  assert.equal(same.summary.reusedCount, first.objectCount);
  assert.ok(readFileSync(same.image).equals(readFileSync(old)));
  // A base of others disappears; a file comes, one goes, one moves, and one becomes executable.
  for (let family = 0; family < 4; family++) rmSync(join(source, `d${family}`, "f0"));
  writeFileSync(
    join(source, "d1", "sub", "f1"),
    `${readFileSync(join(source, "d1", "sub", "f3"), "utf8")}\nnew`,
  );
  writeFileSync(join(source, "d2", "new"), "entirely new");
  writeFileSync(join(source, "d3", "moved"), readFileSync(join(source, "d3", "f2")), { mode: 0o755 });
  rmSync(join(source, "d3", "f2"));
  const anew = await makeOne(work, source, "anew");
  for (const workers of [1, 2]) {
    const made = await makeOne(work, source, `from${workers}`, { from: old, workers });
    const { reusedCount, imageBytes, commit, objectCount } = made.summary;
    assert.deepEqual([commit, objectCount], [anew.summary.commit, anew.summary.objectCount]);
    assert.ok(reusedCount! > 40 && reusedCount! < objectCount);
    assert.ok(imageBytes < anew.summary.imageBytes * 1.1);
    assert.deepEqual(objectsOf(work, made.image).lines, objectsOf(work, anew.image).lines);
  }
  assert.ok(readFileSync(join(work, "from1")).equals(readFileSync(join(work, "from2"))));
});

test("chains of deltas stay within the limit", async (t) => {
  const { work, source } = createSource(t);
  const { image: old } = await makeOne(work, source, "old", { depth: 20 });
  assert.ok(objectsOf(work, old).depth > 3);
  for (const depth of [3, 1, 0]) {
    const { image } = await makeOne(work, source, "image", { from: old, depth });
    assert.ok(objectsOf(work, image).depth <= depth);
  }
});

test("an image that git packed, and a repository that docteur packs", async (t) => {
  const { work, source } = createSource(t);
  git(source, "init", "-q", "-b", "main");
  commitAll(source, "one");
  const { image: old, summary } = await makeOne(work, source, "old", { date: undefined });
  const again = await makeOne(work, source, "again", { date: undefined, from: old, repack: true });
  assert.equal(again.summary.commit, summary.commit);
  const joined = await makeOne(work, source, "joined", { worktree: true, from: old });
  assert.ok(joined.summary.reusedCount! > 60);
  await assert.rejects(make(source, join(work, "none"), { from: old }), {
    code: "InvalidArgument",
    hint: "--from is for --repack, directories and archives",
  });
});

test("an image that is not sound is refused, whatever is wrong with it", async (t) => {
  const { work, source } = createSource(t);
  const { image: old } = await makeOne(work, source, "old");
  const sound = readFileSync(old);
  const target = join(work, "target");
  writeFileSync(target, "as it was");
  const random = seeded(9);
  const idx = Number(sound.readBigUInt64LE(20));
  const places = [3, 24, 30, idx + 2, idx + 1100, ...Array.from({ length: 6 }, () => random(idx))];
  for (const place of places) {
    const bad = Buffer.from(sound);
    bad[place]! ^= 1 << random(8);
    writeFileSync(join(work, "bad"), bad);
    const { status, findings } = await verify(join(work, "bad"));
    const { status: exit, stderr } = await docteur([
      "make",
      "-q",
      "--from",
      join(work, "bad"),
      source,
      target,
    ]);
    if (status === "sound") assert.deepEqual([exit, findings.length >= 0], [0, true]);
    else {
      assert.ok([4, 8].includes(exit!), stderr);
      assert.match(stderr, /^docteur: .*bad: .*\nhint: --from takes a sound image: /);
      assert.equal(readFileSync(target, "utf8"), "as it was");
    }
  }
  const absent = await docteur(["make", "--from", join(work, "absent"), source, target]);
  assert.equal(absent.status, 8);
  assert.match(absent.stderr, /^docteur: cannot read .*absent: no such file or directory\n/);
});

test("the earlier image may be the one that is replaced", async (t) => {
  const { work, source } = createSource(t);
  const { image } = await makeOne(work, source, "image");
  writeFileSync(join(source, "more"), "more");
  const { summary } = await makeOne(work, source, "image", { from: image });
  assert.equal(summary.reusedCount, summary.objectCount - 3);
});

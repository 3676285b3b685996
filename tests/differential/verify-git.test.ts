/**
 * `verify` against git: `index-pack --strict`, `verify-pack -v` and `fsck --strict` on random repositories, sound and damaged, and
 * on trees with every flaw that git knows. What git calls an error, `verify` finds; where the two differ is listed here.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hexOid } from "../../src/git/oid.js";
import { TREE_DEFECTS, type TreeDefect } from "../../src/git/tree-defects.js";
import { open } from "../../src/index.js";
import { assertSound, type Report, verify } from "../../src/verify/index.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { buildImage, commitOf, objectEntry, type PackEntry, treeEntry } from "../support/pack.js";
import { type Random, seeded } from "../support/random.js";
import { createRepository, imageOfPack, imageOfRepository, objectsOf, SMALL } from "../support/repository.js";
import { temporaryFolder } from "../support/temporary.js";

const SEED = 20_240_607;

/** Runs git, which may fail. */
function tryGit(cwd: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("git", args, {
    cwd,
    env: GIT_ENVIRONMENT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { status, output: stdout + stderr };
}

/** A sound image of a random repository, as git packed it. */
function randomImage(t: TestContext, seed: number, ...repack: string[]): { folder: string; image: Buffer } {
  const folder = createRepository(join(temporaryFolder(t), "repository"), seed, { ...SMALL, large: 60_000 });
  if (repack.length > 0) git(folder, "repack", "-adfq", ...repack);
  return { folder, image: Buffer.from(imageOfRepository(folder)) };
}

test("sound repositories: the objects, kinds, sizes and deltas that git counts", async (t) => {
  for (const [index, repack] of [[], ["--depth=5", "--window=20"]].entries()) {
    const { folder, image } = randomImage(t, SEED + index, ...repack);
    const report = await assertSound(image);
    const objects = [...objectsOf(folder).values()];
    const countOf = (kind: string): number => objects.filter((object) => object.kind === kind).length;
    const idx = join(temporaryFolder(t), "a.idx");
    const pack = idx.replace(/idx$/, "pack");
    writeFileSync(pack, takeApart(image).pack);
    git(folder, "index-pack", "--strict", "-o", idx, pack);
    const lines = git(folder, "verify-pack", "-v", idx).split("\n");
    const deltas = lines.filter((line) => /^[0-9a-f]{40} \w+ +(\d+ ){4}[0-9a-f]{40}$/.test(line)).length;
    const { commits, trees, blobs, tags } = report.objects!;
    assert.deepEqual(
      [
        report.objectCount,
        ...[commits, trees, blobs, tags].map(({ count }) => count),
        report.deltaCount,
        report.objectBytes,
      ],
      [
        objects.length,
        ...["commit", "tree", "blob", "tag"].map(countOf),
        deltas,
        objects.reduce((sum, { data }) => sum + data.length, 0),
      ],
    );
    assert.ok(deltas > 50);
  }
});

/** Damages a pack in place; with its checksum made right again, git must look into the objects, too. */
function damage(random: Random, pack: Buffer): void {
  const at = 12 + random(pack.length - 32);
  const kind = random(4);
  if (kind === 0) pack[at]! ^= 1 << random(8);
  else if (kind === 1) pack.fill(0, at, Math.min(at + 1 + random(20), pack.length - 20));
  else if (kind === 2) {
    for (let count = 1 + random(4); count > 0; count--) pack[12 + random(pack.length - 32)] = random(256);
  } else pack.copyWithin(at, 12 + random(pack.length - 50), pack.length - 20 - random(100));
}

test("damaged packs: verify and git agree on each", async (t) => {
  const { folder, image } = randomImage(t, SEED + 2);
  const { commit, pack, idx } = takeApart(image);
  const random = seeded(SEED);
  const place = temporaryFolder(t);
  let damagedCount = 0;
  for (let round = 0; round < 44; round++) {
    const changed = Buffer.from(pack);
    damage(random, changed);
    const isRepaired = round % 3 > 0;
    const newIdx = Buffer.from(idx);
    if (isRepaired) {
      const trailer = createHash("sha1").update(changed.subarray(0, -20)).digest();
      trailer.copy(changed, changed.length - 20);
      trailer.copy(newIdx, newIdx.length - 40);
      createHash("sha1")
        .update(newIdx.subarray(0, -20))
        .digest()
        .copy(newIdx, newIdx.length - 20);
    }
    const stem = join(place, `pack-${round}`);
    writeFileSync(`${stem}.pack`, changed);
    writeFileSync(`${stem}.idx`, newIdx);
    const byGit = tryGit(folder, "verify-pack", `${stem}.idx`).status !== 0;
    const report = await verify(imageOfPack(commit, changed, newIdx));
    assert.equal(report.status, byGit ? "damaged" : "sound", `seed ${SEED}, round ${round}`);
    // Without the index, too: what index-pack cannot read, verify does not believe.
    if (round % 4 === 0) {
      const { status } = tryGit(place, "index-pack", "-o", join(place, "new.idx"), `${stem}.pack`);
      if (status !== 0) assert.equal(report.status, "damaged", `seed ${SEED}, round ${round}`);
    }
    if (byGit) damagedCount++;
  }
  assert.ok(damagedCount > 35, `${damagedCount}`);
});

const NOWHERE = "0123456789abcdef0123456789abcdef01234567";
const NULL = "0".repeat(40);

/** Defects of one tree's entries, by the names that git's fsck has for them; behind a comma, another form of one. */
function flaws(blob: string, tree: string): Record<string, Buffer[]> {
  const file = (name: Uint8Array | string, mode = "100644"): Buffer => treeEntry(mode, name, blob);
  const link = (name: string): Buffer => file(name, "120000");
  const folder = (name: string, mode = "40000"): Buffer => treeEntry(mode, name, tree);
  return {
    treeNotSorted: [file("b"), file("a")],
    "treeNotSorted, a folder": [folder("a"), file("a.b")],
    duplicateEntries: [file("a"), file("a")],
    "duplicateEntries, a folder": [file("a"), file("a-b"), folder("a")],
    "duplicateEntries, far off": [file("a"), file("a-b"), file("a-c"), file("a."), folder("a")],
    hasDot: [file(".")],
    hasDotdot: [file("..")],
    hasDotgit: [file(".git")],
    "hasDotgit, a folder": [folder(".GIT")],
    "hasDotgit, NTFS": [file("git~1")],
    "hasDotgit, HFS+": [file(".g\u200cit")],
    "hasDotgit, a stream": [file(".git::$INDEX_ALLOCATION")],
    "hasDotgit, a backslash": [file("a\\.git\\b")],
    fullPathname: [file("a/b")],
    emptyName: [file("")],
    zeroPaddedFilemode: [folder("a", "040000")],
    "zeroPaddedFilemode, seven digits": [file("a", "0100644")],
    "zeroPaddedFilemode, many digits": [file("a", "000000000000000000000100644")],
    badFilemode: [file("a", "100600")],
    "badFilemode, no type": [file("a", "644")],
    "badFilemode, a device": [file("a", "60000")],
    "badFilemode, a folder": [folder("a", "40755")],
    "badFilemode, a link": [file("a", "120777")],
    badTree: [file("a").subarray(0, -1)],
    "badTree, no mode": [file("a", "")],
    "badTree, mode": [file("a", "10x644")],
    "badTree, a digit": [file("a", "100684")],
    nullSha1: [treeEntry("160000", "sub", NULL)],
    gitmodulesSymlink: [link(".gitmodules")],
    "gitmodulesSymlink, NTFS": [link("GITMOD~1")],
    "gitmodulesSymlink, HFS+": [link(".gitmodu\u200cles")],
    gitmodulesBlob: [folder(".gitmodules")],
    "gitmodulesBlob, NTFS": [folder("GI7EBA~1")],
    gitattributesBlob: [folder(".gitattributes")],
    gitmodulesMissing: [treeEntry("160000", ".gitmodules", NOWHERE)],
    gitattributesMissing: [treeEntry("160000", ".gitattributes", NOWHERE)],
    gitattributesSymlink: [link(".gitattributes")],
    "gitattributesSymlink, NTFS": [link("gi7d29~1")],
    gitignoreSymlink: [link(".gitignore")],
    "gitignoreSymlink, NTFS": [link("GI250A~1")],
    mailmapSymlink: [link(".mailmap")],
    "mailmapSymlink, a blank": [link(".MailMap ")],
    "mailmapSymlink, NTFS": [link("maba30~1")],
    "mailmapSymlink, HFS+": [link(".mail\u200cmap")],
    missing: [treeEntry("100644", "gone", NOWHERE)],
    nothing: [
      file(".gitattributes"),
      file(".gitignore"),
      file(".gitmodules"),
      file(".mailmap"),
      file("fine"),
      treeEntry("160000", "sub", NOWHERE),
    ],
  };
}

/** Trees of these entries in one image, each a directory of its root. */
function flawedTrees(entriesOf: typeof flaws): { image: Buffer; cases: [string, PackEntry][] } {
  const blob = objectEntry("blob", Buffer.from("content"));
  const inner = objectEntry("tree", treeEntry("100644", "f", blob.oid));
  const cases = Object.entries(entriesOf(blob.oid, inner.oid)).map(([name, entries]): [string, PackEntry] => [
    name,
    objectEntry("tree", Buffer.concat(entries)),
  ]);
  const root = objectEntry(
    "tree",
    Buffer.concat(cases.map(([, { oid }], index) => treeEntry("40000", `${index}`.padStart(3, "0"), oid))),
  );
  const commit = commitOf(root.oid);
  return {
    image: buildImage(commit.oid, [commit, root, inner, blob, ...cases.map(([, entry]) => entry)]),
    cases,
  };
}

/** Objects that fsck blames for a file of git's settings, instead of the tree that has the name. */
const BLAMED: Record<string, string> = {
  gitmodulesMissing: NOWHERE,
  gitattributesMissing: NOWHERE,
};

test("flawed trees: every defect is of git's severity, or of the one that docs/VERIFY.md gives it", async (t) => {
  const { image, cases } = flawedTrees(flaws);
  const folder = repositoryOf(takeApart(image), join(temporaryFolder(t), "repository"));
  const lines = tryGit(folder, "fsck", "--no-dangling").output.split("\n");
  const report: Report = await verify(image, { maxFindings: 1000 });
  assert.equal(report.status, "damaged");
  for (const [name, { oid, content }] of cases) {
    const defect = name.split(",")[0]!;
    const found = report.findings.filter((finding) => finding.oid === oid);
    if (defect === "missing" || defect === "nothing") {
      assert.deepEqual(found, [], name);
      const isMissing = report.findings.some(
        ({ code, path }) => code === "MissingObject" && path?.endsWith("/gone"),
      );
      assert.ok(isMissing, "the file that is not there");
      continue;
    }
    const { git: byGit, severity } = TREE_DEFECTS[defect as TreeDefect];
    const blamed = [oid, BLAMED[defect], ...(defect.endsWith("Blob") ? [hexOid(content.subarray(-20))] : [])];
    // Where git's parser gives up, fsck has one name for it.
    const called = defect === "emptyName" ? "badTree" : defect;
    const said = lines.find((line) => blamed.some((id) => id && line.includes(`${id}: ${called}:`)));
    assert.equal(said?.split(" ")[0], byGit, `git on ${name}: ${said}`);
    assert.deepEqual(
      found.map((finding) => finding.severity),
      [severity],
      `verify on ${name}: ${JSON.stringify(found)}`,
    );
  }
});

test("an image whose trees have all that is a warning, and no more, is sound and can be read", async (t) => {
  const { image, cases } = flawedTrees((blob, tree) =>
    Object.fromEntries(
      Object.entries(flaws(blob, tree)).filter(([name]) => {
        const defect = TREE_DEFECTS[name.split(",")[0] as TreeDefect];
        return defect?.severity === "warning" || name === "nothing";
      }),
    ),
  );
  const report = await assertSound(image);
  assert.equal(report.findings.filter(({ severity }) => severity === "warning").length, cases.length - 1);
  const folder = repositoryOf(takeApart(image), join(temporaryFolder(t), "repository"));
  for (const mode of ["light", "fast", "analyze"] as const) {
    const volume = await open(image, { mode });
    for (const [index, [name, { oid }]] of cases.entries()) {
      const entries = await volume.list(`${index}`.padStart(3, "0"));
      const byGit = git(folder, "ls-tree", "-z", oid).split("\0").slice(0, -1);
      assert.deepEqual(
        entries.map((entry) => `${entry.mode.toString(8).padStart(6, "0")} ${entry.oid} ${entry.name}`),
        byGit.map((line) => line.replace(/^(\d+) \w+ (\w+)\t/, "$1 $2 ")),
        `${mode}: ${name}`,
      );
    }
  }
});

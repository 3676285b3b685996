/** The layout section, decoded by the letter of docs/FORMAT.md, holds what git says of the same commit. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open } from "../../src/index.js";
import { addLayout, checkLayout, stripLayout } from "../../src/layout/files/index.js";
import { type MakeOptions, make, makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { FIXTURES, fixturePath } from "../support/fixtures.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { type DecodedLayout, decodeLayout } from "../support/layout-decoder.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { temporaryFolder } from "../support/temporary.js";

/** Bytes that are joined into one extent, and the most deltas of a chain, as the page says. */
const GAP = 16384;
const CHAIN = 255;
/** The most bytes of a reach that replaces extents, of any reach, and of an entry that has one. */
const REACH_NEAR = 65536;
const REACH_MAX = 262144;
const REACH_ENTRY = 1024;
const KINDS = new Map([
  ["040000", 1],
  ["100644", 2],
  ["100755", 3],
  ["120000", 4],
  ["160000", 5],
]);

interface Stored {
  offset: number;
  length: number;
  base: string | undefined;
}

/** How git finds each object stored. */
function storedObjects(repository: string, pack: string): Map<string, Stored> {
  const lines = git(repository, "verify-pack", "-v", pack).split("\n");
  const stored = new Map<string, Stored>();
  for (const line of lines) {
    const [oid, kind, , length, offset, , base] = line.split(/ +/);
    if (!/^[0-9a-f]{40}$/.test(oid!) || kind === undefined) continue;
    stored.set(oid!, { offset: Number(offset), length: Number(length), base });
  }
  return stored;
}

/** The entries of an object and of its bases, the last in the PACK first; none if it has too many bases, or no base. */
function chainOf(own: Stored, stored: Map<string, Stored>): Stored[] {
  const chain = [own];
  for (let base = own.base; base !== undefined; base = stored.get(base)!.base) chain.push(stored.get(base)!);
  if (chain.length === 1 || chain.length - 1 > CHAIN) return [];
  return chain.sort((left, right) => right.offset - left.offset);
}

/** The extents of an object, by the page's words. */
function extentsOf(own: Stored, chain: readonly Stored[]): { offset: number; length: number }[] {
  const joined: { offset: number; length: number }[] = [];
  for (const { offset, length } of chain) {
    const last = joined.at(-1);
    if (last === undefined || last.offset - (offset + length) > GAP) joined.push({ offset, length });
    else {
      last.length += last.offset - offset;
      last.offset = offset;
    }
  }
  return joined.filter(({ offset, length }) => offset !== own.offset || length !== own.length);
}

/** The reach of an object, by the page's words; undefined if it has none. */
function reachOf(own: Stored, chain: readonly Stored[], isLeftOut: boolean): number | undefined {
  if (chain[0] !== own || own.length > REACH_ENTRY) return undefined;
  const reach = own.offset - chain.at(-1)!.offset;
  return reach <= (isLeftOut ? REACH_MAX : REACH_NEAR) ? Math.ceil(reach / 64) * 64 : undefined;
}

/** Compares the section of an image with git's view of it. @returns the section */
function compareWithGit(
  t: TestContext,
  image: Buffer,
): DecodedLayout & { extentCount: number; reachCount: number } {
  const parts = takeApart(image);
  const repository = repositoryOf(parts, join(temporaryFolder(t), "of.git"));
  const layout = decodeLayout(image);
  const listed = execFileSync("git", ["ls-tree", "-r", "-t", "-z", "--full-tree", parts.commit], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    maxBuffer: 1 << 28,
  })
    .toString("latin1")
    .split("\0")
    .slice(0, -1)
    .map((line) => /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line)!)
    .map(([, mode, oid, path]) => ({ kind: KINDS.get(mode!)!, oid: oid!, path: path! }));
  const ids = listed.filter(({ kind }) => kind !== 5).map(({ oid }) => oid);
  const sizes = execFileSync("git", ["cat-file", "--batch-check=%(objectname) %(objectsize)"], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    input: `${ids.join("\n")}\n`,
    maxBuffer: 1 << 28,
  }).toString();
  const sizeOf = new Map(sizes.split("\n").map((line) => line.split(" ") as [string, string]));
  const pack = join(
    repository,
    "objects/pack",
    `pack-${parts.pack.toString("hex", parts.pack.length - 20)}.idx`,
  );
  const stored = storedObjects(repository, pack);
  const order = [...stored.keys()].sort();
  const rankOf = new Map(order.map((oid, rank) => [oid, rank]));
  const byPath = new Map(layout.records.map((record) => [record.path, record]));
  assert.equal(byPath.size, layout.records.length);
  assert.equal(layout.records.length, listed.length);
  let extentCount = 0;
  let reachCount = 0;
  for (const { kind, oid, path } of listed) {
    const { extents, seek: _, ...record } = byPath.get(path)!;
    const place = stored.get(oid);
    const chain = place === undefined ? [] : chainOf(place, stored);
    const reach = place && reachOf(place, chain, extents.length === 0);
    assert.deepEqual(record, {
      path,
      kind,
      size: kind === 1 || kind === 5 ? undefined : Number(sizeOf.get(oid)),
      oid: kind === 5 ? oid : undefined,
      offset: place?.offset ?? -1,
      length: reach === undefined ? place?.length : undefined,
      reach,
      rank: rankOf.get(oid) ?? -1,
    });
    // They are hints, which the section drops rather than grow too large.
    if (extents.length > 0) assert.deepEqual(extents, extentsOf(place!, chain), path);
    extentCount += extents.length;
    if (reach !== undefined) reachCount++;
  }
  return { ...layout, extentCount, reachCount };
}

/** The section takes no more than docs/FORMAT.md says: three pages are the least. */
function checkSize(image: Buffer, { bareSize, pageSize, records }: DecodedLayout, blockSize = 512): void {
  const most = Math.max(16 * records.length, 0.03 * bareSize) + 3 * pageSize + blockSize;
  assert.ok(image.length - bareSize <= most, `${image.length - bareSize} of ${most}`);
}

/** Makes an image, and checks its section. */
async function check(
  t: TestContext,
  source: string,
  options: MakeOptions = {},
): Promise<ReturnType<typeof compareWithGit>> {
  const file = join(temporaryFolder(t), "image");
  const { layoutBytes, imageBytes } = await make(source, file, { date: "2024-06-07T08:09:10Z", ...options });
  const image = readFileSync(file);
  const layout = compareWithGit(t, image);
  assert.deepEqual([imageBytes, layoutBytes], [image.length, image.length - layout.bareSize]);
  checkSize(image, layout, options.blockSize);
  // The functions of docteur/layout make the same section from the image alone, and take it away again.
  assert.equal((await checkLayout(file)).pathCount, layout.records.length);
  await stripLayout(file);
  assert.deepEqual(readFileSync(file), image.subarray(0, layout.bareSize));
  const bare = join(temporaryFolder(t), "bare");
  const summary = await make(source, bare, { date: "2024-06-07T08:09:10Z", ...options, layout: false });
  assert.equal(summary.layoutBytes, 0);
  assert.deepEqual(readFileSync(bare), image.subarray(0, layout.bareSize));
  await addLayout(file);
  assert.deepEqual(readFileSync(file), image);
  const report = await verify(file);
  assert.deepEqual([report.status, report.findings, report.layoutBytes], ["sound", [], layoutBytes]);
  return layout;
}

for (let seed = 1; seed <= 6; seed++)
  test(`a random tree (seed ${seed}), packed by docteur and by git`, async (t) => {
    const folder = temporaryFolder(t);
    createRandomTree(folder, seed, seed);
    await check(t, folder, { blockSize: seed % 2 === 0 ? 512 : 8192 });
    git(folder, "init", "-q");
    commitAll(folder, "random");
    await check(t, folder, { blockSize: seed % 3 === 0 ? 4096 : 512 });
    await check(t, folder, { repack: true });
  });

test("versions of files: chains of deltas and their extents", async (t) => {
  const folder = temporaryFolder(t);
  const random = seeded(17);
  for (let page = 0; page < 40; page++) {
    let lines = Array.from({ length: 60 }, () => `line ${random(1e9)} of page ${page}`);
    for (let version = 0; version < 12; version++) {
      lines = lines.map((line) => (random(30) === 0 ? `edited ${random(1e9)}` : line));
      mkdirSync(join(folder, `v${version}/section ${page % 7}`), { recursive: true });
      writeFileSync(join(folder, `v${version}/section ${page % 7}/page-${page}.html`), lines.join("\n"));
    }
  }
  const { reachCount } = await check(t, folder);
  assert.ok(reachCount > 400);
  git(folder, "init", "-q");
  commitAll(folder, "versions");
  assert.ok((await check(t, folder)).reachCount > 400);
});

test("versions of large files: deltas too large for a reach have extents", async (t) => {
  const folder = temporaryFolder(t);
  const random = seeded(18);
  const line = (): string => Array.from({ length: 12 }, () => random(1e9)).join(" ");
  for (let page = 0; page < 4; page++) {
    let lines = Array.from({ length: 400 }, line);
    for (let version = 0; version < 12; version++) {
      lines = lines.map((text) => (random(8) === 0 ? line() : text));
      mkdirSync(join(folder, `v${version}`), { recursive: true });
      writeFileSync(join(folder, `v${version}/page-${page}.html`), lines.join("\n"));
    }
  }
  const { extentCount } = await check(t, folder);
  assert.ok(extentCount > 20, `${extentCount}`);
  git(folder, "init", "-q");
  commitAll(folder, "versions");
  assert.ok((await check(t, folder)).extentCount > 20);
});

test("many paths of few objects take at most 16 bytes each", async (t) => {
  const folder = temporaryFolder(t);
  for (let version = 0; version < 60; version++)
    for (let page = 0; page < 100; page++) {
      const place = join(folder, `1.${version}/reference/${page % 9}`);
      mkdirSync(place, { recursive: true });
      writeFileSync(
        join(place, `function.${page}.html`),
        `<p>page ${page} ${version % 20 === page % 20 ? version : ""}`,
      );
    }
  const { bareSize, records, pages, pageSize } = await check(t, folder);
  assert.ok(pages * pageSize > 0.03 * bareSize);
  assert.ok(records.length > 6000);
});

test("deep directories, and paths as long as readers take", async (t) => {
  const files: Record<string, string> = { "a.txt": "short" };
  files[`${"d/".repeat(511)}f`] = "deep";
  files[`${`${"x".repeat(250)}/`.repeat(16)}${"y".repeat(79)}`] = "long";
  files["n".repeat(4095)] = "one name";
  const { image } = await makeImage(files);
  const layout = compareWithGit(t, Buffer.from(image));
  assert.equal(layout.pageSize, 16384);
  assert.ok(layout.records.some(({ path }) => path.length === 4095));
});

test("pages are small where paths are few and short", async (t) => {
  const named = (count: number, length: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${index}`.padStart(length, "n"), `${index % 9}`]),
    );
  for (const [count, length, pageSize] of [
    [32, 12, 512],
    [512, 160, 512],
    [513, 12, 4096],
    [3, 161, 4096],
    [3, 1900, 4096],
    [3, 1901, 16384],
  ] as const) {
    const { image, layoutBytes } = await makeImage(named(count, length));
    assert.equal(compareWithGit(t, Buffer.from(image)).pageSize, pageSize, `${count} of ${length}`);
    if (count === 32) assert.ok(layoutBytes <= 2048, `${layoutBytes}`);
    const volume = await open(image);
    assert.equal(volume.layout, "used");
    assert.equal((await volume.list("/", { oids: false })).length, count);
    await volume.close();
  }
});

test("a directory of 100,000 entries", async (t) => {
  const random = seeded(5);
  const word = (): string => random(2 ** 30).toString(36);
  const files: Record<string, string> = {};
  for (let index = 0; index < 100_000; index++)
    files[`all/${word()}${word()}${word()}-${index}.md`] = `${index % 50}`;
  const { image } = await makeImage(files, { depth: 0 });
  const layout = compareWithGit(t, Buffer.from(image));
  assert.ok(layout.leaves > 500);
});

test("long separators need pages between the root and the leaves", async (t) => {
  const random = seeded(6);
  const files: Record<string, string> = {};
  for (let group = 0; group < 120; group++) {
    const name = Array.from({ length: 24 }, () => random(2 ** 30).toString(36)).join("");
    for (let index = 0; index < 90; index++)
      files[`${name}${random(2 ** 30).toString(36)}${index}`] = `${index % 9}`;
  }
  const layout = compareWithGit(t, Buffer.from((await makeImage(files, { depth: 0 })).image));
  assert.ok(layout.pages > layout.leaves + 2);
});

test("submodules, links and executables", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "-q");
  writeFileSync(join(folder, "f"), "content\n");
  const commit = commitAll(folder, "first");
  git(folder, "update-index", "--add", "--cacheinfo", `160000,${commit},sub/module`);
  git(folder, "update-index", "--add", "--cacheinfo", `120000,${git(folder, "rev-parse", "HEAD:f")},link`);
  git(folder, "update-index", "--add", "--cacheinfo", `100755,${git(folder, "rev-parse", "HEAD:f")},run`);
  git(folder, "commit", "-q", "-m", "kinds");
  const { records } = await check(t, folder);
  assert.deepEqual(records.map(({ kind }) => kind).sort(), [1, 2, 3, 4, 5]);
});

test("the empty tree", async (t) => {
  const { records, pages, leaves } = await check(t, temporaryFolder(t));
  assert.deepEqual([records.length, pages, leaves], [0, 2, 1]);
});

test("names with every byte that a name can have", async (t) => {
  const folder = temporaryFolder(t);
  for (let byte = 1; byte < 256; byte++)
    if (byte !== 0x2f) writeFileSync(Buffer.concat([Buffer.from(`${folder}/n`), Buffer.of(byte)]), `${byte}`);
  const { records } = await check(t, folder);
  assert.equal(records.length, 254);
});

for (const name of FIXTURES)
  test(`${name}: a section is added to an image of the original, and taken away`, async (t) => {
    const file = join(temporaryFolder(t), "image");
    copyFileSync(fixturePath(`${name}.img`), file);
    const original = readFileSync(file);
    await addLayout(file);
    const image = readFileSync(file);
    assert.deepEqual(image.subarray(0, original.length), original);
    checkSize(image, compareWithGit(t, image));
    assert.deepEqual((await verify(file)).findings, (await verify(fixturePath(`${name}.img`))).findings);
    await stripLayout(file);
    assert.deepEqual(readFileSync(file), original);
  });

test("the number of workers changes nothing", async (t) => {
  const folder = temporaryFolder(t);
  createRandomTree(folder, 44, 44);
  const images = [];
  for (const workers of [1, 2, 4]) {
    const file = join(folder, "..", `workers-${process.pid}-${workers}`);
    await make(folder, file, { workers, date: "2024-06-07T08:09:10Z" });
    images.push(readFileSync(file));
    execFileSync("rm", [file]);
  }
  assert.deepEqual(images[1], images[0]);
  assert.deepEqual(images[2], images[0]);
  decodeLayout(images[0]!);
});

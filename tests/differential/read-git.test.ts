/** Everything that git says of large random repositories, said by the volume: every path, every object, every mode and build. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DocteurError, type Entry, type OpenOptions, open, type Volume } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import {
  createRepository,
  FULL,
  imageOfPack,
  imageOfRepository,
  LINKS,
  objectsOf,
  SMALL,
  type TreeLine,
  treeOf,
} from "../support/repository.js";
import { SlowDevice } from "../support/slow-device.js";

const SEED = 20240607;
const SMALLEST = 2 << 20;

const work = mkdtempSync(join(realpathSync(tmpdir()), "docteur-test-"));
after(() => rmSync(work, { recursive: true, force: true }));

const variants = await coreVariants();
const release = variants.find(({ label }) => label === "release SIMD")!;
const others = variants.filter((variant) => variant !== release);

const KINDS = new Map<number, Entry["kind"]>([
  [0o040000, "directory"],
  [0o100644, "file"],
  [0o100755, "executable"],
  [0o120000, "symlink"],
  [0o160000, "submodule"],
]);

/** A repository, what git says of it, and images of it. */
class Subject {
  readonly folder: string;
  readonly objects: ReturnType<typeof objectsOf>;
  readonly tree: TreeLine[];
  /** With the pack that fast-import wrote: each version of a file is a delta of the one before. */
  readonly imported: Uint8Array;
  readonly importedChain: number;

  constructor(name: string, scale: typeof SMALL) {
    this.folder = createRepository(join(work, name), SEED, scale);
    this.objects = objectsOf(this.folder);
    this.tree = treeOf(this.folder);
    this.imported = imageOfRepository(this.folder);
    this.importedChain = this.#longestChain();
  }

  /** Packs anew, and wraps the pack. */
  repacked(...options: string[]): Uint8Array {
    git(this.folder, "repack", "-q", "-a", "-d", "-f", "--threads=1", ...options);
    return imageOfRepository(this.folder);
  }

  /** The length of the longest chain in the present pack. */
  #longestChain(): number {
    const lengths = git(
      this.folder,
      "cat-file",
      "--batch-all-objects",
      "--batch-check=%(objectname) %(deltabase)",
    );
    const bases = new Map(lengths.split("\n").map((line) => line.split(" ") as [string, string]));
    const depths = new Map<string, number>();
    let longest = 0;
    for (const start of bases.keys()) {
      const way: string[] = [];
      let at = start;
      while (bases.has(at) && !depths.has(at)) {
        way.push(at);
        at = bases.get(at)!;
      }
      let depth = depths.get(at) ?? -1;
      for (const oid of way.reverse()) depths.set(oid, ++depth);
      longest = Math.max(longest, depth);
    }
    return longest;
  }
}

const small = new Subject("small", SMALL);
const full = new Subject("full", FULL);

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

function same(actual: Uint8Array, expected: Uint8Array, where: string): void {
  if (Buffer.compare(actual, expected) !== 0)
    assert.fail(`${where}: other bytes, or ${actual.length} of ${expected.length}`);
}

/** Every directory lists what git lists, sorted by bytes, with sizes. */
async function checkLists(volume: Volume, { tree }: Subject): Promise<void> {
  const byParent = new Map<string, TreeLine[]>([["", []]]);
  for (const line of tree) {
    const text = line.path.toString("latin1");
    const parent = text.slice(0, Math.max(0, text.lastIndexOf("/")));
    byParent.get(parent)!.push(line);
    if (line.mode === 0o040000) byParent.set(text, []);
  }
  for (const [parent, lines] of byParent) {
    const name = (line: TreeLine): Buffer => line.path.subarray(line.path.lastIndexOf(0x2f) + 1);
    const expected = lines
      .sort((a, b) => Buffer.compare(name(a), name(b)))
      .map((line) => ({
        nameBytes: name(line).toString("latin1"),
        kind: KINDS.get(line.mode)!,
        mode: line.mode,
        oid: line.oid,
        size: line.size,
      }));
    const actual = [];
    for await (const { nameBytes, kind, mode, oid, size } of volume.entries(Buffer.from(parent, "latin1"), {
      sizes: true,
    }))
      actual.push({ nameBytes: Buffer.from(nameBytes).toString("latin1"), kind, mode, oid, size });
    assert.deepEqual(actual, expected, parent);
  }
}

/** One path, by every operation. */
async function checkPath(
  volume: Volume,
  { objects }: Subject,
  line: TreeLine,
  random: Random,
): Promise<void> {
  const { path, mode, oid, size } = line;
  const where = path.toString("latin1");
  assert.equal(await volume.exists(path), mode === 0o040000 ? "dictionary" : "value", where);
  if (random(2)) assert.equal(await volume.digest(path), oid, where);
  if (mode === 0o040000 || mode === 0o160000) {
    const code = mode === 0o040000 ? "ValueExpected" : "Submodule";
    await assert.rejects(volume.get(path), { code }, where);
    return;
  }
  const { data } = objects.get(oid)!;
  const stat = await volume.stat(path);
  assert.deepEqual([stat.kind, stat.mode, stat.oid, stat.size], [KINDS.get(mode), mode, oid, size], where);
  if (random(2)) assert.equal(await volume.size(path), data.length, where);
  for (let parts = random(4); parts > 0; parts--) {
    const offset = random(data.length + 10);
    const length = random(2) ? random(300) : random(data.length + 10);
    same(
      await volume.getPartial(path, offset, length),
      data.subarray(offset, offset + length),
      `${where} ${offset}+${length}`,
    );
  }
  same(await volume.get(path), data, where);
}

async function checkPaths(volume: Volume, subject: Subject, seed: number): Promise<void> {
  const random = seeded(seed);
  for (const line of shuffled(subject.tree, random)) await checkPath(volume, subject, line, random);
}

async function checkObjects(volume: Volume, { objects }: Subject, seed: number): Promise<void> {
  for (const [oid, { kind, data }] of shuffled([...objects], seeded(seed))) {
    const object = await volume.object(oid);
    assert.equal(object.kind, kind, oid);
    same(object.data, data, oid);
  }
}

async function checkLinks(volume: Volume): Promise<void> {
  for (const [path, target, leads] of LINKS) {
    assert.equal(Buffer.from(await volume.get(path)).toString(), target, path);
    const followed = volume.stat(path, { follow: true });
    if (!leads.startsWith("/")) {
      if (leads === "Submodule" && !path.includes("into")) assert.equal((await followed).kind, "submodule");
      else await assert.rejects(followed, { code: leads }, path);
      await assert.rejects(volume.get(path, { follow: true }), { code: leads }, path);
      continue;
    }
    const expected = await volume.stat(leads);
    const { kind, oid, size } = await followed;
    assert.deepEqual([kind, oid, size], [expected.kind, expected.oid, expected.size], path);
    if (kind === "file")
      assert.deepEqual(await volume.get(path, { follow: true }), await volume.get(leads), path);
    else
      assert.deepEqual(
        (await volume.list(path, { follow: true })).map(({ name }) => name),
        (await volume.list(leads)).map(({ name }) => name),
      );
  }
}

async function checkAll(
  image: Uint8Array,
  subject: Subject,
  seed: number,
  options: OpenOptions,
): Promise<void> {
  const volume = await open(image, options);
  await checkPaths(volume, subject, seed);
  await checkLists(volume, subject);
  await checkObjects(volume, subject, seed + 1);
  await checkLinks(volume);
  await volume.close();
}

test("a large repository, packed with deep chains, in every mode", async () => {
  const image = full.repacked("--depth=250", "--window=10");
  for (const [index, mode] of MODES.entries())
    await checkAll(image, full, index, { mode, module: release.module });
  const { objectCount, commit } = await assertSound(image);
  assert.equal(objectCount, full.objects.size);
  assert.equal(commit, git(full.folder, "rev-parse", "main"));
});

test("a large repository in the smallest memory: what does not fit says so, and nothing else suffers", async () => {
  const image = imageOfRepository(full.folder);
  const volume = await open(image, { memoryLimit: SMALLEST, module: release.module });
  const random = seeded(11);
  let refused = 0;
  for (const line of shuffled(full.tree, random)) {
    try {
      await checkPath(volume, full, line, random);
    } catch (error) {
      assert.ok(
        error instanceof DocteurError && error.code === "OutOfMemory",
        String((error as Error).stack),
      );
      assert.ok(line.size! > 200_000, `${line.path} of ${line.size} bytes is refused`);
      refused++;
    }
  }
  // Large deltas are read in ranges.
  assert.ok(refused < 6, `${refused} files refused`);
  assert.ok(volume.stats().memoryBytes <= SMALLEST);
  // What is stored whole is streamed, whatever its size.
  same(await volume.get("large/zeros"), Buffer.alloc(FULL.large + 1), "large/zeros");
  await checkLists(volume, full);
});

test("chains of a thousand deltas and more", async () => {
  const image = full.imported;
  assert.ok(full.importedChain >= 1000, `${full.importedChain} deltas deep`);
  const versions = full.tree.filter(({ path }) => path.toString().startsWith("versions/"));
  for (const mode of ["light", "analyze"] as const) {
    const volume = await open(image, {
      mode,
      module: release.module,
      ...(mode === "light" ? { memoryLimit: SMALLEST } : {}),
    });
    const random = seeded(5);
    for (const line of shuffled(versions, random).slice(0, 250)) await checkPath(volume, full, line, random);
  }
});

for (const { label, module } of others)
  for (const mode of MODES)
    test(`a repository in every way (${label}, ${mode})`, async () => {
      await checkAll(small.repacked("--depth=50"), small, 3, { mode, module });
    });

test("ref-deltas", async () => {
  const list = git(small.folder, "rev-list", "--objects", "--no-object-names", "main");
  const stem = join(work, "ref");
  const hash = execFileSync("git", ["pack-objects", "-q", "--no-reuse-delta", "--depth=100", stem], {
    cwd: small.folder,
    env: GIT_ENVIRONMENT,
    input: `${list}\n`,
    encoding: "latin1",
  }).trim();
  const [pack, idx] = ["pack", "idx"].map((end) => readFileSync(`${stem}-${hash}.${end}`));
  const image = imageOfPack(git(small.folder, "rev-parse", "main"), pack!, idx!);
  for (const { module } of variants)
    for (const mode of MODES) await checkAll(image, small, 4, { mode, module });
  assert.equal((await assertSound(image)).objectCount, small.objects.size);
});

test("an IDX with offsets of 64 bits is read", async () => {
  const packs = join(small.folder, "objects", "pack");
  const pack = execFileSync("sh", ["-c", 'cat "$0"/*.pack', packs], { maxBuffer: 1 << 30 });
  writeFileSync(join(work, "large-offsets.pack"), pack);
  git(work, "index-pack", "--index-version=2,0x40", "large-offsets.pack");
  const idx = readFileSync(join(work, "large-offsets.idx"));
  const image = imageOfRepository(small.folder, idx);
  for (const { module } of variants)
    for (const mode of MODES) await checkAll(image, small, 5, { mode, module });
  // It is not the encoding that the PACK gives.
  await assert.rejects(assertSound(image), { code: "BadIdx" });
});

test("an image that was made of the repository", async () => {
  const path = join(work, "made.img");
  await make(small.folder, path);
  for (const mode of MODES) {
    const volume = await open(path, { mode, module: release.module });
    await checkPaths(volume, small, 6);
    await checkLists(volume, small);
    await volume.close();
  }
});

for (const mode of MODES)
  test(`the slowest device (${mode})`, async () => {
    const image = imageOfRepository(small.folder);
    const device = new SlowDevice(image, 9);
    const volume = await open(device, { mode, module: release.module, memoryLimit: 4 << 20 });
    const random = seeded(13);
    for (const line of shuffled(small.tree, random)) await checkPath(volume, small, line, random);
    await checkLinks(volume);
    await checkLists(volume, small);
    assert.ok(device.trips > 20, `${device.trips} round trips`);
  });

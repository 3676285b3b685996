/** The packer against git, against docteur's reader, and against itself in other circumstances. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDate } from "../../src/git/date.js";
import { open } from "../../src/index.js";
import { fileContents } from "../../src/make/base/file-contents.js";
import { type ListingSummary, makeFromListing } from "../../src/make/from-listing.js";
import { make, makeImage } from "../../src/make/index.js";
import { DEPTH, SEEK_MIN } from "../../src/make/options.js";
import { compilePacker } from "../../src/make/pack/compile-packer.js";
import { createEngine } from "../../src/make/pack/engine.js";
import type { Executor } from "../../src/make/pack/jobs.js";
import { LocalExecutor } from "../../src/make/pack/local-executor.js";
import { Pool } from "../../src/make/pack/pool.js";
import { JobRunner } from "../../src/make/pack/runner.js";
import { listDirectory } from "../../src/make/source/directory.js";
import { ExcludePatterns } from "../../src/make/source/exclude.js";
import { MemorySink } from "../../src/sink.js";
import { verify } from "../../src/verify/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { MODES } from "../support/core.js";
import { addPieced, type Files, familyTree, writeFiles } from "../support/families.js";
import { git } from "../support/git.js";
import { KIND, type PackEntry, parseImage, resolveAll } from "../support/pack.js";
import { temporaryFolder } from "../support/temporary.js";

/** An image of a directory, its work done by `executor`, which ends with it. */
async function makeWith(executor: Executor, source: string): Promise<ListingSummary & { image: Buffer }> {
  const exclude = new ExcludePatterns([]);
  const listing = await listDirectory(source, { compat: false, outputs: [], exclude, skipSpecial: false });
  const sink = new MemorySink();
  try {
    const made = await makeFromListing(listing, sink, executor, fileContents, {
      date: parseDate(DATE),
      blockSize: 512,
      depth: DEPTH,
      seekMin: SEEK_MIN,
    });
    return { ...made, image: Buffer.from(sink.content) };
  } finally {
    await executor.close();
  }
}

const local = (module: WebAssembly.Module): Executor =>
  new LocalExecutor(new JobRunner(createEngine(module), fileContents));

/** Every file in every mode, and the whole image. */
async function readAll(image: Buffer, files: Files): Promise<void> {
  for (const mode of MODES) {
    const volume = await open(image, { mode });
    for (const [path, content] of files)
      assert.ok(content.equals(await volume.get(`/${path}`)), `${mode}: ${path}`);
    await volume.close();
  }
  await verify(image);
}

test("the same bytes from any number of workers, any order of files, at any time", async (t) => {
  const files = familyTree(11);
  addPieced(files, 12);
  const work = temporaryFolder(t);
  const sources = [1, 2].map((order) => {
    const source = join(work, `source${order}`);
    writeFiles(source, files, order);
    return source;
  });
  const { bytes, summary } = await makeAndCheck(sources[0]!, work, { workers: 2 });
  for (const workers of [1, 4]) {
    const again = await make(sources[1]!, join(work, "again"), { date: DATE, workers });
    assert.deepEqual(again, summary);
    assert.ok(readFileSync(join(work, "again")).equals(bytes), `${workers} workers give other bytes`);
  }
  await readAll(bytes, files);
});

test("small trees, which no worker packs: the same bytes from workers, in memory, in every build", async (t) => {
  for (const seed of [21, 22]) {
    const files = familyTree(seed, 1 / 4);
    const work = temporaryFolder(t);
    const source = join(work, "source");
    writeFiles(source, files, seed);
    const { bytes } = await makeAndCheck(source, work);
    const pool = new Pool(2, await compilePacker());
    assert.ok((await makeWith(pool, source)).image.equals(bytes), `seed ${seed}: workers`);
    const { image } = await makeImage(files, { date: DATE });
    assert.ok(Buffer.from(image).equals(bytes), `seed ${seed}: in memory`);
    for (const debug of [false, true])
      for (const simd of [false, true]) {
        const made = await makeWith(local(await compilePacker(simd, debug)), source);
        assert.ok(made.image.equals(bytes), `seed ${seed}: simd ${simd}, debug ${debug}`);
      }
  }
});

/** How long the chains of deltas are, by git's account: the number of objects by length, 0 for whole ones. */
function chainsOf(repository: string): Map<number, number> {
  const folder = join(repository, "objects", "pack");
  const idx = readdirSync(folder).find((name) => name.endsWith(".idx"))!;
  const chains = new Map<number, number>();
  for (const line of git(repository, "verify-pack", "-v", join(folder, idx)).split("\n")) {
    const found = /^[0-9a-f]{40} \w+ +\d+ \d+ \d+(?: (\d+) [0-9a-f]{40})?$/.exec(line);
    if (found === null) continue;
    const length = Number(found[1] ?? 0);
    chains.set(length, (chains.get(length) ?? 0) + 1);
  }
  return chains;
}

/** Ids in the order that is promised, but for bases: the commit, the trees breadth first, the blobs by their paths. */
function promisedOrder(commit: string, entries: readonly PackEntry[]): string[] {
  const objects = resolveAll(entries);
  const treesIn = (oid: string): { name: string; oid: string; isTree: boolean }[] => {
    const { data } = objects.get(oid)!;
    const found = [];
    for (let at = 0; at < data.length; ) {
      const space = data.indexOf(0x20, at);
      const end = data.indexOf(0, space);
      const isTree = data.toString("latin1", at, space) === "40000";
      const name = data.toString("latin1", space + 1, end);
      found.push({ name, oid: data.toString("hex", end + 1, end + 21), isTree });
      at = end + 21;
    }
    return found;
  };
  const root = /^tree ([0-9a-f]{40})\n/.exec(objects.get(commit)!.data.toString())![1]!;
  const trees = new Set([root]);
  for (const tree of trees) for (const { oid, isTree } of treesIn(tree)) if (isTree) trees.add(oid);
  const blobs = new Set<string>();
  const walk = (tree: string): void => {
    for (const { oid, isTree } of treesIn(tree)) isTree ? walk(oid) : blobs.add(oid);
  };
  walk(root);
  return [commit, ...trees, ...blobs];
}

/** The family of each entry: the object that is stored whole at the end of its chain. */
function familiesOf(entries: readonly PackEntry[]): Map<string, string> {
  const families = new Map<string, string>();
  for (const { oid, base } of entries) families.set(oid, base === undefined ? oid : families.get(base)!);
  return families;
}

/**
 * Checks that families lie together in the promised order: each base before its deltas, and each delta with its own deltas
 * before the next one of its base.
 * @returns how many whole objects lie inside another family: those that were to be deltas, which did not pay
 */
function checkOrder(commit: string, entries: readonly PackEntry[]): number {
  const families = familiesOf(entries);
  const promised = promisedOrder(commit, entries);
  assert.equal(promised.length, entries.length);
  const places = new Map(promised.map((oid, place) => [oid, place]));
  const rest = new Set(promised);
  const lastDelta = new Map<string, number>();
  /** The last entry and its bases, the nearest last; those inside which a whole object lies stay. */
  let open: string[] = [];
  let inside = 0;
  for (const { oid, base } of entries) {
    if (base !== undefined) {
      while (open.length > 0 && open.at(-1) !== base) open.pop();
      assert.ok(open.length > 0, `${oid} lies apart from its base`);
      assert.ok(places.get(oid)! > (lastDelta.get(base) ?? -1), `${oid} comes after a later delta`);
      lastDelta.set(base, places.get(oid)!);
    } else if (families.get(rest.values().next().value!) === oid) open = [];
    else inside++;
    open.push(oid);
    rest.delete(oid);
  }
  return inside;
}

test("depths are kept, entries are in order, and git counts as many deltas", async (t) => {
  const files = familyTree(31);
  const source = join(temporaryFolder(t), "source");
  mkdirSync(source);
  writeFiles(source, files, 1);
  let last = Number.POSITIVE_INFINITY;
  for (const depth of [0, 1, 5, 50]) {
    const made = await makeAndCheck(source, temporaryFolder(t), { depth, workers: 2 });
    const chains = chainsOf(made.repository);
    const deepest = Math.max(...chains.keys());
    assert.ok(deepest <= depth, `depth ${depth}: a chain of ${deepest}`);
    assert.ok(deepest >= Math.min(depth, 10), `depth ${depth}: no chain is longer than ${deepest}`);
    const { entries } = parseImage(made.bytes);
    const { deltaCount, objectCount } = made.summary;
    assert.equal(deltaCount, objectCount - chains.get(0)!);
    assert.equal(deltaCount, entries.filter(({ kind }) => kind === KIND.ofsDelta).length);
    const unneeded = checkOrder(made.summary.commit, entries);
    assert.ok(unneeded <= entries.length / 50, `depth ${depth}: ${unneeded} of ${entries.length}`);
    assert.ok(made.summary.packBytes < last, `depth ${depth} takes no less than the one before`);
    last = made.summary.packBytes;
    await readAll(made.bytes, files);
  }
});

test("efforts: other bytes, the smaller for more effort, and git finds no fault with any", async (t) => {
  const folder = temporaryFolder(t);
  const source = join(folder, "source");
  mkdirSync(source);
  writeFiles(source, familyTree(31), 1);
  const made: { image: Buffer; packBytes: number }[] = [];
  for (const effort of ["fast", "default", "small"] as const) {
    const work = join(folder, effort);
    mkdirSync(work);
    const { bytes, summary } = await makeAndCheck(source, work, { effort, workers: 2 });
    const alone = join(work, "alone");
    await make(source, alone, { date: DATE, effort, workers: 1 });
    assert.ok(readFileSync(alone).equals(bytes), `${effort}: one worker makes the same`);
    await verify(bytes);
    made.push({ image: bytes, packBytes: summary.packBytes });
  }
  const [fast, usual, small] = made;
  assert.ok(small!.packBytes < usual!.packBytes, `${small!.packBytes} and ${usual!.packBytes}`);
  assert.ok(usual!.packBytes < fast!.packBytes, `${usual!.packBytes} and ${fast!.packBytes}`);
});

test("efforts of makeImage", async () => {
  const text = Buffer.from(
    Array.from({ length: 9000 }, (_, at) => ((at * at) % 7919).toString(36)).join(" "),
  );
  const sizes: number[] = [];
  for (const effort of ["fast", "default", "small"] as const) {
    const { image } = await makeImage({ text }, { effort });
    const volume = await open(image);
    assert.ok(text.equals(await volume.get("/text")), effort);
    await volume.close();
    sizes.push((await makeImage({ text }, { effort, blockSize: 1 << 9 })).packBytes);
  }
  const [fast, usual, small] = sizes;
  assert.ok(small! < usual! && small! < fast!, sizes.join());
  assert.notEqual(fast, usual);
  await assert.rejects(makeImage({ text }, { effort: "best" as "small" }), { code: "InvalidArgument" });
});

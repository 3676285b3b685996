/** Walks over slow devices: directories that come next are read at once, in bounds, and nothing else changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENTRY } from "../../src/git/tree-mode.js";
import { open } from "../../src/index.js";
import { FoundEntry, folderOf, namesOf, type Page } from "../../src/volume/entry.js";
import { type ReadPage, type WalkOrder, walkPages } from "../../src/volume/walk.js";
import { startServer } from "../support/range-server.js";
import { richImage } from "../support/rich-image.js";

const FOLDERS = 40;
/** Reads that run at a time at the most: those ahead of a place, and of the place before it. */
const MOST = 25;

/** A tree of folders, each with as many folders, each with two files; `order` has a name that paths sort elsewhere. */
function pageOf(path: Uint8Array, after: Uint8Array, limit: number): Page {
  const names = namesOf(path);
  const folder = folderOf(names);
  const entry = (name: string, type: number, mode: number): FoundEntry =>
    new FoundEntry(folder, Buffer.from(name), type, mode, "0".repeat(40));
  const all =
    names.length < 2
      ? Array.from({ length: FOLDERS }, (_, index) => entry(`d${100 + index}`, ENTRY.tree, 0o040000))
      : ["a", "b"].map((name) => entry(name, ENTRY.file, 0o100644));
  if (names.length < 2) all.splice(1, 0, entry("d100.txt", ENTRY.file, 0o100644));
  const left = all.filter(({ nameBytes }) => Buffer.compare(nameBytes, after) > 0);
  return { entries: left.slice(0, limit), hasMore: left.length > limit };
}

interface Walked {
  paths: string[];
  /** Times that the walk waited for pages that came together. */
  rounds: number;
  /** Reads under way at the most. */
  most: number;
  reads: number;
}

async function walk(order: WalkOrder, isSlow: boolean, stopAfter = Number.MAX_SAFE_INTEGER): Promise<Walked> {
  const walked: Walked = { paths: [], rounds: 0, most: 0, reads: 0 };
  let waiting: (() => void)[] = [];
  const read: ReadPage = (path, after, limit) => {
    walked.reads++;
    const page = pageOf(path, after, limit);
    if (!isSlow) return page;
    return new Promise((resolve) => {
      if (waiting.push(() => resolve(page)) > 1) return;
      setImmediate(() => {
        walked.rounds++;
        walked.most = Math.max(walked.most, waiting.length);
        const here = waiting;
        waiting = [];
        for (const give of here) give();
      });
    });
  };
  for await (const { path } of walkPages(Buffer.from("/"), order, read))
    if (walked.paths.push(path) === stopAfter) break;
  return walked;
}

for (const order of ["name", "path"] as const)
  test(`a walk in order of ${order} over a slow device reads many directories at once`, async () => {
    const folders = 1 + FOLDERS + FOLDERS ** 2;
    const fast = await walk(order, false);
    const slow = await walk(order, true);
    assert.deepEqual(slow.paths, fast.paths);
    assert.equal(fast.paths.length, folders - 1 + FOLDERS + 1 + 2 * FOLDERS ** 2);
    assert.equal(fast.reads, folders);
    assert.equal(slow.reads, folders);
    assert.ok(slow.rounds < folders / 6, `${slow.rounds} rounds for ${folders} directories`);
    assert.ok(slow.most > 6 && slow.most <= MOST, `${slow.most} reads at once`);
  });

test("a walk that is given up has read little ahead", async () => {
  const { reads } = await walk("name", true, 5);
  assert.ok(reads <= 2 * MOST, `${reads} reads`);
  assert.equal((await walk("name", false, 5)).reads, 3);
});

test("what a walk reads ahead fails only when its turn comes", async () => {
  const read: ReadPage = async (path, after, limit) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (Buffer.from(path).includes("d105")) throw new Error("gone");
    return pageOf(path, after, limit);
  };
  const paths: string[] = [];
  await assert.rejects(async () => {
    for await (const { path } of walkPages(Buffer.from("/"), "name", read)) paths.push(path);
  }, /^Error: gone$/);
  assert.equal(paths.at(-1), "/d100/d105");
});

test("a walk that is given up leaves no operation behind", async (t) => {
  const { image, files } = richImage(300_000);
  const server = await startServer(t, image);
  const volume = await open(server.url, { pageSize: 4096 });
  for await (const _ of volume.walk("/")) break;
  const [path] = files.keys();
  assert.deepEqual(Buffer.from(await volume.get(path!)), files.get(path!));
  await volume.close();
});

/** Look-ups in large directories: right in every order of names, and without inflating a tree again. Work is counted, not timed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, type Volume } from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, copy, delta, insert, type Placed, treeEntry } from "../support/crafted-image.js";
import { gitOid } from "../support/fixtures.js";
import { type Random, seeded } from "../support/random.js";

const MIB = 1 << 20;
/** Inflated bytes of the small objects that reads of one directory take, at most. */
const SMALL = 100_000;

/** The content of the directory's file of that number. */
function contentOf(index: number): string {
  return `content ${index % 16}\n`;
}

/** A name of `length` bytes; names sort as their numbers do. */
function nameOf(index: number, length: number): string {
  return `${String(index).padStart(8, "0")}-`.padEnd(length, "name");
}

/** A tree of `count` files. */
function treeOf(blobs: string[], count: number, length: number): Buffer {
  const entries: Buffer[] = [];
  for (let i = 0; i < count; i++) entries.push(treeEntry("100644", nameOf(i, length), blobs[i % 16]!));
  return Buffer.concat(entries);
}

/** Adds a tree as a delta: its base is one entry longer. */
function addAsDelta(image: CraftedImage, content: Buffer): Placed {
  const longer = Buffer.concat([
    treeEntry("100644", "!", gitOid("blob", Buffer.from(contentOf(0)))),
    content,
  ]);
  const base = image.object("tree", longer);
  const first = longer.length - content.length;
  const copies: Buffer[] = [insert(content.toString("latin1", 0, 7))];
  for (let at = 7; at < content.length; at += 0xffff)
    copies.push(copy(first + at, Math.min(0xffff, content.length - at)));
  return image.ofsDelta(
    gitOid("tree", content),
    base.offset,
    delta(longer.length, content.length, ...copies),
  );
}

interface Shape {
  count: number;
  length: number;
  isDelta?: boolean;
}

/** An image of directories `/0`, `/1`, … of these shapes. */
function imageOf(...shapes: Shape[]): Uint8Array {
  const image = new CraftedImage();
  const blobs = Array.from({ length: 16 }, (_, index) => image.object("blob", contentOf(index)).oid);
  const entries = shapes.map(({ count, length, isDelta }, index) => {
    const content = treeOf(blobs, count, length);
    const tree = isDelta ? addAsDelta(image, content) : image.object("tree", content);
    return treeEntry("40000", String(index), tree.oid);
  });
  image.commit(image.tree(...entries).oid);
  return image.finish().bytes;
}

/** Reads files of the directories by turns, and says what was inflated for each after the first look into each directory. */
async function inflatedFor(volume: Volume, shapes: Shape[], pick: (turn: number, count: number) => number) {
  const read = async (directory: number, index: number): Promise<void> => {
    const { length } = shapes[directory]!;
    const content = await volume.get(`/${directory}/${nameOf(index, length)}`);
    assert.equal(Buffer.from(content).toString(), contentOf(index));
  };
  for (const directory of shapes.keys()) await read(directory, 0);
  const before = volume.stats().inflatedBytes;
  for (let turn = 0; turn < 400; turn++)
    for (const [directory, { count }] of shapes.entries()) await read(directory, pick(turn, count));
  return volume.stats().inflatedBytes - before;
}

const anywhere = (turn: number, count: number): number => Math.floor(((turn * 0.618034) % 1) * count);
const inOrder = (turn: number, count: number): number => (count >> 1) + turn;

const { module } = (await coreVariants())[1]!;

const CASES: { title: string; shapes: Shape[] }[] = [
  { title: "10,000 names", shapes: [{ count: 10_000, length: 20 }] },
  { title: "a tree of 13 MiB", shapes: [{ count: 100_000, length: 107 }] },
  { title: "a tree of 13 MiB that is a delta", shapes: [{ count: 100_000, length: 107, isDelta: true }] },
  {
    title: "two trees beyond 8 MiB, by turns",
    shapes: [
      { count: 70_000, length: 107 },
      { count: 70_001, length: 107 },
    ],
  },
];

for (const { title, shapes } of CASES)
  test(`a large directory is inflated once: ${title}`, async () => {
    const bytes = imageOf(...shapes);
    for (const pick of [anywhere, inOrder]) {
      const volume = await open(bytes, { module });
      assert.ok((await inflatedFor(volume, shapes, pick)) < SMALL);
      assert.ok(volume.stats().memoryBytes < 64 * MIB);
    }
  });

/** Names that stand close to each other in git's order, and on either side of a slash. */
function awkwardName(random: Random): string {
  const letters = "ab-./0~\xff".replace("/", "");
  let name = "";
  for (let length = 1 + random(4); length > 0; length--) name += letters[random(letters.length)];
  return name === "." || name === ".." ? "a" : name;
}

interface Named {
  name: string;
  isTree: boolean;
  oid: string;
}

/** Git's order, by its definition. */
function gitOrder(a: Named, b: Named): number {
  const key = ({ name, isTree }: Named): Buffer => Buffer.from(isTree ? `${name}/` : name, "latin1");
  return Buffer.compare(key(a), key(b));
}

/** A volume of one directory with these entries, in this order. */
function volumeOf(entries: Named[], image: CraftedImage, core: WebAssembly.Module): Promise<Volume> {
  const rows = entries.map(({ name, isTree, oid }) => treeEntry(isTree ? "40000" : "100644", name, oid));
  image.commit(image.tree(...rows).oid);
  return open(image.finish().bytes, { module: core });
}

for (const { label, module: core } of await coreVariants())
  test(`each name of a directory is found, and no other (${label})`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = seeded(seed);
      const image = new CraftedImage();
      const files = Array.from({ length: 50 }, (_, index) => image.object("blob", `${index}`).oid);
      const trees = files.map((oid) => image.tree(treeEntry("100644", "x", oid)).oid);
      const byName = new Map<string, Named>();
      for (let i = 0; i < 700; i++) {
        const isTree = random(2) === 0;
        const name = awkwardName(random);
        byName.set(name, { name, isTree, oid: (isTree ? trees : files)[random(50)]! });
      }
      const volume = await volumeOf([...byName.values()].sort(gitOrder), image, core);
      for (let i = 0; i < 3000; i++) {
        const path = Buffer.from(awkwardName(random), "latin1");
        const entry = byName.get(path.toString("latin1"));
        const found = await volume.stat(path).catch((error) => error.code);
        if (entry === undefined) assert.equal(found, "NotFound");
        else assert.deepEqual([found.oid, found.kind], [entry.oid, entry.isTree ? "directory" : "file"]);
      }
    }
  });

test("a large tree that is out of order, or holds a name twice, is read as a small one is", async () => {
  for (const count of [10, 1000]) {
    const image = new CraftedImage();
    const rows = Array.from({ length: count }, (_, index) => ({
      name: `n${String(index).padStart(4, "0")}`,
      isTree: false,
      oid: image.object("blob", `${index}`).oid,
    }));
    const reversed = await volumeOf(rows.toReversed(), image, module);
    for (const { name, oid } of [rows[3]!, rows.at(-1)!, rows[0]!, rows.at(-2)!])
      assert.equal((await reversed.stat(name)).oid, oid);
    await assert.rejects(reversed.stat("absent"), { code: "NotFound" });
  }
  for (const count of [10, 1000]) {
    const image = new CraftedImage();
    const oids = Array.from({ length: count }, (_, index) => image.object("blob", `${index}`).oid);
    const rows = oids.map((oid, index) => ({
      name: `n${String(index).padStart(4, "0")}`,
      isTree: false,
      oid,
    }));
    const directory = image.tree(treeEntry("100644", "x", oids[0]!)).oid;
    const twice = [...rows, { name: "n0005", isTree: true, oid: directory }].sort(gitOrder);
    const volume = await volumeOf(twice, image, module);
    const { kind, oid } = await volume.stat("n0005");
    assert.deepEqual([kind, oid], ["file", oids[5]!]);
  }
});

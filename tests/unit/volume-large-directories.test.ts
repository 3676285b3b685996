/** Look-ups in large directories: right in every order of names, within any memory, and without inflating a tree again. Work is counted, not timed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DocteurError,
  MemoryDevice,
  type OpenOptions,
  open,
  type ReadResult,
  type Volume,
} from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, copy, delta, insert, type Placed, treeEntry } from "../support/crafted-image.js";
import { gitOid } from "../support/fixtures.js";
import { type Random, seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";

const MIB = 1 << 20;
const SMALLEST = 2 * MIB;
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

test("a tree that takes most of the memory that is allowed is inflated once", async () => {
  for (const isDelta of [false, true]) {
    const shapes = [{ count: 100_000, length: 20, isDelta }];
    const bytes = imageOf(...shapes);
    for (const memoryLimit of [isDelta ? 14 * MIB : 15 * MIB, 17 * MIB, 32 * MIB])
      for (const pick of [anywhere, inOrder]) {
        const volume = await open(bytes, { module, memoryLimit });
        assert.ok((await inflatedFor(volume, shapes, pick)) < SMALL, `${memoryLimit} ${isDelta}`);
      }
  }
});

test("a tree that is larger than the memory is inflated once in order, and in parts at random", async () => {
  for (const count of [20_000, 60_000, 100_000]) {
    const shapes = [{ count, length: 20 }];
    const bytes = imageOf(...shapes);
    const treeLen = count * 48;
    const volume = await open(bytes, { module, memoryLimit: SMALLEST });
    assert.ok((await inflatedFor(volume, shapes, inOrder)) < treeLen);
    const each = (await inflatedFor(volume, shapes, anywhere)) / 400;
    assert.ok(each < treeLen / 10 + 100_000, `${each} bytes inflated for each of ${count}`);
    assert.ok(volume.stats().memoryBytes <= SMALLEST);
  }
});

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

/** The image of one directory with these entries, in this order. */
function bytesOf(entries: Named[], image: CraftedImage): Uint8Array {
  const rows = entries.map(({ name, isTree, oid }) => treeEntry(isTree ? "40000" : "100644", name, oid));
  image.commit(image.tree(...rows).oid);
  return image.finish().bytes;
}

function volumeOf(entries: Named[], image: CraftedImage, core: WebAssembly.Module): Promise<Volume> {
  return open(bytesOf(entries, image), { module: core });
}

/** A directory of awkward names, in git's order. */
function awkward(random: Random, image: CraftedImage, count: number, tail = ""): Named[] {
  const files = Array.from({ length: 50 }, (_, index) => image.object("blob", `${index}`).oid);
  const trees = files.map((oid) => image.tree(treeEntry("100644", "x", oid)).oid);
  const byName = new Map<string, Named>();
  for (let i = 0; i < count; i++) {
    const isTree = random(2) === 0;
    const name = awkwardName(random) + (random(4) ? tail : "");
    byName.set(name, { name, isTree, oid: (isTree ? trees : files)[random(50)]! });
  }
  return [...byName.values()].sort(gitOrder);
}

/** Looks a name up, and checks what is found. */
async function check(volume: Volume, name: string, entry: Named | undefined): Promise<void> {
  const found = await volume.stat(Buffer.from(name, "latin1")).catch((error) => error.code);
  if (entry === undefined) assert.equal(found, "NotFound", name);
  else assert.deepEqual([found.oid, found.kind], [entry.oid, entry.isTree ? "directory" : "file"], name);
}

for (const { label, module: core } of await coreVariants()) {
  test(`each name of a directory is found, and no other (${label})`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = seeded(seed);
      const image = new CraftedImage();
      const entries = awkward(random, image, 700);
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      const volume = await volumeOf(entries, image, core);
      for (let i = 0; i < 3000; i++) {
        const name = awkwardName(random);
        await check(volume, name, byName.get(name));
      }
    }
  });

  test(`so it is where the directory does not fit into memory (${label})`, async () => {
    const proofs: OpenOptions[] = [{}, { proof: "oid" }];
    for (const [seed, proof] of proofs.entries()) {
      const random = seeded(seed + 7);
      const image = new CraftedImage();
      const entries = awkward(random, image, 3000, "-~".repeat(400));
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      const bytes = bytesOf(entries, image);
      for (const source of [bytes, new SlowDevice(bytes, seed)]) {
        const volume = await open(source, { module: core, memoryLimit: SMALLEST, ...proof });
        const isSlow = source !== bytes;
        for (let i = 0; i < (isSlow ? 40 : 300); i++) {
          const entry = entries[random(entries.length)]!;
          await check(volume, entry.name, entry);
          const name = awkwardName(random);
          await check(volume, name, byName.get(name));
        }
        const from = random(entries.length >> 1);
        for (const entry of entries.slice(from, from + (isSlow ? 30 : 300)))
          await check(volume, entry.name, entry);
        assert.ok(volume.stats().memoryBytes <= SMALLEST);
      }
    }
  });
}

/** A device that serves other bytes from some read on. */
class ChangingDevice extends MemoryDevice {
  change: ((offset: number, target: Uint8Array) => void) | undefined;

  override read(offset: number, target: Uint8Array): ReadResult {
    const result = super.read(offset, target);
    this.change?.(offset, target);
    return result;
  }
}

test("a directory that does not fit into memory and is damaged is refused, and the volume stays usable", async () => {
  const row = (index: number, oid: string): Buffer => treeEntry("100644", nameOf(index, 60), oid);
  const imageWith = (order: (rows: Buffer[]) => Buffer[], oid?: string, cut = 0) => {
    const image = new CraftedImage();
    const blob = image.object("blob", "content").oid;
    const rows = order(Array.from({ length: 15_000 }, (_, index) => row(index, blob)));
    const content = Buffer.concat(rows);
    const tree = image.object("tree", content.subarray(0, content.length - cut), oid);
    image.commit(image.tree(treeEntry("40000", "d", tree.oid), treeEntry("100644", "file", blob)).oid);
    return image.finish().bytes;
  };
  const swap = (rows: Buffer[]): Buffer[] => [
    ...rows.slice(0, 9000),
    rows[9001]!,
    rows[9000]!,
    ...rows.slice(9002),
  ];
  const cases: [Uint8Array, OpenOptions, string][] = [
    [imageWith(swap), {}, "BadTree"],
    [imageWith((rows) => [...rows, rows.at(-1)!]), {}, "BadTree"],
    [imageWith((rows) => rows, undefined, 1), {}, "BadTree"],
    [imageWith((rows) => rows, "12".repeat(20)), { proof: "oid" }, "OidMismatch"],
  ];
  for (const [bytes, proof, code] of cases) {
    const volume = await open(bytes, { module, memoryLimit: SMALLEST, ...proof });
    for (let round = 0; round < 2; round++) {
      await assert.rejects(volume.get(`/d/${nameOf(3, 60)}`), { code });
      assert.equal((await volume.get("/file")).length, 7);
    }
  }

  const sound = imageWith((rows) => rows);
  for (let seed = 0; seed < 60; seed++) {
    const random = seeded(seed);
    const device = new ChangingDevice(sound);
    const volume = await open(device, { module, memoryLimit: SMALLEST });
    await volume.get(`/d/${nameOf(3, 60)}`);
    device.change = (_, target) => {
      for (let i = 0; i < 4; i++) target[random(target.length)] = random(256);
    };
    for (let turn = 0; turn < 20; turn++)
      await volume.get(`/d/${nameOf(random(15_000), 60)}`).catch((error) => {
        assert.ok(error instanceof DocteurError, String(error));
      });
    device.change = undefined;
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

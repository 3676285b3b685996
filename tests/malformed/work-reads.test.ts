/**
 * The work of volumes: bytes inflated and made by deltas while an image is mounted and its files are read, whatever order they
 * are read in. What it comes to is compared with what was asked for. Time is not measured.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OpenOptions, open, type Volume } from "../../src/index.js";
import { CraftedImage, copy, delta, type Placed, treeEntry } from "../support/crafted-image.js";
import { type Comb, comb } from "../support/delta-combs.js";
import { gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";

/** How much more work twice the parameter may be, and what is the same for any image. */
const DOUBLE = 2.2;
const SAME = 100_000;

const SIZE = 20_000;

function workOf(volume: Volume): number {
  const { inflatedBytes, deltaBytes } = volume.stats();
  return inflatedBytes + deltaBytes;
}

/** Orders in which files are read. */
const ORDERS: Record<string, (count: number) => number[]> = {
  "in the PACK's order": (count) => Array.from({ length: count }, (_, index) => index),
  "last to first": (count) => Array.from({ length: count }, (_, index) => count - 1 - index),
  "in a random order": (count) => {
    const random = seeded(count);
    const order = Array.from({ length: count }, (_, index) => index);
    for (let index = count - 1; index > 0; index--) {
      const other = random(index + 1);
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    return order;
  },
};

const nameOf = (index: number): string => String(index).padStart(6, "0");

/** Ends an image with a directory of these blobs, in this order of names. */
function finish(image: CraftedImage, blobs: readonly Placed[], order?: readonly number[]): Uint8Array {
  const entries = blobs.map((_, at) => treeEntry("100644", nameOf(at), blobs[order?.[at] ?? at]!.oid));
  image.commit(image.tree(...entries).oid);
  return image.finish().bytes;
}

/** A chain of deltas, every blob of which is a file. */
function chain(depth: number, order?: readonly number[], shape: Comb = {}): Uint8Array {
  const { image, placed } = comb(depth, { size: SIZE, leg: 0, isRef: false, ...shape });
  return finish(image, placed, order);
}

/** Reads the files of one directory. @returns the work, of the mount too */
async function readAll(bytes: Uint8Array, order: readonly number[], options: OpenOptions): Promise<number> {
  await using volume = await open(bytes, options);
  for (const index of order) await volume.get(`/${nameOf(index)}`);
  return workOf(volume);
}

/** The work is at most so many times what the files hold. Each made from its base alone, it would be 400 times. */
const TIMES: Record<string, number> = {
  "in the PACK's order": 1.2,
  "last to first": 6,
  // The nearest of so many as fit into the cache, 50, is far away.
  "in a random order": 30,
};

for (const [name, orderOf] of Object.entries(ORDERS))
  for (const proof of ["none", "crc", "oid"] as const)
    test(`a chain read ${name}, proof ${proof}`, async (t) => {
      const work: number[] = [];
      for (const depth of [200, 400, 800]) {
        const options: OpenOptions = { memoryLimit: 2 << 20, proof };
        work.push(await readAll(chain(depth), orderOf(depth + 1), options));
      }
      t.diagnostic(work.map((bytes, at) => (bytes / SIZE / (200 << at)).toFixed(1)).join(" "));
      assert.ok(work[2]! <= TIMES[name]! * 800 * SIZE, `${work[2]! / 800 / SIZE}`);
      if (name === "in the PACK's order") {
        assert.ok(work[1]! <= DOUBLE * work[0]! + SAME, `${work[1]} of ${work[0]}`);
        assert.ok(work[2]! <= DOUBLE * work[1]! + SAME, `${work[2]} of ${work[1]}`);
      }
    });

for (const [name, orderOf] of Object.entries(ORDERS))
  test(`sizes of a directory, proven, ${name}`, async (t) => {
    const bytes = chain(800, orderOf(801));
    await using volume = await open(bytes, { memoryLimit: 2 << 20, proof: "oid" });
    await volume.list("/", { sizes: true });
    t.diagnostic(`${workOf(volume) / SIZE / 800}`);
    assert.ok(workOf(volume) <= (TIMES[name]! + 2) * 800 * SIZE, `${workOf(volume)}`);
  });

/** Mounts that resolve all objects. */
const COMBS: Record<string, Comb & { times?: number }> = {
  "a chain": { leg: 0 },
  "a comb whose teeth stand first": { legsFirst: true },
  "a comb whose teeth stand last": { legsFirst: false },
  "a comb of ofs-deltas": { isRef: false },
  "a comb with long teeth": { leg: 5 },
  "a comb of which few fit into memory": { size: 1 << 20, leg: 1, times: 20 },
};

for (const [name, shape] of Object.entries(COMBS))
  test(`analyze: ${name}`, async (t) => {
    const depth = shape.size === undefined ? 400 : 60;
    const size = shape.size ?? 50_000;
    const { image, placed } = comb(depth, { ...shape, size });
    const bytes = finish(image, placed);
    await using volume = await open(bytes, { mode: "analyze", memoryLimit: 8 << 20 });
    const asked = placed.length * size;
    t.diagnostic(`${workOf(volume) / asked}`);
    assert.ok(workOf(volume) <= (shape.times ?? 4) * asked, `${workOf(volume)} of ${asked}`);
  });

/** Families whose work must follow their parameter. */
const FAMILIES: Record<string, { from: number; family: (n: number) => [Uint8Array, string[]] }> = {
  "a path's depth": {
    from: 100,
    family: (n) => {
      const image = new CraftedImage();
      let { oid } = image.tree(treeEntry("100644", "f", image.object("blob", "content").oid));
      for (let depth = 0; depth < n; depth++) ({ oid } = image.tree(treeEntry("40000", "d", oid)));
      image.commit(oid);
      return [image.finish().bytes, [`${"/d".repeat(n)}/f`]];
    },
  },
  "symbolic links to each other": {
    from: 10,
    family: (n) => {
      const image = new CraftedImage();
      const content = image.object("blob", "content");
      const links = Array.from({ length: n }, (_, index) =>
        treeEntry(
          index === 0 ? "100644" : "120000",
          `l${nameOf(index)}`,
          index === 0 ? content.oid : image.object("blob", `../d/l${nameOf(index - 1)}`).oid,
        ),
      );
      image.commit(image.tree(treeEntry("40000", "d", image.tree(...links).oid)).oid);
      return [image.finish().bytes, [`/d/l${nameOf(n - 1)}`]];
    },
  },
  "chains of deltas": {
    from: 20,
    family: (n) => {
      const image = new CraftedImage();
      const base = Buffer.alloc(SIZE, "content");
      const blobs: Placed[] = [];
      for (let number = 0; number < n; number++) {
        let content: Buffer = Buffer.concat([base, Buffer.from(nameOf(number))]);
        let placed = image.object("blob", content);
        for (let depth = 0; depth < 10; depth++) {
          const next = Buffer.concat([content, content.subarray(0, 1)]);
          const pieces = delta(content.length, next.length, copy(0, content.length), copy(0, 1));
          placed = image.ofsDelta(gitOid("blob", next), placed.offset, pieces);
          content = next;
        }
        blobs.push(placed);
      }
      return [finish(image, blobs), blobs.map((_, index) => `/${nameOf(index)}`)];
    },
  },
};

for (const [name, { from, family }] of Object.entries(FAMILIES))
  for (const mode of ["light", "fast", "analyze"] as const)
    test(`${mode}: ${name}`, async (t) => {
      const work: number[] = [];
      for (const n of [from, 2 * from, 4 * from]) {
        const [bytes, paths] = family(n);
        await using volume = await open(bytes, { mode });
        for (const path of paths) await volume.get(path);
        work.push(workOf(volume));
      }
      t.diagnostic(work.join(" "));
      assert.ok(work[1]! <= DOUBLE * work[0]! + 1000, `${work[1]} of ${work[0]}`);
      assert.ok(work[2]! <= DOUBLE * work[1]! + 1000, `${work[2]} of ${work[1]}`);
    });

test("a file at the end of a chain that makes 4000 times an image's size ends with WorkLimit", async () => {
  const size = 6 << 20;
  const image = new CraftedImage();
  let placed = image.object("blob", Buffer.alloc(size));
  const offsets = [placed.offset];
  const same = delta(size, size, copy(0, size));
  for (let depth = 1; depth <= 4095; depth++) {
    placed = image.ofsDelta(gitOid("blob", Buffer.from(`${depth}`)), placed.offset, same);
    offsets.push(placed.offset);
  }
  const near = image.ofsDelta("e".repeat(40), offsets[60]!, same);
  image.commit(image.tree(treeEntry("100644", "far", placed.oid), treeEntry("100644", "near", near.oid)).oid);
  await using volume = await open(image.finish().bytes, { memoryLimit: 32 << 20 });
  await assert.rejects(volume.get("/far"), { code: "WorkLimit" });
  assert.ok(workOf(volume) < 9e9, `${workOf(volume)}`);
  assert.equal((await volume.get("/near")).length, size);
});

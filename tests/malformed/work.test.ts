/**
 * Images made to cost much, in families of which one parameter is doubled: the work that is counted (bytes inflated, made and
 * read) may then double, too, and no more. Time is not measured.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { open } from "../../src/index.js";
import { type VerifyOptions, verifyImage } from "../../src/verify/index.js";
import { CraftedImage, copy, delta, entryHeader, insert, KIND, treeEntry } from "../support/crafted-image.js";
import { BLOCK, type Comb, comb, numbered } from "../support/delta-combs.js";
import { gitOid } from "../support/fixtures.js";

/** Makes an image whose parameter is `n`. */
type Family = (n: number) => Uint8Array;

/** How much more work twice the parameter may be. What is the same for any image is taken off before. */
const DOUBLE = 2.2;
const SAME = 100_000;

/** Ends an image with a commit of a tree of one file. */
function finish(
  image: CraftedImage,
  oid: string,
  options?: Parameters<CraftedImage["finish"]>[0],
): Uint8Array {
  image.commit(image.tree(treeEntry("100644", "f", oid)).oid);
  return image.finish(options).bytes;
}

/** Turns a bit of the IDX: the CRC-32 of its first object. */
const turned = {
  editIdx: (idx: Buffer): undefined => {
    idx[1032 + 20 * idx.readUInt32BE(8 + 255 * 4)]! ^= 1;
  },
};

/** Entries each of whose streams goes on in the next one's, and at last in a tail whose checksum is wrong. */
function overlapping(count: number, tail: Buffer, size: number): Uint8Array {
  const image = new CraftedImage();
  const head = entryHeader(KIND.blob, size);
  const stored = Buffer.of(0, 0, 0, 0, 0);
  stored.writeUInt16LE(head.length + 2, 1);
  stored.writeUInt16LE(~(head.length + 2) & 0xffff, 3);
  for (let index = 0; index < count; index++)
    image.raw(gitOid("blob", Buffer.from(`${index}`)), head, Buffer.of(0x78, 0x01), stored);
  image.raw("f".repeat(40), head, Buffer.of(0x78, 0x01), tail, Buffer.alloc(4));
  return finish(image, "f".repeat(40));
}

const FAMILIES: Record<string, { family: Family; from: number; options?: VerifyOptions }> = {
  "entries that share one deflate tail, which grows with their number": {
    from: 500,
    family: (n) => overlapping(n, deflateRawSync(Buffer.alloc(20 * n, "some text, "), { level: 0 }), 1 << 20),
  },
  "entries that share one bomb": {
    from: 200,
    family: (n) => overlapping(n, deflateRawSync(Buffer.alloc(5000 * n)), 1 << 24),
  },
  "a comb of ofs-deltas": {
    from: 60,
    family: (n) => {
      const { image, last } = comb(n, { isRef: false, leg: 3 });
      return finish(image, last);
    },
  },
  "a chain": {
    from: 100,
    family: (n) => {
      const { image, last } = comb(n, { leg: 0, isRef: false });
      return finish(image, last);
    },
  },
  "one base of many": {
    from: 100,
    family: (n) => {
      const image = new CraftedImage();
      const base = Buffer.alloc(BLOCK, "content");
      const { offset, oid } = image.object("blob", base);
      for (let index = 0; index < n; index++) {
        const { content, instructions } = numbered(base, index);
        image.ofsDelta(gitOid("blob", content), offset, instructions);
      }
      return finish(image, oid);
    },
  },
  blobs: {
    from: 2000,
    family: (n) => {
      const image = new CraftedImage();
      let { oid } = image.object("blob", "first");
      for (let index = 0; index < n; index++) ({ oid } = image.object("blob", `${index}`));
      return finish(image, oid);
    },
  },
  "blobs, and every offset in the IDX is the first one's": {
    from: 2000,
    family: (n) => {
      const image = new CraftedImage();
      let { oid } = image.object("blob", "first");
      for (let index = 0; index < n; index++) ({ oid } = image.object("blob", `${index}`));
      return finish(image, oid, {
        editIdx: (idx) => {
          const count = idx.readUInt32BE(8 + 255 * 4);
          for (let row = 0; row < count; row++) idx.writeUInt32BE(12, 1032 + count * 24 + row * 4);
          return undefined;
        },
      });
    },
  },
  "large offsets in the IDX": {
    from: 2000,
    family: (n) => {
      const image = new CraftedImage();
      let { oid } = image.object("blob", "first");
      for (let index = 0; index < n; index++) ({ oid } = image.object("blob", `${index}`));
      return finish(image, oid, {
        editIdx: (idx) => {
          const count = idx.readUInt32BE(8 + 255 * 4);
          for (let row = 0; row < count; row++)
            idx.writeUInt32BE(0x80000000 + row, 1032 + count * 24 + row * 4);
          return undefined;
        },
      });
    },
  },
  "trees in each other": {
    from: 400,
    family: (n) => {
      const image = new CraftedImage();
      let tree = image.tree(treeEntry("100644", "f", image.object("blob", "content").oid));
      for (let index = 0; index < n; index++)
        tree = image.tree(treeEntry("100644", "f", "a".repeat(40)), treeEntry("40000", "g", tree.oid));
      image.commit(tree.oid);
      return image.finish().bytes;
    },
  },
  "flawed trees in one chain of deltas": {
    from: 100,
    family: (n) => {
      const image = new CraftedImage();
      const { oid } = image.object("blob", "content");
      const entry = (name: string): Buffer => treeEntry("100644", name, oid);
      let content: Buffer = Buffer.concat([entry("b"), entry("a"), entry("c00000000")]);
      let placed = image.object("tree", content);
      const entries = [treeEntry("40000", "t00000000", placed.oid)];
      for (let index = 1; index < n; index++) {
        const number = String(index).padStart(8, "0");
        const last = entry(`c${number}`);
        const kept = content.length - last.length;
        const instructions = delta(
          content.length,
          content.length,
          copy(0, kept),
          insert(last.toString("latin1")),
        );
        content = Buffer.concat([content.subarray(0, kept), last]);
        placed = image.ofsDelta(gitOid("tree", content), placed.offset, instructions);
        entries.push(treeEntry("40000", `t${number}`, placed.oid));
      }
      image.commit(image.tree(...entries).oid);
      return image.finish().bytes;
    },
  },
  "a chain of tags": {
    from: 1000,
    family: (n) => {
      const image = new CraftedImage();
      let { oid } = image.object("blob", "content");
      const blob = oid;
      for (let index = 0; index < n; index++)
        ({ oid } = image.object("tag", `object ${oid}\ntype tag\ntag t${index}\n\nmessage\n`));
      return finish(image, blob);
    },
  },
  "names in a tree": {
    from: 5000,
    family: (n) => {
      const image = new CraftedImage();
      const { oid } = image.object("blob", "content");
      const names = Array.from({ length: n }, (_, index) => String(index).padStart(8, "0"));
      image.commit(image.tree(...names.map((name) => treeEntry("100644", name, oid))).oid);
      return image.finish().bytes;
    },
  },
  "a commit's message": {
    from: 1 << 20,
    family: (n) => {
      const image = new CraftedImage();
      const tree = image.tree(treeEntry("100644", "f", image.object("blob", "content").oid));
      const who = "A U Thor <author@example.org> 1717740550 +0200";
      const text = `tree ${tree.oid}\nauthor ${who}\ncommitter ${who}\n\n${"m".repeat(n)}\n`;
      image.head(image.object("commit", text));
      return image.finish().bytes;
    },
  },
  "the commit's chain, --quick": {
    from: 200,
    options: { quick: true },
    family: (n) => {
      const image = new CraftedImage();
      const tree = image.tree(treeEntry("100644", "f", image.object("blob", "content").oid));
      const who = "A U Thor <author@example.org> 1717740550 +0200";
      let content: Buffer = Buffer.from(
        `tree ${tree.oid}\nauthor ${who}\ncommitter ${who}\n\n${"m".repeat(50_000)}00000000`,
      );
      let placed = image.object("commit", content);
      for (let index = 0; index < n; index++) {
        const next = numbered(content, index + 1);
        content = next.content;
        placed = image.ofsDelta(gitOid("commit", content), placed.offset, next.instructions);
      }
      image.head(placed);
      return image.finish().bytes;
    },
  },
};

/** Combs whose shape is not known before they are resolved: what is made again follows their depth's logarithm. */
const COMBS: Record<string, { depth: number; comb: Comb; memoryLimit?: number }> = {
  "whose teeth stand first": { depth: 400, comb: {} },
  "whose teeth stand last": { depth: 400, comb: { legsFirst: false } },
  "with long teeth": { depth: 150, comb: { leg: 5 } },
  "of which few fit into memory": { depth: 60, comb: { size: 1 << 20, leg: 2 }, memoryLimit: 20 << 20 },
  "of ofs-deltas": { depth: 400, comb: { isRef: false } },
};

/** The work of an image, in bytes. */
async function workOf(bytes: Uint8Array, options: VerifyOptions = {}): Promise<number> {
  const { report, work } = await verifyImage(bytes, options);
  assert.ok(!report.findings.some(({ code }) => code === "WorkLimit"), "no limit of work is met");
  return work.made + work.read;
}

for (const [name, { family, from, options }] of Object.entries(FAMILIES))
  test(`verify: ${name}`, async (t) => {
    const [one, two, four] = [
      await workOf(family(from), options),
      await workOf(family(2 * from), options),
      await workOf(family(4 * from), options),
    ];
    t.diagnostic(`${one} ${two} ${four}`);
    assert.ok(two <= DOUBLE * one + SAME, `${two} of ${one}`);
    assert.ok(four <= DOUBLE * two + SAME, `${four} of ${two}`);
  });

for (const [name, { depth, comb: shape, memoryLimit }] of Object.entries(COMBS))
  test(`verify: a comb ${name}, without the IDX`, async (t) => {
    const { image, last } = comb(depth, shape);
    const { report, work } = await verifyImage(
      finish(image, last, turned),
      memoryLimit === undefined ? {} : { memoryLimit },
    );
    assert.deepEqual([...new Set(report.findings.map(({ code }) => code))], ["BadIdx", "Unreachable"]);
    t.diagnostic(`${work.made} of ${report.objectBytes}`);
    assert.ok(work.made <= 4 * report.objectBytes!, `${work.made} of ${report.objectBytes}`);
  });

test("what is inflated is no more than the image holds and some times its size", async () => {
  const bytes = overlapping(2000, deflateRawSync(Buffer.alloc(1 << 20, "text")), 1 << 20);
  assert.ok((await workOf(bytes)) < 1100 * bytes.length);
});

test("what lies scattered over an image is read in pages", async () => {
  const image = new CraftedImage();
  const chunks = 64;
  // Links of one chain, each far away from its base, among what does not compress.
  const links: { oid: string; base: string; instructions: Buffer }[] = [];
  let base: Buffer = Buffer.alloc(1000, "content");
  const first = image.object("blob", base);
  for (let number = 0; number < 20 * chunks; number++) {
    const { content, instructions } = numbered(base, number);
    links.push({ oid: gitOid("blob", content), base: gitOid("blob", base), instructions });
    base = content;
  }
  for (let chunk = 0; chunk < chunks; chunk++) {
    image.object("blob", randomBytes(1 << 18));
    for (let link = (chunk * 37) % chunks; link < links.length; link += chunks) {
      const { oid, base: on, instructions } = links[link]!;
      image.refDelta(oid, on, instructions);
    }
  }
  const bytes = finish(image, first.oid);
  const { report, work } = await verifyImage(bytes);
  assert.deepEqual([...new Set(report.findings.map(({ code }) => code))], ["Unreachable"]);
  // Each of the links in a whole chunk would be 20 times.
  assert.ok(work.read <= 8 * bytes.length, `${work.read} of ${bytes.length}`);
});

test("a fast mount takes no more paths than the image's size allows for", async () => {
  const image = new CraftedImage();
  let tree = image.tree(treeEntry("100644", "f", image.object("blob", "content").oid));
  for (let depth = 0; depth < 12; depth++)
    tree = image.tree(...Array.from("abcdefghij", (name) => treeEntry("40000", name, tree.oid)));
  image.commit(tree.oid);
  const { bytes } = image.finish();
  await assert.rejects(open(bytes, { mode: "fast" }), { code: "WorkLimit" });
  const volume = await open(bytes);
  assert.equal(Buffer.from(await volume.get(`${"/a".repeat(12)}/f`)).toString(), "content");
  await volume.close();
});

test("a fast mount of a million paths to one directory's files", async () => {
  const image = new CraftedImage();
  const { oid } = image.object("blob", "content");
  const names = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => String(index).padStart(4, "0"));
  const folder = image.tree(...names(1000).map((name) => treeEntry("100644", name, oid)));
  image.commit(image.tree(...names(1000).map((name) => treeEntry("40000", name, folder.oid))).oid);
  const volume = await open(image.finish().bytes, { mode: "fast" });
  assert.equal(Buffer.from(await volume.get("/0999/0999")).toString(), "content");
  await volume.close();
});

/**
 * Verified reads: what is sound reads the same at every level of proof, in every mode, on every build and over slow
 * devices; what is not never passes for something else.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { type DocteurError, MemoryDevice, type OpenOptions, open, type Volume } from "../../src/index.js";
import { coreVariants, MODES } from "../support/core.js";
import {
  CraftedImage,
  copy,
  delta,
  entryHeader,
  imageWith,
  insert,
  OK_TEXT,
  PACK_START,
  treeEntry,
} from "../support/crafted-image.js";
import { assertFails } from "../support/defects.js";
import { FIXTURES, fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";

const SMALLEST = 2 << 20;
const variants = await coreVariants();

/** Every level of proof. */
const PROOFS: readonly OpenOptions[] = [
  { proof: "none" },
  { proof: "crc" },
  { proof: "oid" },
  { proof: "oid", collisions: true },
];

/** Everything that a volume says below a path. */
async function describeVolume(volume: Volume, path = "/"): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const entry of await volume.list(path, { sizes: true })) {
    const { path: child, kind, oid } = entry;
    seen.push(entry, await volume.stat(child), await volume.exists(child, { follow: true }));
    if (kind === "directory") seen.push(...(await describeVolume(volume, child)));
    else if (kind !== "submodule")
      seen.push(await volume.get(child), await volume.getPartial(child, 2, 7), await volume.object(oid));
  }
  return seen;
}

for (const { label, module } of variants)
  describe(label, () => {
    test("fixtures read the same at every level", async () => {
      for (const [seed, name] of FIXTURES.entries()) {
        const bytes = fixture(`${name}.img`);
        const plain = await open(bytes, { module });
        const expected = await describeVolume(plain);
        for (const mode of MODES)
          for (const proof of PROOFS) {
            const options = { module, mode, ...proof, memoryLimit: SMALLEST };
            const where = `${name}, ${mode}, ${JSON.stringify(proof)}`;
            assert.deepEqual(await describeVolume(await open(bytes, options)), expected, where);
            const slow = await open(new SlowDevice(bytes, seed), { ...options, commit: plain.commit.oid });
            assert.deepEqual(await describeVolume(slow), expected, `${where}, slow`);
          }
      }
    });

    test("what was hashed and is in memory is not read or hashed again", async () => {
      const volume = await open(fixture("delta.img"), { module, proof: "oid" });
      for (const path of fixtureBlobs("delta").keys()) await volume.get(path);
      const { deviceReads, objectMisses } = volume.stats();
      for (const path of fixtureBlobs("delta").keys()) await volume.stat(path);
      assert.equal(volume.stats().deviceReads, deviceReads);
      assert.ok(volume.stats().objectMisses >= objectMisses);
    });
  });

/** Checks of an image, in every mode that reads the IDX, on every build. */
async function everywhere(check: (options: OpenOptions, where: string) => Promise<void>): Promise<void> {
  for (const { label, module } of variants)
    for (const mode of ["light", "fast"] as const) await check({ module, mode }, `${label}, ${mode}`);
}

const OTHER_TEXT = "these are the bytes of another file\n";

/** An image whose IDX sends those who ask for `/f` to another blob. @param change further changes of the IDX's columns */
function lyingIdx(change: (row: { crcs: Buffer; a: number; b: number }) => void = () => {}): {
  bytes: Uint8Array;
  at: number;
  oid: string;
} {
  const wanted = gitOid("blob", Buffer.from("what was meant\n"));
  const other = gitOid("blob", Buffer.from(OTHER_TEXT));
  let at = 0;
  const { bytes } = imageWith(
    (image) => {
      at = PACK_START + image.object("blob", OTHER_TEXT).offset;
      return image.object("blob", "what was meant\n");
    },
    {
      editIdx: (idx) => {
        const count = idx.readUInt32BE(8 + 255 * 4);
        const row = (oid: string): number => {
          for (let index = 0; ; index++)
            if (idx.toString("hex", 1032 + index * 20, 1052 + index * 20) === oid) return index;
        };
        const [a, b] = [row(wanted), row(other)];
        const offsets = idx.subarray(1032 + count * 24, 1032 + count * 28);
        const [x, y] = [offsets.readUInt32BE(a * 4), offsets.readUInt32BE(b * 4)];
        offsets.writeUInt32BE(y, a * 4);
        offsets.writeUInt32BE(x, b * 4);
        change({ crcs: idx.subarray(1032 + count * 20, 1032 + count * 24), a, b });
        return undefined;
      },
    },
  );
  return { bytes, at, oid: wanted };
}

test("an IDX that exchanges two offsets", async () => {
  const { bytes, at, oid } = lyingIdx();
  await everywhere(async (options, where) => {
    // Trusted, it is believed: this is what `verify` and the levels of proof are for.
    const trusting = await open(bytes, options);
    assert.equal(Buffer.from(await trusting.get("/f")).toString(), OTHER_TEXT, where);
    const checked = await open(bytes, { ...options, proof: "crc" });
    await assertFails(checked.get("/f"), ["CrcMismatch", at], where);
    for (const proof of PROOFS.slice(2)) {
      const proving = await open(bytes, { ...options, ...proof });
      for (let round = 0; round < 2; round++) {
        await assertFails(proving.get("/f"), ["OidMismatch", at], where);
        await assertFails(proving.getPartial("/f", 3, 1), ["OidMismatch", at], where);
        await assertFails(proving.size("/f"), ["OidMismatch", at], where);
        await assertFails(proving.list("/", { sizes: true }), ["OidMismatch", at], where);
        await assertFails(proving.object(oid), ["OidMismatch", at], where);
        await assert.rejects(proving.get("/f"), { code: "OidMismatch", oid });
        assert.equal(Buffer.from(await proving.get("/ok")).toString(), OK_TEXT, where);
        assert.equal((await proving.list("/")).length, 2);
      }
    }
  });
  // `analyze` reads no byte of the IDX.
  for (const proof of PROOFS) {
    const volume = await open(bytes, { mode: "analyze", ...proof });
    assert.equal(Buffer.from(await volume.get("/f")).toString(), "what was meant\n");
  }
});

test("an IDX that exchanges two offsets and their CRC-32s is a matter of ids", async () => {
  const { bytes, at } = lyingIdx(({ crcs, a, b }) => {
    const [x, y] = [crcs.readUInt32BE(a * 4), crcs.readUInt32BE(b * 4)];
    crcs.writeUInt32BE(y, a * 4);
    crcs.writeUInt32BE(x, b * 4);
  });
  await everywhere(async (options, where) => {
    const checked = await open(bytes, { ...options, proof: "crc" });
    assert.equal(Buffer.from(await checked.get("/f")).toString(), OTHER_TEXT, where);
    const proving = await open(bytes, { ...options, proof: "oid" });
    await assertFails(proving.get("/f"), ["OidMismatch", at], where);
  });
});

test("one entry for two ids: a cached object is proof of its own id alone", async () => {
  const image = new CraftedImage();
  const meant = image.object("blob", "what was meant\n");
  const lie = gitOid("blob", Buffer.from(OTHER_TEXT));
  const placed = image.raw(lie, entryHeader(3, 15), deflateSync(Buffer.from("what was meant\n")));
  const tree = image.tree(treeEntry("100644", "a", meant.oid), treeEntry("100644", "b", lie));
  image.commit(tree.oid);
  const { bytes } = image.finish({
    editIdx: (idx) => {
      const count = idx.readUInt32BE(8 + 255 * 4);
      for (let row = 0; row < count; row++) {
        const at = 1032 + count * 24 + row * 4;
        if (idx.readUInt32BE(at) === placed.offset) idx.writeUInt32BE(meant.offset, at);
      }
      return undefined;
    },
  });
  await everywhere(async (options, where) => {
    await assertFails(open(bytes, { ...options, proof: "crc" }), ["BadIdx"], where);
    const volume = await open(bytes, { ...options, proof: "oid" });
    for (let round = 0; round < 2; round++) {
      assert.equal(Buffer.from(await volume.get("/a")).toString(), "what was meant\n", where);
      await assertFails(volume.get("/b"), ["OidMismatch", PACK_START + meant.offset], where);
    }
  });
});

test("a CRC-32 that is wrong in the IDX", async () => {
  const { bytes, offset } = imageWith((image) => image.object("blob", "content"), {
    editIdx: (idx) => {
      const count = idx.readUInt32BE(8 + 255 * 4);
      for (let row = 0; row < count; row++) idx[1032 + count * 20 + row * 4]! ^= 0x40;
      return undefined;
    },
  });
  await everywhere(async (options, where) => {
    await assertFails(open(bytes, { ...options, proof: "crc" }), ["CrcMismatch"], where);
    const volume = await open(bytes, { ...options, proof: "oid" });
    assert.equal(Buffer.from(await volume.get("/f")).toString(), "content", where);
    assert.ok(offset > 0);
  });
});

/** A blob under another's id, its streams and CRC-32s right. */
for (const [title, add] of [
  [
    "a whole blob",
    (image: CraftedImage) => image.object("blob", "wrong", gitOid("blob", Buffer.from("right"))),
  ],
  [
    "a delta's result",
    (image: CraftedImage) => {
      const base = image.object("blob", "a base of some length");
      const instructions = delta(21, 10, copy(0, 5), insert("wrong"));
      return image.ofsDelta(gitOid("blob", Buffer.from("a basright")), base.offset, instructions);
    },
  ],
  [
    "a blob that streams",
    (image: CraftedImage) =>
      image.object(
        "blob",
        Buffer.alloc(3_000_000, "wrong"),
        gitOid("blob", Buffer.alloc(3_000_000, "right")),
      ),
  ],
] as const)
  test(`${title} of another id`, async () => {
    const { bytes, offset } = imageWith((image) => add(image));
    await everywhere(async (options, where) => {
      const checked = await open(bytes, { ...options, proof: "crc" });
      assert.ok((await checked.get("/f")).length > 0);
      for (const device of [new MemoryDevice(bytes), new SlowDevice(bytes, 3)]) {
        const volume = await open(device, { ...options, proof: "oid", memoryLimit: SMALLEST });
        for (let round = 0; round < 2; round++) {
          await assertFails(volume.getPartial("/f", 0, 1), ["OidMismatch", offset], where);
          await assertFails(volume.get("/f"), ["OidMismatch", offset], where);
          await assertFails(volume.stat("/f"), ["OidMismatch", offset], where);
          assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT, where);
        }
      }
    });
  });

test("a tree, and a link, of another id", async () => {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const inner = treeEntry("100644", "x", ok.oid);
  const sound = image.tree(inner);
  const wrong = image.object(
    "tree",
    Buffer.concat([inner, treeEntry("100644", "y", ok.oid)]),
    "ab".repeat(20),
  );
  const link = image.object("blob", "ok", "cd".repeat(20));
  const root = image.tree(
    treeEntry("40000", "d", sound.oid),
    treeEntry("120000", "l", link.oid),
    treeEntry("100644", "ok", ok.oid),
    treeEntry("40000", "w", wrong.oid),
  );
  image.commit(root.oid);
  const { bytes } = image.finish();
  const atTree = PACK_START + wrong.offset;
  await everywhere(async (options, where) => {
    if (options.mode === "fast") {
      await assertFails(open(bytes, { ...options, proof: "oid" }), ["OidMismatch", atTree], where);
      return;
    }
    const volume = await open(bytes, { ...options, proof: "oid" });
    await assertFails(volume.get("/w/x"), ["OidMismatch", atTree], where);
    await assertFails(volume.list("/w"), ["OidMismatch", atTree], where);
    await assertFails(volume.exists("/w/none"), ["OidMismatch", atTree], where);
    await assertFails(volume.get("/l", { follow: true }), ["OidMismatch", PACK_START + link.offset], where);
    assert.equal(await volume.exists("/w"), "dictionary");
    assert.equal(Buffer.from(await volume.get("/d/x")).toString(), OK_TEXT, where);
  });
});

test("a commit, and a root tree, of another id; a commit that is not the one wanted", async () => {
  const who = "A U Thor <author@example.org> 1717740550 +0200";
  const image = new CraftedImage();
  const root = image.tree(treeEntry("100644", "ok", image.object("blob", OK_TEXT).oid));
  const text = `tree ${root.oid}\nauthor ${who}\ncommitter ${who}\n\nmessage\n`;
  const commit = image.head(image.object("commit", text, "12".repeat(20)));
  const { bytes } = image.finish();
  const rootImage = new CraftedImage();
  const wrongRoot = rootImage.object("tree", "", "34".repeat(20));
  rootImage.commit(wrongRoot.oid);
  const { bytes: rootBytes } = rootImage.finish();
  await everywhere(async (options, where) => {
    await open(bytes, options);
    await assertFails(
      open(bytes, { ...options, proof: "oid" }),
      ["OidMismatch", PACK_START + commit.offset],
      where,
    );
    await assertFails(
      open(rootBytes, { ...options, proof: "oid" }),
      ["OidMismatch", PACK_START + wrongRoot.offset],
      where,
    );
    // To be pinned is to be proven, unless one says otherwise.
    await assertFails(open(bytes, { ...options, commit: commit.oid }), ["OidMismatch"], where);
    await open(bytes, { ...options, commit: commit.oid.toUpperCase(), proof: "none" });
    for (const proof of ["none", "crc", "oid"] as const)
      await assertFails(open(bytes, { ...options, proof, commit: "56".repeat(20) }), ["OtherCommit"], where);
  });
});

/** 64 MiB that hardly compress are slow to make: noise once, and long runs. */
function largeBlob(size: number): Buffer {
  const random = seeded(9);
  const content = Buffer.alloc(size, "all work and no play makes a dull blob ");
  for (let at = 0; at < size; at += 65_521) content.writeUInt32LE(random(2 ** 32), Math.min(at, size - 4));
  return content;
}

test("a blob of 64 MiB in the smallest memory", async () => {
  const content = largeBlob(64 << 20);
  const { bytes } = imageWith((image) => image.object("blob", content));
  for (const proof of ["none", "crc", "oid"] as const) {
    const volume = await open(bytes, { proof, memoryLimit: SMALLEST });
    const { deviceBytes } = volume.stats();
    assert.deepEqual(
      Buffer.from(await volume.getPartial("/f", 50 << 20, 100)),
      content.subarray(50 << 20, (50 << 20) + 100),
    );
    assert.equal(await volume.size("/f"), content.length);
    assert.ok(Buffer.from(await volume.get("/f")).equals(content), proof);
    // It was read to its end once to be proven: not for every piece.
    const reads = (volume.stats().deviceBytes - deviceBytes) / bytes.length;
    assert.ok(reads < 4, `${proof}: read ${reads} times`);
    assert.ok(volume.stats().memoryBytes <= SMALLEST);
    assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
    assert.deepEqual(Buffer.from(await volume.getPartial("/f", 5, 5)), content.subarray(5, 10));
  }
});

test("a stream whose checksum is wrong shows no last piece, wherever it comes late", async () => {
  const large = largeBlob(70_000);
  // Behind the line of 2 KiB that the entry begins in 64 KiB are read at once: the checksum's four bytes, or
  // some of them, are what the read after that begins with.
  for (let late = 0; late < 6; late++) {
    const { bytes, offset } = imageWith((image) => {
      const data = PACK_START + image.position + 3;
      const content = large.subarray(0, 65_536 + 2048 - (data % 2048) + late - 16);
      const stream = deflateSync(content, { level: 0, chunkSize: 1 << 20 });
      assert.equal(stream.length, content.length + 16);
      stream[stream.length - 1]! ^= 1;
      const placed = image.raw(gitOid("blob", content), entryHeader(3, content.length), stream);
      // What is read to mount the image lies far behind it.
      image.raw("99".repeat(20), entryHeader(3, 9000), deflateSync(Buffer.alloc(9000), { level: 0 }));
      return placed;
    });
    for (const proof of ["none", "crc", "oid"] as const) {
      const volume = await open(new SlowDevice(bytes, late), { proof, memoryLimit: SMALLEST });
      for (let round = 0; round < 2; round++)
        await assertFails(volume.get("/f"), ["BadAdler", offset], `${proof}, ${late}`);
    }
  }
});

test("a base that is not where an entry begins", async () => {
  let within = 0;
  const { bytes } = imageWith((image) => {
    // A stored block holds what looks like an entry.
    const hidden = Buffer.concat([entryHeader(3, 5), deflateSync("inner")]);
    const outer = image.raw(
      gitOid("blob", hidden),
      entryHeader(3, hidden.length),
      deflateSync(hidden, { level: 0 }),
    );
    within = outer.offset + 1 + 2 + 5;
    return image.ofsDelta(
      gitOid("blob", Buffer.from("inner!")),
      within,
      delta(5, 6, copy(0, 5), insert("!")),
    );
  });
  await everywhere(async (options, where) => {
    const trusting = await open(bytes, { ...options, proof: "oid" });
    assert.equal(Buffer.from(await trusting.get("/f")).toString(), "inner!", where);
    const checked = await open(bytes, { ...options, proof: "crc" });
    await assertFails(checked.get("/f"), ["BadBase", PACK_START + within], where);
  });
});

test("damage of a base, with and without its checksums made right", async () => {
  const base = Buffer.from("a base of some length");
  const wrong = Buffer.from("A base of some length");
  const result = Buffer.from("a base!");
  const { bytes, offset } = imageWith((image) => {
    const placed = image.object("blob", wrong, gitOid("blob", base));
    return image.ofsDelta(gitOid("blob", result), placed.offset, delta(21, 7, copy(0, 6), insert("!")));
  });
  await everywhere(async (options, where) => {
    const volume = await open(bytes, { ...options, proof: "oid" });
    await assertFails(volume.get("/f"), ["OidMismatch", offset], where);
  });
});

test("options that mean nothing", async () => {
  const bytes = fixture("tiny.img");
  for (const options of [
    { proof: "sha256" as "oid" },
    { commit: "123" },
    { proof: "crc", collisions: true },
  ] as OpenOptions[])
    await assert.rejects(open(bytes, options), (error) => (error as DocteurError).code === "InvalidArgument");
});

/** Images made to exhaust, to lead astray, or to pass for another: one attack a test, against `verify` and the readers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { compileCore } from "../../src/core/compile-core.js";
import { type DocteurError, type OpenOptions, open, type Volume } from "../../src/index.js";
import { verify } from "../../src/verify/index.js";
import { MODES } from "../support/core.js";
import {
  type Crafted,
  CraftedImage,
  copy,
  delta,
  entryHeader,
  imageWith,
  KIND,
  OK_TEXT,
  PACK_START,
  treeEntry,
} from "../support/crafted-image.js";
import { assertFails } from "../support/defects.js";
import { gitOid } from "../support/fixtures.js";

const MIB = 1 << 20;
const SMALLEST = 2 * MIB;
const module = await compileCore();

/** Every level of proof, the commit's id given at the last. */
function levels(bytes: Uint8Array): OpenOptions[] {
  const commit = Buffer.from(bytes.subarray(0, 20)).toString("hex");
  return [{ proof: "none" }, { proof: "crc" }, { proof: "oid" }, { commit }];
}

/** Opens an image in every mode at every level; what cannot be opened must say so with that code. */
async function everywhere(
  bytes: Uint8Array,
  options: OpenOptions,
  check: (volume: Volume, options: OpenOptions, where: string) => Promise<void>,
  onOpen: (options: OpenOptions) => string | undefined = () => undefined,
): Promise<void> {
  for (const mode of MODES)
    for (const level of levels(bytes)) {
      const all = { module, mode, ...options, ...level };
      const where = `${mode}, ${level.proof ?? "pinned"}`;
      const code = onOpen(all);
      if (code !== undefined) {
        await assertFails(open(bytes, all), [code], where);
        continue;
      }
      const volume = await open(bytes, all);
      await check(volume, all, where);
      const { memoryLimit } = options;
      if (memoryLimit !== undefined) assert.ok(volume.stats().memoryBytes <= memoryLimit, where);
      await volume.close();
    }
}

async function codesOf(bytes: Uint8Array, memoryLimit = 64 * MIB): Promise<string[]> {
  const { findings } = await verify(bytes, { memoryLimit });
  return [
    ...new Set(findings.map(({ severity, code }) => (severity === "error" ? code : `${severity} ${code}`))),
  ];
}

test("a zip bomb of the size that it says: 64 MiB in 64 KiB", async () => {
  const size = 64 * MIB;
  const { bytes } = imageWith((image) => image.object("blob", Buffer.alloc(size)));
  assert.ok(bytes.length < size / 900);
  const { status } = await verify(bytes, { memoryLimit: 32 * MIB });
  assert.equal(status, "sound");
  for (const level of levels(bytes)) {
    const volume = await open(bytes, { ...level, memoryLimit: SMALLEST });
    assert.equal(await volume.size("/f"), size);
    assert.deepEqual(await volume.getPartial("/f", 5, 3), new Uint8Array(3));
    assert.ok(volume.stats().memoryBytes <= SMALLEST);
  }
});

test("a zip bomb of a tree: what must be in memory whole is refused where it is larger", async () => {
  const image = new CraftedImage();
  const content = Buffer.alloc(48 * MIB);
  const ok = image.object("blob", OK_TEXT);
  const bomb = image.object("tree", content);
  image.commit(image.tree(treeEntry("40000", "d", bomb.oid), treeEntry("100644", "ok", ok.oid)).oid);
  const { bytes } = image.finish();
  assert.ok(bytes.length < 64 << 10);
  assert.deepEqual(await codesOf(bytes, 32 * MIB), ["OutOfMemory", "warning Unchecked"]);
  await everywhere(
    bytes,
    { memoryLimit: 8 * MIB },
    async (volume, _, where) => {
      await assertFails(volume.list("/d"), ["OutOfMemory"], where);
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
    },
    ({ mode }) => (mode === "fast" ? "OutOfMemory" : undefined),
  );
});

test("a delta bomb: deltas of a few bytes, each of which doubles its base, to 1 GiB", async () => {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  let size = 64;
  let { offset } = image.object("blob", Buffer.alloc(size, "x"));
  let oid = "";
  for (let step = 1; size < 1 << 30; step++) {
    const half = size < 0x10000 ? [copy(0, size)] : pieces(size);
    const instructions = delta(size, size * 2, ...half, ...half);
    size *= 2;
    // The content's own id where it is cheap to know: a reader must not come to it.
    oid = size <= MIB ? gitOid("blob", Buffer.alloc(size, "x")) : step.toString(16).padStart(40, "0");
    ({ offset } = image.ofsDelta(oid, offset, instructions));
  }
  image.commit(image.tree(treeEntry("100644", "f", oid), treeEntry("100644", "ok", ok.oid)).oid);
  const { bytes } = image.finish();
  assert.ok(bytes.length < 16 << 10);
  const codes = await codesOf(bytes, 32 * MIB);
  assert.ok(codes.includes("OutOfMemory"), codes.join());
  await everywhere(
    bytes,
    { memoryLimit: 8 * MIB },
    async (volume, _, where) => {
      await assertFails(volume.get("/f"), ["OutOfMemory"], where);
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
    },
    ({ mode }) => (mode === "analyze" ? "OutOfMemory" : undefined),
  );
});

/** Instructions that copy a base of that size whole. */
function pieces(size: number): Buffer[] {
  const most = 0xffffff;
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += most) parts.push(copy(at, Math.min(most, size - at)));
  return parts;
}

test("a base whose offset lies behind the delta", async () => {
  // A distance of 2^63 and more would be one forwards, were it signed.
  const instructions = delta(OK_TEXT.length, OK_TEXT.length, copy(0, OK_TEXT.length));
  const { bytes, offset } = imageWith((image) =>
    image.raw(
      "a".repeat(40),
      entryHeader(KIND.ofsDelta, instructions.length),
      Buffer.of(0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x7f),
      deflateSync(instructions),
    ),
  );
  assert.ok((await codesOf(bytes)).includes("BadBase"));
  await everywhere(
    bytes,
    {},
    (volume, _, where) => assertFails(volume.get("/f"), ["BadBase", offset], where),
    ({ mode }) => (mode === "analyze" ? "BadBase" : undefined),
  );
});

test("an IDX that lists an id twice, at two places", async () => {
  const image = new CraftedImage();
  const twice = image.object("blob", OK_TEXT);
  // Its neighbour in the IDX, until it takes its id.
  const neighbour = (BigInt(`0x${twice.oid}`) + 1n).toString(16).padStart(40, "0");
  image.object("blob", "another content\n", neighbour);
  image.commit(image.tree(treeEntry("100644", "f", twice.oid)).oid);
  const { bytes } = image.finish({
    editIdx: (idx) => {
      const at = idx.indexOf(Buffer.from(neighbour, "hex"));
      idx.write(twice.oid, at, "hex");
      return undefined;
    },
  });
  assert.ok((await codesOf(bytes)).includes("BadIdx"));
  // Which of the two the search meets is chance; where ids are proven it is the right one or none.
  await everywhere(bytes, {}, async (volume, { mode, proof: level, commit }, where) => {
    const read = volume.get("/f").then((data) => Buffer.from(data).toString());
    const isProven = level === "oid" || commit !== undefined || mode === "analyze";
    const content = await read.catch((error: DocteurError) => error.code as string);
    assert.ok(
      [OK_TEXT, isProven ? "OidMismatch" : "another content\n"].includes(content),
      `${where}: ${content}`,
    );
  });
});

/** A root of folders in each other, `depth` of them, with a file in the last. */
function nested(depth: number): { bytes: Uint8Array; path: (names: number) => string } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  let tree = image.tree(treeEntry("100644", "ok", ok.oid));
  for (let level = 0; level < depth; level++)
    tree = image.tree(treeEntry("40000", "d", tree.oid), treeEntry("100644", "ok", ok.oid));
  image.commit(tree.oid);
  return { bytes: image.finish().bytes, path: (names) => `${"/d".repeat(names)}/ok` };
}

for (const depth of [512, 5000])
  test(`sound trees, ${depth} in each other`, async () => {
    const { bytes, path } = nested(depth);
    assert.deepEqual(await codesOf(bytes), ["warning TreeTooDeep"]);
    await everywhere(
      bytes,
      {},
      async (volume, _, where) => {
        assert.equal(Buffer.from(await volume.get(path(511))).toString(), OK_TEXT, where);
        await assertFails(volume.get(path(512)), ["TreeTooDeep"], where);
        await assertFails(volume.get(path(2000)), ["TreeTooDeep"], where);
        await assertFails(volume.list("/d".repeat(513)), ["TreeTooDeep"], where);
      },
      ({ mode }) => (mode === "fast" ? "TreeTooDeep" : undefined),
    );
  });

test("two trees that hold each other, under ids that are not theirs", async () => {
  const [a, b] = ["a".repeat(40), "b".repeat(40)];
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const file = treeEntry("100644", "ok", ok.oid);
  const first = image.object("tree", Buffer.concat([treeEntry("40000", "d", b), file]), a);
  image.object("tree", Buffer.concat([treeEntry("40000", "d", a), file]), b);
  const root = image.tree(treeEntry("40000", "d", a), file, treeEntry("100644", "other", ok.oid));
  image.commit(root.oid);
  const { bytes } = image.finish();
  const codes = await codesOf(bytes);
  assert.ok(codes.includes("BadIdx") && codes.includes("MissingObject"), codes.join());
  await everywhere(
    bytes,
    {},
    async (volume, { mode, proof: level, commit }, where) => {
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
      const deep = volume.get(`${"/d".repeat(300)}/ok`);
      if (mode === "analyze") await assertFails(deep, ["MissingObject"], where);
      else if (level === "oid" || commit !== undefined)
        await assertFails(deep, ["OidMismatch", PACK_START + first.offset], where);
      else assert.equal(Buffer.from(await deep).toString(), OK_TEXT);
    },
    ({ mode, proof: level }) => {
      if (mode === "analyze") return undefined;
      if (mode !== "fast") return undefined;
      return level === "none" || level === "crc" ? "TreeTooDeep" : "OidMismatch";
    },
  );
});

/** An image whose root is these bytes; the root's offset. */
function rooted(content: (ok: string) => Uint8Array): { bytes: Uint8Array; offset: number } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const root = image.object("tree", content(ok.oid));
  image.commit(root.oid);
  return { bytes: image.finish().bytes, offset: PACK_START + root.offset };
}

test("a name with a NUL in it ends there, and what follows is no tree", async () => {
  const { bytes, offset } = rooted((ok) =>
    Buffer.concat([treeEntry("100644", "a\0b", ok), treeEntry("100644", "ok", ok)]),
  );
  assert.ok((await codesOf(bytes)).includes("BadTree"));
  await everywhere(
    bytes,
    {},
    async (volume, _, where) => {
      await assertFails(volume.list("/"), ["BadTree", offset], where);
      await assertFails(volume.get("/ok"), ["BadTree", offset], where);
      // A NUL in a path is a character that no name has.
      await assertFails(volume.get("/a\0b"), ["NotFound"], where);
    },
    ({ mode }) => (mode === "fast" ? "MissingObject" : undefined),
  );
});

for (const name of ["a/b", "/", "..", "../x", "."])
  test(`the name ${name} leads nowhere`, async () => {
    const { bytes, offset } = rooted((ok) =>
      Buffer.concat([treeEntry("100644", name, ok), treeEntry("100644", "ok", ok)]),
    );
    assert.deepEqual(await codesOf(bytes), ["BadTree"]);
    await everywhere(
      bytes,
      {},
      async (volume, _, where) => {
        await assertFails(volume.list("/"), ["BadTree", offset], where);
        await assertFails(volume.get("/ok"), ["BadTree", offset], where);
      },
      ({ mode }) => (mode === "fast" ? "BadTree" : undefined),
    );
  });

test("a tree of a million entries", async () => {
  const count = 1_000_000;
  const name = (index: number): string => index.toString(36).padStart(4, "0");
  let order: number[] = [];
  const { bytes } = rooted((ok) => {
    const entry = treeEntry("100644", "0000", ok);
    const entries = Buffer.alloc(count * entry.length);
    for (let index = 0; index < count; index++) {
      entry.write(name(index), 7);
      entries.set(entry, index * entry.length);
    }
    order = [0, 1, 499_999, count - 1];
    return entries;
  });
  assert.deepEqual(await codesOf(bytes, 256 * MIB), []);
  assert.deepEqual(await codesOf(bytes, 32 * MIB), ["OutOfMemory", "warning Unchecked", "note Unreachable"]);
  for (const level of levels(bytes)) {
    const volume = await open(bytes, { module, ...level });
    for (const index of order)
      assert.equal(Buffer.from(await volume.get(`/${name(index)}`)).toString(), OK_TEXT);
    await assertFails(volume.get("/zzzzz"), ["NotFound"], "a name that is not there");
    assert.ok(volume.stats().memoryBytes < 128 * MIB);
  }
  const volume = await open(bytes, { module });
  const entries = await volume.list("/");
  assert.deepEqual([entries.length, entries.at(-1)!.name], [count, name(count - 1)]);
  const small = { module, memoryLimit: 8 * MIB };
  for (const mode of ["fast", "analyze"] as const)
    await assertFails(open(bytes, { ...small, mode }), ["OutOfMemory"], mode);
  // Look-ups stream the tree; a listing needs it whole.
  const streamed = await open(bytes, small);
  for (const index of order)
    assert.equal(Buffer.from(await streamed.get(`/${name(index)}`)).toString(), OK_TEXT);
  await assertFails(streamed.list("/"), ["OutOfMemory"], "list");
  assert.ok(streamed.stats().memoryBytes <= small.memoryLimit);
});

test("names, targets and a commit that are no UTF-8, everywhere", async () => {
  const image = new CraftedImage();
  const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
  // Every byte that a name may hold, one name each, and some that begin a sequence and do not end it.
  const names = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).filter(
    (name) => !["/", "."].includes(name),
  );
  names.push("\xff\xfe", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf");
  names.sort((left, right) => Buffer.compare(bytesOf(left), bytesOf(right)));
  const blobs = names.map((name) => image.object("blob", bytesOf(`of ${name}`)));
  const folder = image.tree(...names.map((name, index) => treeEntry("100644", name, blobs[index]!.oid)));
  const target = image.object("blob", bytesOf("\xff/\xc0\xaf"));
  const root = image.tree(
    treeEntry("120000", "link\xfe", target.oid),
    treeEntry("40000", "\xff", folder.oid),
  );
  const who = "\xe9\xff <\xfe@\x80> 1717740550 +0200";
  image.head(
    image.object(
      "commit",
      bytesOf(`tree ${root.oid}\nauthor ${who}\ncommitter ${who}\nencoding \xff\n\n\xfe\xff\n`),
    ),
  );
  const { bytes } = image.finish();
  const report = await verify(bytes);
  assert.equal(report.status, "sound");
  assert.equal(JSON.parse(JSON.stringify(report)).author.name, "\ufffd\ufffd");
  assert.equal(report.pathCounts?.files, names.length);
  await everywhere(bytes, {}, async (volume, _, where) => {
    const listed = await volume.list(Uint8Array.of(0x2f, 0xff));
    assert.deepEqual(
      listed.map(({ nameBytes }) => Buffer.from(nameBytes).toString("latin1")),
      names,
      where,
    );
    for (const name of names) {
      const path = bytesOf(`/\xff/${name}`);
      assert.equal(Buffer.from(await volume.get(path)).toString("latin1"), `of ${name}`, where);
    }
    const link = bytesOf("/link\xfe");
    assert.equal(Buffer.from(await volume.get(link)).toString("latin1"), "\xff/\xc0\xaf");
    assert.equal(Buffer.from(await volume.get(link, { follow: true })).toString("latin1"), "of \xc0\xaf");
    // As a string, a path is UTF-8: other bytes than these.
    await assertFails(volume.get("/\xff/\xc0"), ["NotFound"], where);
    assert.equal(volume.commit.date?.getTime(), 1_717_740_550_000);
  });
});

test("an image of garbage, and one of an image inside an image", async () => {
  const inner = imageWith((image) => image.object("blob", "inner\n"));
  const outer: Crafted = imageWith((image) => image.object("blob", Buffer.from(inner.bytes)));
  await everywhere(outer.bytes, {}, async (volume) => {
    const volumeInside = await open(await volume.get("/f"));
    assert.equal(Buffer.from(await volumeInside.get("/f")).toString(), "inner\n");
  });
  for (const fill of [0, 0x50, 0xff]) {
    const garbage = new Uint8Array(4096).fill(fill);
    assert.deepEqual(await codesOf(garbage), ["BadPack"]);
    await everywhere(
      garbage,
      {},
      async () => {},
      () => "BadPack",
    );
  }
});

/** The image's frame, one defect a test: header, PACK header and trailer, padding, IDX. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import {
  type Crafted,
  type FinishOptions,
  imageWith,
  OK_TEXT,
  PACK_START,
  type Placed,
} from "../support/crafted-image.js";
import { assertFails, checkDefect, type Outcome } from "../support/defects.js";

const TEXT = "the file\n";
/** In an IDX of four objects: where each column begins. */
const COUNT = 4;
const OIDS = 8 + 1024;
const CRCS = OIDS + COUNT * 20;
const OFFSETS = CRCS + COUNT * 4;
const LARGE = OFFSETS + COUNT * 4;

let file: Placed;

/** A sound image, but for the options. */
function framed(options: FinishOptions = {}): Crafted & { offset: number } {
  return imageWith((image) => {
    file = image.object("blob", TEXT);
    return file;
  }, options);
}

/** The file's row in the IDX. */
function rowOf(idx: Uint8Array, { oid }: Placed = file): number {
  for (let row = 0; row < COUNT; row++)
    if (Buffer.from(idx.subarray(OIDS + row * 20, OIDS + row * 20 + 20)).toString("hex") === oid) return row;
  throw new RangeError("not in the IDX");
}

async function framedAs(options: FinishOptions, outcome: Outcome): Promise<void> {
  await checkDefect(framed(options).bytes, { content: Buffer.from(TEXT), ...outcome });
}

test("a sound image of this kind is sound", () => framedAs({}, {}));

test("a PACK of version 3 is read", () => framedAs({ version: 3 }, {}));

test("PACK and IDX without padding between them are read", () => framedAs({ padding: 0 }, {}));

for (const idxOffset of [0n, 1n, 27n, 28n, 40n, 68n])
  test(`an IDX at ${idxOffset}, where no PACK has room before it`, () =>
    framedAs({ idxOffset }, { open: ["BadHeader", undefined], openAnalyze: ["BadHeader", undefined] }));

for (const idxOffset of [1n << 20n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n])
  test(`an IDX at ${idxOffset}, past the end`, () =>
    framedAs({ idxOffset }, { open: ["Truncated", undefined], openAnalyze: ["Truncated", undefined] }));

test("an IDX that begins too near to the end", async () => {
  const { bytes } = framed();
  const idxOffset = BigInt(bytes.length - 1099);
  await framedAs({ idxOffset }, { open: ["Truncated", undefined], openAnalyze: ["Truncated", undefined] });
});

test("no PACK", async () => {
  for (const magic of ["PACJ", "pack", "\0\0\0\0"]) {
    const editPack = (pack: Buffer): unknown => pack.write(magic);
    await framedAs({ editPack }, { open: ["BadPack", undefined], openAnalyze: ["BadPack", undefined] });
  }
});

for (const version of [0, 1, 4, 0x02000000])
  test(`a PACK of version ${version}`, () =>
    framedAs({ version }, { open: ["BadPack", undefined], openAnalyze: ["BadPack", undefined] }));

test("a PACK that announces one object too many", async () => {
  const { packEnd } = framed({ padding: 0 });
  await framedAs(
    { count: COUNT + 1, padding: 0 },
    { open: ["BadIdx", undefined], openAnalyze: ["BadEntry", packEnd - 20] },
  );
});

test("a PACK that announces one object too few", () =>
  framedAs({ count: COUNT - 1 }, { open: ["BadIdx", undefined], openAnalyze: ["BadTrailer"] }));

test("a PACK that announces no objects", () =>
  framedAs({ count: 0 }, { open: ["BadIdx", undefined], openAnalyze: ["BadTrailer"] }));

test("a PACK that announces more objects than it has bytes for", () =>
  framedAs({ count: 0xffffffff }, { open: ["BadIdx", undefined], openAnalyze: ["BadPack", undefined] }));

test("a wrong trailer of the PACK", async () => {
  const { bytes, packEnd } = framed();
  for (const at of [packEnd - 20, packEnd - 1]) {
    const wrong = bytes.slice();
    wrong[at]! ^= 0x40;
    await checkDefect(wrong, { content: Buffer.from(TEXT), openAnalyze: ["BadTrailer", packEnd - 20] });
  }
});

test("something between PACK and IDX", async () => {
  const { bytes, packEnd, idx } = framed();
  for (const at of [packEnd, idx - 1]) {
    const wrong = bytes.slice();
    wrong[at] = 1;
    await checkDefect(wrong, { content: Buffer.from(TEXT), verify: ["BadPack", at] });
  }
});

test("anything after the IDX does no harm", async () => {
  const { bytes, idxEnd } = framed();
  const more = new Uint8Array(bytes.length + 3 * 512).fill(0xa5);
  more.set(bytes.subarray(0, idxEnd));
  await checkDefect(more, { content: Buffer.from(TEXT) });
});

/** An IDX with other bytes at a place is `BadIdx` for verify, there. */
async function idxEdited(at: number, value: number | Uint8Array, outcome: Outcome): Promise<void> {
  const { idx } = framed();
  const editIdx = (bytes: Buffer): undefined => {
    if (typeof value === "number") bytes.writeUInt32BE(value >>> 0, at);
    else bytes.set(value, at);
  };
  const image = framed({ editIdx });
  const sound = framed();
  const first = sound.bytes.findIndex((byte, index) => byte !== image.bytes[index]);
  assert.ok(first >= idx + at && first < idx + at + 20);
  await checkDefect(image.bytes, { content: Buffer.from(TEXT), verify: ["BadIdx", first], ...outcome });
}

const BAD_IDX: Outcome = { open: ["BadIdx", undefined] };

test("no IDX", () => idxEdited(0, 0xff744f64, BAD_IDX));

for (const version of [0, 1, 3]) test(`an IDX of version ${version}`, () => idxEdited(4, version, BAD_IDX));

test("a fanout that falls", () => idxEdited(8 + 4 * 10, 1000, BAD_IDX));

test("a fanout that counts less than the PACK", () => idxEdited(8 + 4 * 255, COUNT + 1, BAD_IDX));

test("a fanout that counts beyond the image", () =>
  idxEdited(8 + 4 * 255, 0xffffffff, { open: ["Truncated", undefined] }));

test("an IDX whose rows are not sorted", async () => {
  const { bytes, idx } = framed();
  const oids = bytes.slice(idx + OIDS, idx + CRCS);
  const row = rowOf(bytes.subarray(idx));
  const other = (row + 1) % COUNT;
  const swapped = oids.slice();
  swapped.set(oids.subarray(row * 20, row * 20 + 20), other * 20);
  swapped.set(oids.subarray(other * 20, other * 20 + 20), row * 20);
  const wrong = bytes.slice();
  wrong.set(swapped, idx + OIDS);
  await assertFails(assertSound(wrong), ["BadIdx", idx + OIDS + Math.min(row, other) * 20], "verify");
  await assertFails(open(wrong, { mode: "fast" }), ["MissingObject"], "fast");
  const volume = await open(wrong, { mode: "analyze" });
  assert.equal(Buffer.from(await volume.get("/f")).toString(), TEXT);
});

test("an id in the IDX that is not the object's", async () => {
  const { bytes, idx } = framed();
  const at = OIDS + rowOf(bytes.subarray(idx)) * 20 + 19;
  await idxEdited(at, Buffer.of(bytes[idx + at]! ^ 1), {
    read: ["MissingObject", undefined],
    openFast: ["MissingObject", undefined],
  });
});

test("a missing object is named", async () => {
  const { bytes, idx } = framed();
  bytes[idx + OIDS + rowOf(bytes.subarray(idx)) * 20 + 19]! ^= 1;
  const { oid } = file;
  const named = { code: "MissingObject", oid };
  const volume = await open(bytes);
  await assert.rejects(volume.get("/f"), named);
  await assert.rejects(volume.object(oid), named);
  await assert.rejects(volume.list("/", { sizes: true }), named);
  await assert.rejects(open(bytes, { mode: "fast" }), named);
  assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
});

test("a CRC-32 in the IDX that is not the entry's", async () => {
  const { bytes, idx } = framed();
  await idxEdited(
    CRCS + rowOf(bytes.subarray(idx)) * 4 + 3,
    Buffer.of(bytes[idx + CRCS + rowOf(bytes.subarray(idx)) * 4 + 3]! ^ 1),
    {},
  );
});

test("an IDX whose copy of the PACK's checksum is another", () => idxEdited(LARGE, Buffer.alloc(1), {}));

test("an IDX whose own checksum is another", async () => {
  const { bytes, idxEnd } = framed();
  bytes[idxEnd - 20]! ^= 1;
  await checkDefect(bytes, { content: Buffer.from(TEXT), verify: ["BadIdx", idxEnd - 20] });
});

for (const [title, value] of [
  ["in the PACK's header", () => 11],
  ["in the PACK's trailer", ({ packEnd }: Crafted) => packEnd - PACK_START - 20 + 512],
  ["far beyond the PACK", () => 0x7fffffff],
  ["in a table of large offsets that is not there", () => 0x80000000 + 2000],
  ["in a table of large offsets that wraps around", () => 0xffffffff],
] as const)
  test(`an object's offset ${title}`, async () => {
    const image = framed();
    const row = rowOf(image.bytes.subarray(image.idx));
    await idxEdited(OFFSETS + row * 4, value(image), {
      read: ["BadIdx", undefined],
      openFast: ["BadIdx", undefined],
    });
  });

/** The IDX with the file's offset in the table of large ones. */
function withLarge(idx: Buffer, offset: bigint): Buffer {
  const large = Buffer.alloc(8);
  large.writeBigUInt64BE(offset);
  const wider = Buffer.concat([idx.subarray(0, LARGE), large, idx.subarray(LARGE)]);
  wider.writeUInt32BE(0x80000000, OFFSETS + rowOf(idx) * 4);
  return wider;
}

test("an offset of 64 bits that 31 would hold is read; verify wants the shorter form", async () => {
  const { offset, idx } = framed();
  const row = rowOf(framed().bytes.subarray(idx));
  const editIdx = (bytes: Buffer): Buffer => withLarge(bytes, BigInt(offset - PACK_START));
  await framedAs({ editIdx }, { verify: ["BadIdx", idx + OFFSETS + row * 4] });
});

test("an offset of 64 bits that is out of range", async () => {
  for (const large of [0n, 11n, 1n << 20n, 1n << 32n, 1n << 63n, (1n << 64n) - 1n]) {
    const editIdx = (bytes: Buffer): Buffer => withLarge(bytes, large);
    await framedAs(
      { editIdx },
      { read: ["BadIdx", undefined], openFast: ["BadIdx", undefined], verify: ["BadIdx"] },
    );
  }
});

test("an IDX that lists an object at another's place: readers trust it, as git does, and verify does not", async () => {
  const { bytes, idx } = framed();
  const at = idx + OFFSETS + rowOf(bytes.subarray(idx)) * 4;
  // `/ok` is the PACK's first entry.
  new DataView(bytes.buffer).setUint32(at, 12);
  await assertFails(assertSound(bytes), ["BadIdx", at + 3], "verify");
  for (const [mode, content] of [
    ["light", OK_TEXT],
    ["fast", OK_TEXT],
    ["analyze", TEXT],
  ] as const)
    assert.equal(Buffer.from(await (await open(bytes, { mode })).get("/f")).toString(), content, mode);
});

test("the PACK holds an object twice", async () => {
  const { bytes } = imageWith((image) => {
    image.object("blob", TEXT, "a".repeat(40));
    return image.object("blob", TEXT);
  });
  await checkDefect(bytes, { content: Buffer.from(TEXT), verify: ["BadPack", undefined] });
});

/** Entries of the PACK, one defect a test: headers, sizes, zlib streams. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, deflateSync } from "node:zlib";
import { open } from "../../src/index.js";
import {
  type Crafted,
  CraftedImage,
  entryHeader,
  imageWith,
  KIND,
  OK_TEXT,
  PACK_START,
  treeEntry,
} from "../support/crafted-image.js";
import { checkDefect } from "../support/defects.js";
import { BitWriter } from "../support/deflate-writer.js";
import { gitOid } from "../support/fixtures.js";

const OID = "f".repeat(40);
const TEXT = Buffer.from("some text, some text, some more text\n");
const SMALLEST = 2 << 20;

/** An image whose `/f` is one entry of these bytes. */
function entryOf(...parts: Uint8Array[]): Crafted & { offset: number } {
  return imageWith((image) => image.raw(OID, ...parts));
}

/** An image whose `/f` stands last in the PACK, with the IDX right behind. */
function lastEntryOf(...parts: Uint8Array[]): Crafted & { offset: number } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const tree = image.tree(treeEntry("100644", "f", OID), treeEntry("100644", "ok", ok.oid));
  image.commit(tree.oid);
  const { offset } = image.raw(OID, ...parts);
  return { ...image.finish({ padding: 0 }), offset: PACK_START + offset };
}

async function damaged(
  code: string,
  { bytes, offset }: Crafted & { offset: number },
  limit?: number,
): Promise<void> {
  const expected = [code, offset] as const;
  const memory = limit === undefined ? {} : { memoryLimit: limit };
  await checkDefect(bytes, { read: expected, openAnalyze: expected, ...memory });
}

async function sound(content: Buffer, ...parts: Uint8Array[]): Promise<void> {
  const { bytes } = imageWith((image) => image.raw(gitOid("blob", content), ...parts));
  await checkDefect(bytes, { content });
}

for (const kind of [0, 5]) {
  test(`an entry of type ${kind}, which does not exist`, () =>
    damaged("BadEntry", entryOf(entryHeader(kind, TEXT.length), deflateSync(TEXT))));
}

test("a size of more digits than it needs is a size", () =>
  sound(
    TEXT,
    Buffer.of(0xb0 | (TEXT.length & 15), 0x80 | (TEXT.length >> 4), 0x80, 0x80, 0),
    deflateSync(TEXT),
  ));

for (const length of [3, 9])
  test(`a size in ${length} bytes, the most of them zero`, () => {
    const content = Buffer.from("nine byte");
    const header = [0xb0 | content.length, ...Array<number>(length - 2).fill(0x80), 0];
    return sound(content, Buffer.from(header), deflateSync(content));
  });

test("a size in 10 bytes, which git's readers do not take", () =>
  damaged("BadEntry", entryOf(Buffer.of(0xb9, ...Array<number>(8).fill(0x80), 0), deflateSync("nine byte"))));

test("a size of 12 bytes, all but the first zero", () =>
  damaged("BadEntry", entryOf(Buffer.of(0xb1, ...Array<number>(10).fill(0x80), 0), deflateSync(TEXT))));

test("a size beyond 64 bits", () =>
  damaged("BadEntry", entryOf(Buffer.of(0xb1, ...Array<number>(8).fill(0x80), 0x10), deflateSync(TEXT))));

test("a size of 2^64 - 1, of more bytes than git's readers take", () =>
  damaged("BadEntry", entryOf(entryHeader(3, 2n ** 64n - 1n), deflateSync(TEXT))));

test("a size of 2^40 + 1, beyond the limit", () =>
  damaged("ObjectTooLarge", entryOf(entryHeader(3, 2n ** 40n + 1n), deflateSync(TEXT))));

for (const size of [10 ** 12, 2 ** 40 - 1, 2 ** 32, 2 ** 31])
  test(`a size of ${size}, which no stream of the bytes left can have`, () =>
    damaged("BadEntry", entryOf(entryHeader(3, size), deflateSync(TEXT))));

test("a header that goes on to the end of the PACK", () =>
  damaged("Truncated", lastEntryOf(Buffer.alloc(3, 0xb0))));

test("a ref-delta without room for its base's id", () =>
  damaged("Truncated", lastEntryOf(entryHeader(KIND.refDelta, 10), Buffer.alloc(19))));

test("an ofs-delta whose base's distance goes on to the end of the PACK", () =>
  damaged("Truncated", lastEntryOf(entryHeader(KIND.ofsDelta, 10), Buffer.of(0x80))));

for (const [title, memory] of [
  ["whole in memory", 32 << 20],
  ["streamed", SMALLEST],
] as const) {
  const content = Buffer.alloc(300_000, "all work and no play ");
  const stream = deflateSync(content);
  const size = content.length;

  test(`a stream longer than its entry says (${title})`, async () => {
    for (const declared of [size - 1, size - 70_000, 70_000])
      await damaged("BadInflatedSize", entryOf(entryHeader(3, declared), stream), memory);
  });

  test(`a stream shorter than its entry says (${title})`, async () => {
    for (const declared of [size + 1, size + 200_000])
      await damaged("BadInflatedSize", entryOf(entryHeader(3, declared), stream), memory);
  });

  test(`a stream of the right length, with another Adler-32 (${title})`, () => {
    const wrong = Buffer.from(stream);
    wrong[wrong.length - 1]! ^= 1;
    return damaged("BadAdler", entryOf(entryHeader(3, size), wrong), memory);
  });

  test(`a stream cut off by the end of the PACK (${title})`, async () => {
    for (const missing of [1, 4, 5, 100])
      await damaged("Truncated", lastEntryOf(entryHeader(3, size), stream.subarray(0, -missing)), memory);
  });
}

test("a zip bomb takes no memory", async () => {
  const bomb = deflateSync(Buffer.alloc(64 << 20), { level: 9 });
  const { bytes } = entryOf(entryHeader(3, 100), bomb);
  const volume = await open(bytes, { memoryLimit: SMALLEST });
  await assert.rejects(volume.get("/f"), { code: "BadInflatedSize" });
  assert.ok(volume.stats().memoryBytes <= SMALLEST);
  await damaged("BadInflatedSize", entryOf(entryHeader(3, 100), bomb));
});

test("an empty file whose stream is not empty", () =>
  damaged("BadInflatedSize", entryOf(entryHeader(3, 0), deflateSync(TEXT))));

test("a zlib header that is none, and one that wants a dictionary", async () => {
  const stream = deflateSync(TEXT);
  for (const [cmf, flg] of [
    [0x78, 0x9d],
    [0x79, 0x1b],
    [0x88, 0x1c],
    [0x78, 0xbb],
  ])
    await damaged(
      "BadZlibHeader",
      entryOf(entryHeader(3, TEXT.length), Buffer.of(cmf!, flg!), stream.subarray(2)),
    );
});

test("deflate errors inside an object", async () => {
  const head = Buffer.of(0x78, 0x9c);
  const tail = Buffer.alloc(64);
  // A last block with the fixed codes: of 8 bits for a literal, of 7 for the length 3, of 5 for distances.
  const fixed = (): BitWriter => new BitWriter().bits(1, 1).bits(1, 2);
  const cases: [string, Buffer][] = [
    ["BadBlockType", new BitWriter().bits(1, 1).bits(3, 2).finish()],
    ["BadStoredLength", Buffer.of(1, 5, 0, 0, 0)],
    ["BadCodeLengths", new BitWriter().bits(1, 1).bits(2, 2).bits(31, 5).bits(31, 5).bits(15, 4).finish()],
    ["BadDistance", fixed().code(1, 7).code(0, 5).finish()],
    ["BadDistance", fixed().code(0x30, 8).code(1, 7).code(1, 5).finish()],
    ["BadSymbol", fixed().code(0x30, 8).code(1, 7).code(30, 5).finish()],
    ["BadSymbol", fixed().code(0xc6, 8).finish()],
  ];
  for (const [code, deflated] of cases)
    await damaged(code, entryOf(entryHeader(3, 40), head, deflated, tail));
});

test("a stream that ends in the middle of a small object", async () => {
  const stream = deflateSync(TEXT);
  for (let length = 0; length < stream.length; length++)
    await damaged("Truncated", lastEntryOf(entryHeader(3, TEXT.length), stream.subarray(0, length)));
});

test("a stream without zlib's frame", () =>
  damaged("BadZlibHeader", entryOf(entryHeader(3, TEXT.length), deflateRawSync(TEXT))));

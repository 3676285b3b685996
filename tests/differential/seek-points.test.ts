/** Seek points: images of large files, read in the middle, as git, node:zlib and docs/FORMAT.md have them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { constants, crc32, deflateRawSync, deflateSync, inflateRawSync } from "node:zlib";
import { open } from "../../src/index.js";
import { addLayout, checkLayout, stripLayout } from "../../src/layout/files/index.js";
import { make, makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { content, imageOf as craftedImage, noisyLines } from "../support/large-files.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { type Random, seeded } from "../support/random.js";
import { randomBytes } from "../support/similar.js";
import { temporaryFolder } from "../support/temporary.js";

/** The shortest and the longest segments, and their step. */
const SHORTEST = 262_144;
const LONGEST = 1_048_576;
const UNIT = 65_536;
const MIB = 1 << 20;
const DATE = "2024-06-07T08:09:10Z";
const PACK = 28;

/** Bytes of an entry's header that has no base. */
function headerLength(image: Buffer, at: number): number {
  let length = 1;
  while (image[at + length - 1]! >= 0x80) length++;
  return length;
}

/** The Adler-32 that zlib gives content: the end of its stream. */
function adlerOf(data: Buffer): number {
  return deflateSync(data, { level: 0 }).readUInt32BE(deflateSync(data, { level: 0 }).length - 4);
}

/**
 * Checks a file's seek records: every segment inflates by itself, the first of them where the page says, and the checksums
 * are those of the content.
 * @returns bytes of a segment
 */
function checkPoints(image: Buffer, path: string, data: Buffer, isSeekable: boolean): number {
  const layout = decodeLayout(image);
  const record = layout.records.find((each) => each.path === path)!;
  if (!isSeekable) {
    assert.equal(record.seek, undefined, path);
    return 0;
  }
  const { first, segment } = record.seek!;
  assert.ok(segment >= SHORTEST && segment <= LONGEST && segment % UNIT === 0, `${path}: ${segment}`);
  const count = Math.ceil(data.length / segment);
  const seeks = layout.seeks.slice(first, first + count);
  assert.equal(seeks.length, count);
  const entry = image.subarray(PACK + record.offset, PACK + record.offset + record.length!);
  const starts = seeks.map(({ place }) => place);
  assert.equal(starts[0], headerLength(entry, 0) + 2);
  for (const [index, start] of starts.entries()) {
    const isLast = index === count - 1;
    const end = isLast ? entry.length - 4 : starts[index + 1]!;
    if (!isLast) assert.equal(entry.readUInt32LE(end - 4), 0xffff0000, `${path}: no empty stored block`);
    // An empty final block ends what a flush has ended.
    const stream = Buffer.concat(
      [entry.subarray(start, end), isLast ? "" : Buffer.of(3, 0)].map(Buffer.from),
    );
    const content = inflateRawSync(stream);
    assert.ok(content.equals(data.subarray(index * segment, (index + 1) * segment)), `${path}: ${index}`);
    for (const [cell, checksum] of seeks[index]!.checksums.entries()) {
      const at = index * segment + (cell * segment) / 16;
      // To sum up the content up to each cell would take long: the last ones and some others are enough.
      if (at >= data.length) assert.equal(checksum, 0);
      else if (isLast || (index * 16 + cell) % 7 === 0)
        assert.equal(checksum, adlerOf(data.subarray(0, at)), `${path}: ${index}, ${cell}`);
    }
  }
  return segment;
}

/** Reads parts of a file around its borders and at random places. */
async function readParts(image: Buffer, path: string, data: Buffer, random: Random): Promise<void> {
  const { seek } = decodeLayout(image).records.find((each) => each.path === path)!;
  const segment = seek?.segment ?? LONGEST;
  const variants = await coreVariants();
  const places = [0, data.length - 1, data.length, data.length + 5];
  for (let at = segment; at < data.length; at += segment) places.push(at - 1, at, at + 1);
  for (let count = 0; count < 6; count++) places.push(random(data.length));
  for (const [index, { module }] of variants.entries()) {
    await using volume = await open(image, { module });
    for (const at of index === 0 ? places : places.slice(-8)) {
      const length = random(2) ? 4096 : random(3) ? 1 + random(200_000) : segment + random(segment);
      const part = await volume.getPartial(`/${path}`, at, length);
      assert.ok(data.subarray(at, at + length).equals(part), `${path}: ${length} bytes at ${at}`);
    }
    assert.ok(data.equals(await volume.get(`/${path}`)));
    assert.equal(volume.layout, "used");
  }
}

/** Lines of some words among noise, which points make a little longer. */
function words(size: number, random: Random): Buffer {
  const all = Array.from({ length: 3000 }, () => random(2 ** 31).toString(36));
  let text = "";
  while (text.length < size) text += `${all[random(3000)]} ${random(1e9)} ${all[random(3000)]}\n`;
  return Buffer.from(text.slice(0, size), "latin1");
}

/** Contents of many sizes around the borders. */
function samples(random: Random): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [name, size] of [
    ["less", MIB - 1],
    ["least", MIB],
    ["more", MIB + 1],
    ["three", 3 * MIB - 1],
    ["four", 4 * MIB],
    ["five", 4 * MIB + 1],
    ["random", MIB + random(2 * MIB)],
  ] as const)
    files.set(name, content(size, random));
  files.set("noise", randomBytes(random, MIB + 3 * UNIT + 3));
  files.set("zeros", Buffer.alloc(2 * MIB + 7));
  files.set("mixed", Buffer.concat([content(MIB, random), randomBytes(random, MIB), Buffer.alloc(MIB)]));
  files.set("lines", noisyLines(3 * MIB + 5, random));
  files.set("words", words(2 * MIB + 77, random));
  files.set("pieces", Buffer.concat([content(8 * MIB, random), randomBytes(random, MIB + 1)]));
  return files;
}

/** Makes an image of files. Deltas are off, so that all of them are stored whole. */
async function imageOf(t: TestContext, files: Map<string, Buffer>, seek?: number): Promise<string> {
  const folder = temporaryFolder(t);
  for (const [name, data] of files) writeFileSync(join(folder, name), data);
  const image = join(temporaryFolder(t), "image");
  const summary = await make(folder, image, { date: DATE, depth: 0, seek });
  const again = join(temporaryFolder(t), "again");
  await make(folder, again, { date: DATE, depth: 0, seek, workers: 3 });
  assert.deepEqual(readFileSync(again), readFileSync(image));
  assert.equal(summary.imageBytes, readFileSync(image).length);
  return image;
}

test("files from a mebibyte on have seek points: segments inflate by themselves, and git reads the whole", async (t) => {
  const random = seeded(175);
  const files = samples(random);
  const path = await imageOf(t, files);
  const image = readFileSync(path);
  const segments = new Set<number>();
  for (const [name, data] of files) segments.add(checkPoints(image, name, data, data.length >= MIB));
  assert.ok(segments.size > 3, `segments of ${[...segments].join(", ")}`);
  const parts = takeApart(image);
  const repository = repositoryOf(parts, join(temporaryFolder(t), "of.git"));
  git(repository, "fsck", "--full", "--strict", parts.commit);
  execFileSync("git", ["index-pack", "--strict", "--stdin"], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    input: parts.pack,
  });
  for (const [name, data] of files) {
    const read = execFileSync("git", ["cat-file", "blob", `${parts.commit}:${name}`], {
      cwd: repository,
      env: GIT_ENVIRONMENT,
      maxBuffer: 1 << 28,
    });
    assert.ok(read.equals(data), name);
  }
  for (const name of ["least", "five", "noise", "mixed", "lines", "pieces"])
    await readParts(image, name, files.get(name)!, random);
  for (const mode of MODES) {
    await using volume = await open(image, { mode });
    const data = files.get("random")!;
    assert.ok(data.subarray(MIB, MIB + 9).equals(await volume.getPartial("/random", MIB, 9)), mode);
  }
  const report = await verify(image);
  assert.deepEqual([report.status, report.findings], ["sound", []]);
});

test("the points are found in the PACK again: by --add, and of entries that --from takes", async (t) => {
  const random = seeded(2);
  const files = new Map([
    ["a", content(2 * MIB, random)],
    ["b", randomBytes(random, MIB + 1)],
  ]);
  const path = await imageOf(t, files);
  const image = readFileSync(path);
  await checkLayout(path);
  await stripLayout(path);
  await addLayout(path);
  assert.deepEqual(readFileSync(path), image);
  // Entries that are taken keep their points, whatever the option says.
  files.set("c", content(2 * MIB, random));
  const folder = temporaryFolder(t);
  for (const [name, data] of files) writeFileSync(join(folder, name), data);
  const next = join(temporaryFolder(t), "next");
  await make(folder, next, { date: DATE, depth: 0, from: path, seek: Number.POSITIVE_INFINITY });
  const made = readFileSync(next);
  for (const [name, data] of files) checkPoints(made, name, data, name !== "c");
  await checkLayout(next);
  assert.equal((await verify(made)).status, "sound");
});

test("the option sets the least size, and none leaves the points out", async (t) => {
  const random = seeded(3);
  const files = new Map([
    ["a", noisyLines(SHORTEST + 1, random)],
    ["b", noisyLines(SHORTEST, random)],
    ["c", noisyLines(2 * MIB, random)],
  ]);
  const all = readFileSync(await imageOf(t, files, 0));
  const most = readFileSync(await imageOf(t, files, 2 * MIB));
  const none = readFileSync(await imageOf(t, files, Number.POSITIVE_INFINITY));
  for (const [name, data] of files) {
    checkPoints(all, name, data, name !== "b");
    checkPoints(most, name, data, name === "c");
    checkPoints(none, name, data, false);
  }
  const pack = (image: Buffer): number => takeApart(image).pack.length;
  assert.ok(pack(most) > pack(none) && pack(most) < 1.01 * pack(none), `${pack(most)} of ${pack(none)}`);
  for (const seek of [-1, 0.5, Number.NaN])
    await assert.rejects(makeImage({ a: "a" }, { seek }), { code: "InvalidArgument" });
});

/** A stream that is flushed at some places, fully or keeping its window. */
function flushed(data: Buffer, places: readonly number[], isFull: boolean): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (const end of [...places, data.length]) {
    const dictionary = isFull || start === 0 ? undefined : data.subarray(Math.max(0, start - 32768), start);
    const isLast = end === data.length;
    const finishFlush = isLast ? constants.Z_FINISH : constants.Z_FULL_FLUSH;
    parts.push(deflateRawSync(data.subarray(start, end), { dictionary, finishFlush }));
    start = end;
  }
  const whole = deflateSync(data);
  return Buffer.concat([whole.subarray(0, 2), ...parts, whole.subarray(-4)]);
}

test("streams of others have points where all of them are, and no match reaches across", async (t) => {
  const random = seeded(4);
  const data = content(2 * SHORTEST + 1000, random);
  const longer = content(2 * LONGEST + 1000, random);
  const other = 5 * UNIT;
  const cases: [string, Buffer, Buffer, number][] = [
    ["full flushes", data, flushed(data, [SHORTEST, 2 * SHORTEST], true), SHORTEST],
    ["further flushes", data, flushed(data, [1000, SHORTEST, SHORTEST + 5, 2 * SHORTEST], true), SHORTEST],
    ["before the first place", data, flushed(data, [UNIT, 3 * UNIT, SHORTEST, 2 * SHORTEST], true), SHORTEST],
    ["two flushes in a place", data, flushed(data, [SHORTEST, SHORTEST, 2 * SHORTEST], true), SHORTEST],
    ["another segment", data, flushed(data, [other], true), other],
    ["the first flush decides", data, flushed(data, [SHORTEST, other], true), 0],
    ["flushes elsewhere", data, flushed(data, [SHORTEST + 1, other], true), other],
    ["one flush", data, flushed(data, [SHORTEST], true), 0],
    ["the last flush a byte too late", data, flushed(data, [SHORTEST, 2 * SHORTEST + 1], true), 0],
    ["flushes that keep the window", data, flushed(data, [SHORTEST, 2 * SHORTEST], false), 0],
    ["no flush", data, deflateSync(data), 0],
    ["the longest segment", longer, flushed(longer, [LONGEST, 2 * LONGEST], true), LONGEST],
    ["a longer segment", longer, flushed(longer, [LONGEST + UNIT], true), 0],
  ];
  for (const [name, content, stream, segment] of cases) {
    const path = join(temporaryFolder(t), "image");
    writeFileSync(path, craftedImage(content, stream).bytes);
    await addLayout(path);
    const image = readFileSync(path);
    assert.equal(checkPoints(image, "f", content, segment > 0), segment, name);
    assert.equal((await verify(image)).status, "sound", name);
    await readParts(image, "f", content, random);
  }
});

test("a section of the version before is not used, and can be made anew", async (t) => {
  const path = await imageOf(t, new Map([["a", noisyLines(MIB, seeded(7))]]));
  const image = readFileSync(path);
  const old = Buffer.from(image);
  old.writeUInt32LE(1, old.length - 504);
  old.writeUInt32LE(crc32(old.subarray(-512, -4)), old.length - 4);
  writeFileSync(path, old);
  await using volume = await open(old);
  assert.equal(volume.layout, "unknown");
  assert.equal((await verify(old)).findings[0]?.code, "UnknownLayout");
  await addLayout(path);
  assert.deepEqual(readFileSync(path), image);
});

test("equal files before a large one: it keeps its points, and no other file gets them", async () => {
  const large = noisyLines(2 * MIB, seeded(1709));
  const others = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`z${index}`, `${index}`]));
  const equal = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`a${index}`, "equal"]));
  const { image } = await makeImage({ ...equal, large, ...others });
  for (const { path, seek } of decodeLayout(Buffer.from(image)).records)
    assert.equal(seek !== undefined, path === "large", path);
  assert.deepEqual((await verify(image)).findings, []);
});

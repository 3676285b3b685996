/** Parts of large files that are stored as deltas of files with seek points: as git has them, and at the cost of a segment. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open, type Volume } from "../../src/index.js";
import { addLayout, checkLayout, stripLayout } from "../../src/layout/files/index.js";
import { make } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { content } from "../support/large-files.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { type Random, seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";
import { temporaryFolder } from "../support/temporary.js";
import { editedVersion } from "../support/versions.js";

/** Bytes between points may be a multiple of this one, and are at most as many as the next. */
const UNIT = 262_144;
const SEGMENT = 1_048_576;
const MIB = 1 << 20;
const VERSIONS = 6;

/** An image of versions of one file, each an edited copy of the one before it, with a repository of its pack. */
interface Sample {
  path: string;
  image: Buffer;
  /** What git reads by path. */
  contents: Map<string, Buffer>;
  /** Deltas below each file. */
  depths: Map<string, number>;
}

async function sampleOf(t: TestContext, size: number, random: Random): Promise<Sample> {
  const folder = temporaryFolder(t);
  const path = join(temporaryFolder(t), "image");
  let data = content(size, random);
  for (let version = 0; version < VERSIONS; version++) {
    writeFileSync(join(folder, `v${version}`), data);
    data = editedVersion(data, random, 1 + random(40));
  }
  await make(folder, path, { date: "2024-06-07T08:09:10Z" });
  const image = readFileSync(path);
  const parts = takeApart(image);
  const repository = repositoryOf(parts, join(temporaryFolder(t), "of.git"));
  const pack = `objects/pack/pack-${parts.pack.toString("hex", parts.pack.length - 20)}.idx`;
  const depths = new Map<string, number>();
  for (const line of git(repository, "verify-pack", "-v", pack).toString().split("\n")) {
    const [oid, kind, , , , depth] = line.split(/\s+/);
    if (kind === "blob") depths.set(oid!, Number(depth ?? 0));
  }
  const sample: Sample = { path, image, contents: new Map(), depths: new Map() };
  for (let version = 0; version < VERSIONS; version++) {
    const name = `v${version}`;
    const read = execFileSync("git", ["cat-file", "blob", `${parts.commit}:${name}`], {
      cwd: repository,
      env: GIT_ENVIRONMENT,
      maxBuffer: 1 << 28,
    });
    sample.contents.set(name, read);
    const oid = git(repository, "rev-parse", `${parts.commit}:${name}`).toString().trim();
    sample.depths.set(name, depths.get(oid)!);
  }
  return sample;
}

/** Places and lengths around the borders of segments, at the ends, and at random. */
function partsOf(size: number, random: Random): [at: number, length: number][] {
  const parts: [number, number][] = [
    [0, 1],
    [0, 4096],
    [size - 1, 4096],
    [size, 1],
    [size + 9, 9],
  ];
  for (let border = UNIT; border < size; border += UNIT)
    parts.push([border - random(3), 1 + random(3)], [border - random(5000), 4096]);
  for (let count = 0; count < 12; count++) parts.push([random(size), 1 + random(random(2) ? 4096 : 65_536)]);
  parts.push([random(size), 65_537], [random(size), SEGMENT - 1], [random(size), SEGMENT + random(SEGMENT)]);
  return parts;
}

async function checkParts(volume: Volume, { contents }: Sample, random: Random, most: number): Promise<void> {
  const { layout } = volume;
  for (const [name, data] of contents) {
    const parts = partsOf(data.length, random);
    while (parts.length > most) parts.splice(random(parts.length), 1);
    await Promise.all(
      parts.map(async ([at, length]) => {
        const part = await volume.getPartial(`/${name}`, at, length);
        assert.ok(data.subarray(at, at + length).equals(part), `${name}: ${length} bytes at ${at}`);
      }),
    );
  }
  assert.equal(volume.layout, layout);
}

test("parts of deltas of deltas are git's, in every build of the core, at once and in turn", async (t) => {
  const random = seeded(1705);
  for (const size of [MIB + 100, 5 * MIB + 77]) {
    const sample = await sampleOf(t, size, random);
    const depths = [...sample.depths.values()];
    assert.equal(depths.filter((depth) => depth === 0).length, 1, "one is whole");
    assert.ok(Math.max(...depths) >= 2, `deltas of deltas: ${depths}`);
    for (const { module } of await coreVariants()) {
      await using volume = await open(sample.image, { module });
      assert.equal(volume.layout, "used");
      await checkParts(volume, sample, random, size > 2 * MIB ? 12 : 40);
    }
    await using slow = await open(new SlowDevice(sample.image, 5));
    await checkParts(slow, sample, random, 2);
    await using small = await open(sample.image, { memoryLimit: 2 * MIB, blockSize: 512 });
    await checkParts(small, sample, random, 8);
    for (const proof of ["crc", "oid"] as const) {
      await using proven = await open(sample.image, { proof });
      await checkParts(proven, sample, random, 4);
    }
    const sync = openSync(sample.image);
    for (const [name, data] of sample.contents)
      for (const [at, length] of partsOf(data.length, random))
        assert.ok(data.subarray(at, at + length).equals(sync.getPartial(`/${name}`, at, length)), name);
    sync.close();
  }
});

test("a small part of a delta inflates its deltas and about a segment; the whole is as it was", async (t) => {
  const random = seeded(1706);
  const sample = await sampleOf(t, 6 * MIB, random);
  for (const [name, data] of sample.contents) {
    await using volume = await open(sample.image);
    const at = 4 * MIB + random(MIB);
    const part = await volume.getPartial(`/${name}`, at, 4096);
    assert.ok(data.subarray(at, at + 4096).equals(part), name);
    const { inflatedBytes } = volume.stats();
    assert.ok(inflatedBytes < 2 * SEGMENT, `${name}: ${inflatedBytes} bytes were inflated`);
    assert.ok(data.equals(await volume.get(`/${name}`)), name);
  }
});

test("many small parts make a file whole that fits into caches, and none that does not", async (t) => {
  const random = seeded(1707);
  const sample = await sampleOf(t, 2 * MIB, random);
  const [name, data] = [...sample.contents].find(([each]) => sample.depths.get(each)! > 0)!;
  await using volume = await open(sample.image);
  for (let count = 0; count < 60; count++) {
    const at = random(data.length);
    assert.ok(data.subarray(at, at + 99).equals(await volume.getPartial(`/${name}`, at, 99)), `${at}`);
  }
  const { inflatedBytes } = volume.stats();
  for (let count = 0; count < 60; count++) await volume.getPartial(`/${name}`, random(data.length), 99);
  assert.equal(volume.stats().inflatedBytes, inflatedBytes);
  assert.ok(inflatedBytes < 2.5 * data.length, `${inflatedBytes} bytes were inflated`);
});

test("records of deltas name the points of their base, which --add and verify find again", async (t) => {
  const random = seeded(1708);
  const { path, image, depths } = await sampleOf(t, 2 * MIB, random);
  const { records } = decodeLayout(image);
  const whole = records.find((each) => depths.get(each.path) === 0)!;
  for (const record of records) {
    assert.deepEqual(record.seek, whole.seek, record.path);
    assert.deepEqual(record.seekIn, { offset: whole.offset, length: whole.length }, record.path);
  }
  await checkLayout(path);
  await stripLayout(path);
  await addLayout(path);
  assert.deepEqual(readFileSync(path), image);
  assert.deepEqual((await verify(image)).findings, []);
});

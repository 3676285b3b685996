/** Parts of a large file that is a delta: what they ask a device for, and records that lead to wrong points. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DocteurError, open, type Volume } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { content } from "../support/large-files.js";
import { decodeLayout, type LayoutRecord } from "../support/layout-decoder.js";
import { Section } from "../support/layout-section.js";
import { seeded } from "../support/random.js";
import { RangeServer } from "../support/range-server.js";
import { TripDevice } from "../support/trip-device.js";
import { editedVersion } from "../support/versions.js";

const MIB = 1 << 20;
const PART = 4096;
const old = content(4 * MIB, seeded(1));
const fresh = editedVersion(old, seeded(2), 9);
/** Enough other files that the page of the path is not that of the tail. */
const others = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`o${index}`, `${index}`]));
const made = await makeImage({ old, fresh, "a-noise": content(3 * MIB, seeded(3)), ...others });
const image = Buffer.from(made.image);
const { records } = decodeLayout(image);
const recordOf = (path: string): LayoutRecord => records.find((each) => each.path === path)!;
const isDelta = (path: string): boolean => recordOf(path).seekIn!.offset !== recordOf(path).offset;
const path = isDelta("fresh") ? "fresh" : "old";
const data = path === "fresh" ? fresh : old;
const record = recordOf(path);
const { offset, length } = record.seekIn!;
const noise = recordOf("a-noise");
/** The number in a record that leads to seek records. */
const seekOf = ({ seek }: LayoutRecord, more = 0): number =>
  16 * (seek!.first + more) + seek!.segment / 65_536 - 1;

/** A number in so many bytes, of which the last ones may be zero. */
function varint(value: number, length: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; bytes.length < length; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes[length - 1]! &= 127;
  return bytes;
}

const lengthOf = (value: number): number => Math.max(1, Math.ceil(Math.log2(value + 1) / 7));

/** The image with other numbers in the record of the delta, its checksums right. */
function withRecord(seek: number, offset: number, length: number): Uint8Array {
  const { leaf, from, to } = record.seekTold!;
  const distance = offset - record.offset;
  const values = [seek, distance < 0 ? -2 * distance - 1 : 2 * distance, length];
  const lengths = values.map(lengthOf);
  lengths[0]! += to - from - lengths.reduce((sum, each) => sum + each, 0);
  assert.ok(lengths[0]! >= lengthOf(seek), `${values} have no room`);
  const told = values.flatMap((value, index) => varint(value, lengths[index]!));
  const section = new Section(image);
  section.patchPage(leaf, (page) => page.set(told, from));
  return section.bytes;
}

async function checkPart(volume: Volume, at: number, size = PART): Promise<void> {
  const part = await volume.getPartial(`/${path}`, at, size);
  assert.ok(data.subarray(at, at + size).equals(part), `${size} bytes at ${at}`);
}

test("the sample is a delta of a file with seek points", () => {
  assert.ok(isDelta(path) && isDelta("old") !== isDelta("fresh"));
  assert.ok(withRecord(seekOf(record), offset, length).every((byte, at) => byte === image[at]));
});

for (const { label, module } of await coreVariants())
  describe(label, () => {
    test("a part takes one round trip after the look-up, and little more than its segment", async () => {
      const random = seeded(4);
      const count = 10;
      let trips = 0;
      let bytes = 0;
      for (let place = 0; place < count; place++) {
        const device = new TripDevice(image);
        await using volume = await open(device, { module });
        await volume.stat(`/${path}`);
        for (let part = 0; part < 2; part++) {
          const before = { trips: device.trips, bytes: device.bytes };
          await checkPart(volume, random(data.length - PART));
          trips += device.trips - before.trips;
          // A part may come from two segments: across a border, or where the delta goes to another place.
          assert.ok(device.trips - before.trips <= 3, `${device.trips - before.trips} trips`);
          bytes += device.bytes - before.bytes;
        }
      }
      assert.ok(trips <= 2 * count + 4, `${trips} trips`);
      assert.ok(bytes < (2 * count * length) / 4, `${bytes} bytes`);
    });

    test("the whole of it is asked for ahead, as far as the cache has room", async () => {
      const device = new TripDevice(image);
      await using volume = await open(device, { module });
      await volume.stat(`/${path}`);
      const { trips } = device;
      assert.ok(data.equals(await volume.get(`/${path}`)));
      assert.ok(device.trips - trips <= 4, `${device.trips - trips} trips`);
    });

    test("a record with another entry or length: the bytes are right", async () => {
      const seek = seekOf(record);
      const forged: [seek: number, offset: number, length: number][] = [
        [seek, noise.offset, noise.seekIn!.length],
        [seekOf(noise), noise.offset, noise.seekIn!.length],
        [seek, record.offset, length],
        [seek, recordOf("o1").offset, length],
        [seek, 0, length],
        [seek, image.length, 1],
        [seek, offset, 1],
        [seek, offset, 0],
        [seek, offset, length - 1],
        [seek, offset, length + 1],
        [seek, offset, 2 * image.length],
      ];
      for (const numbers of forged)
        await readForged(numbers, module, async (volume, at) => {
          await checkPart(volume, at);
        });
    });

    test("a record with other points: bytes or typed errors, and an end", async () => {
      // What is forged well is found by a proof alone.
      const seeks = [seekOf(record, 1), seekOf(record, 2), seekOf(noise), seekOf(noise, 1), 0, 15, 127];
      const fitting = seeks.filter((seek) => lengthOf(seek) <= lengthOf(seekOf(record)));
      assert.ok(fitting.length >= 4);
      for (const seek of fitting)
        await readForged([seek, offset, length], module, async (volume, at) => {
          await volume
            .getPartial(`/${path}`, at, PART)
            .catch((error) => assert.ok(error instanceof DocteurError));
          await using proven = await open(withRecord(seek, offset, length), { module, proof: "oid" });
          await checkPart(proven, at);
        });
    });
  });

/** Reads parts of an image with other numbers in the record, over devices of both kinds. */
async function readForged(
  numbers: [seek: number, offset: number, length: number],
  module: WebAssembly.Module | undefined,
  read: (volume: Volume, at: number) => Promise<void>,
): Promise<void> {
  const bytes = withRecord(...numbers);
  for (const source of [bytes, new TripDevice(bytes)]) {
    await using volume = await open(source, { module });
    for (const at of [3 * MIB + 10_000, 100, data.length - 50, MIB + 9]) await read(volume, at);
  }
}

test("verify finds a record that leads elsewhere", async () => {
  for (const bytes of [
    withRecord(seekOf(record, 1), offset, length),
    withRecord(seekOf(record), noise.offset, length),
    withRecord(seekOf(record), offset, length - 1),
  ]) {
    const { status, findings } = await verify(bytes);
    assert.deepEqual([status, findings.map(({ code }) => code)], ["damaged", ["BadLayout"]]);
  }
});

test("over HTTP, a part of a delta takes a round trip after the look-up, or two where edits have moved it", async () => {
  const server = await new RangeServer(image).start();
  try {
    const random = seeded(5);
    let trips = 0;
    for (let place = 0; place < 10; place++) {
      await using volume = await open(server.url);
      const opened = volume.stats().remote!;
      await volume.stat(`/${path}`);
      assert.equal(volume.stats().remote!.requests, opened.requests, "a stat reads no content");
      await checkPart(volume, random(data.length - PART));
      const taken = volume.stats().remote!.roundTrips - opened.roundTrips;
      assert.ok(taken <= 2, `${taken} round trips`);
      trips += taken;
    }
    assert.ok(trips <= 13, `${trips} round trips for ten parts`);
  } finally {
    await server.stop();
  }
});

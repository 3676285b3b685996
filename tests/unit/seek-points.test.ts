/** Reading in the middle of large files by the seek points of the layout section; wrong points, and damage anywhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DocteurError, open, type Volume } from "../../src/index.js";
import { CELLS, FIELD, PAGE, SEEK } from "../../src/layout/format.js";
import { makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { noisyLines } from "../support/large-files.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { Section } from "../support/layout-section.js";
import { type Random, seeded } from "../support/random.js";
import { randomBytes } from "../support/similar.js";
import { SlowDevice } from "../support/slow-device.js";
import { TripDevice } from "../support/trip-device.js";

const PART = 4096;
const SEGMENT = 262_144;
const CELL = SEGMENT / CELLS;
const SEGMENTS = 9;
const data = noisyLines(SEGMENTS * SEGMENT - 1000, seeded(5));
const other = noisyLines(6 * SEGMENT, seeded(6));
const made = await makeImage({ f: data, other, small: "small", link: { link: "f" } });
const image = Buffer.from(made.image);
const layout = decodeLayout(image);
const recordOf = (path: string) => layout.records.find((each) => each.path === path)!;
const { seek, offset, length = 0 } = recordOf("f");
const { first } = seek!;
/** The place of each segment in the entry. */
const places = layout.seeks.slice(first, first + SEGMENTS).map(({ place }) => place);

/** The page of a seek record of `f`, and its offset there. */
function placeOf(section: Section, segment: number): { page: number; at: number } {
  const most = Math.floor((section.pageSize - PAGE.records) / SEEK.length);
  const number = first + segment;
  return {
    page: section.leaves + Math.floor(number / most),
    at: PAGE.records + SEEK.length * (number % most),
  };
}

/** Changes a seek record of `f`, and makes the page's checksum right. */
function patchSeek(section: Section, segment: number, change: (record: DataView) => void): void {
  const { page, at } = placeOf(section, segment);
  section.patchPage(page, ({ buffer, byteOffset }) =>
    change(new DataView(buffer, byteOffset + at, SEEK.length)),
  );
}

/** The image with another place of a segment of `f`. */
function withPlace(segment: number, place: bigint): Uint8Array {
  const section = new Section(image);
  patchSeek(section, segment, (record) => record.setBigUint64(SEEK.place, place, true));
  return section.bytes;
}

async function checkPart(volume: Volume, at: number, size = PART): Promise<void> {
  const part = await volume.getPartial("/f", at, size);
  assert.ok(data.subarray(at, at + size).equals(part), `${size} bytes at ${at}`);
}

/** @returns what is read, or the error's code */
async function attempt(volume: Volume, at: number, size: number): Promise<Uint8Array | string> {
  try {
    return await volume.getPartial("/f", at, size);
  } catch (error) {
    assert.ok(error instanceof DocteurError, String(error));
    return error.code;
  }
}

for (const { label, module } of await coreVariants())
  describe(label, () => {
    test("parts at random are those of the file, alone and by turns", async () => {
      const random = seeded(7);
      await using volume = await open(image, { module });
      for (let count = 0; count < 60; count++)
        await checkPart(volume, random(data.length), random(4) ? PART : SEGMENT + random(SEGMENT));
      for (let at = 0; at < 4 * PART; at += PART) {
        await checkPart(volume, at + 2 * SEGMENT - PART);
        await checkPart(volume, at + 7 * SEGMENT - PART);
      }
      await using slow = await open(new SlowDevice(image, 3), { module });
      for (let count = 0; count < 3; count++) await checkPart(slow, random(data.length), 1 + random(100_000));
      const parts = Array.from({ length: 20 }, () => random(data.length));
      await using trips = await open(new TripDevice(image), { module });
      await Promise.all(parts.map((at) => checkPart(trips, at, 300_000)));
      assert.equal(trips.layout, "used");
    });

    test("part after part from the middle to the end, in a small memory", async () => {
      await using volume = await open(new TripDevice(image), { module, memoryLimit: 2 << 20 });
      for (let at = 3 * SEGMENT + 77; at < data.length; at += 100_000) await checkPart(volume, at, 100_000);
      assert.equal(volume.layout, "used");
    });

    test("a part takes the bytes of its segment, and one round trip after its record", async () => {
      const device = new TripDevice(image);
      await using volume = await open(device, { module });
      await volume.stat("/f");
      const { trips, bytes } = device;
      const last = places.length - 1;
      for (const index of [5, 2, last, 0]) {
        const before = { trips: device.trips, bytes: device.bytes };
        await checkPart(volume, index * SEGMENT + 150_000);
        const next = places[index + 1] ?? length;
        // The first part also needs the page of records, which comes with the entry's header.
        const most = index === 5 ? 3 : placeOf(new Section(image), index).page === layout.leaves ? 1 : 2;
        assert.ok(device.trips - before.trips <= most, `${index}: ${device.trips - before.trips} trips`);
        assert.ok(device.bytes - before.bytes <= next - places[index]! + 6 * PART, `${index}`);
      }
      assert.ok(device.trips - trips <= 6);
      assert.ok(device.bytes - bytes < length);
      // In the same segment nothing more is asked for.
      const { trips: now } = device;
      await checkPart(volume, 150_000);
      await checkPart(volume, 100_000);
      assert.equal(device.trips, now);
    });

    test("a part inflates its segment up to the end of its cell", async () => {
      await using volume = await open(image, { module });
      await volume.stat("/f");
      const inflated = (): number => volume.stats().inflatedBytes;
      for (const at of [0, CELL - 1, 5 * SEGMENT + 3 * CELL + 1, 7 * SEGMENT - 1, 6 * SEGMENT]) {
        const before = inflated();
        await checkPart(volume, at, 1);
        const cells = Math.floor((at % SEGMENT) / CELL) + 1;
        assert.ok(inflated() - before <= cells * CELL, `${inflated() - before} bytes for the one at ${at}`);
      }
    });

    test("with a proof, and in other modes, the points are not used, and bytes are the same", async () => {
      for (const options of [
        { proof: "oid" },
        { proof: "crc" },
        { mode: "fast" },
        { mode: "analyze" },
      ] as const) {
        await using volume = await open(withPlace(4, 99n), { module, ...options });
        await checkPart(volume, 4 * SEGMENT + 1);
      }
    });

    test("a place out of the entry: the file is read from its start, and the section is damaged", async () => {
      const wrong = [0n, BigInt(length), BigInt(2 ** 40), 2n ** 63n, 2n ** 64n - 1n, BigInt(places[5]!)];
      for (const place of wrong)
        for (const source of [withPlace(4, place), new TripDevice(withPlace(4, place))]) {
          await using volume = await open(source, { module });
          await checkPart(volume, 4 * SEGMENT + 10_000);
          assert.equal(volume.layout, "damaged", `${place}`);
          await checkPart(volume, 7 * SEGMENT);
          await checkPart(volume, 4 * SEGMENT - PART);
          assert.equal(Buffer.from(await volume.get("/small")).toString(), "small");
        }
    });

    test("a place elsewhere in the entry is an error, and the rest can be read", async () => {
      const flush = places[4]!;
      for (const place of [places[3]! + 1, flush - 9, flush - 1, flush + 1, flush + 999, places[5]! - 1])
        for (const source of [withPlace(4, BigInt(place)), new TripDevice(withPlace(4, BigInt(place)))]) {
          await using volume = await open(source, { module });
          for (let round = 0; round < 2; round++) {
            assert.equal(typeof (await attempt(volume, 4 * SEGMENT + 10_000, PART)), "string", `${place}`);
            await checkPart(volume, 7 * SEGMENT);
            await checkPart(volume, 3 * SEGMENT);
          }
          // From the segment before, the place is passed.
          await checkPart(volume, 4 * SEGMENT - PART);
          await checkPart(volume, 4 * SEGMENT + 10_000);
          assert.ok(data.equals(await volume.get("/f")));
          assert.equal(volume.layout, "used");
        }
    });

    test("a place before an empty stored block leads to the same bytes", async () => {
      // Noise is stored, so that blocks begin at bytes.
      const noise = randomBytes(seeded(8), 6 * SEGMENT);
      const { image: sound } = await makeImage({ noise });
      const section = new Section(sound);
      section.patchPage(section.leaves, (_, view) => {
        const at = PAGE.records + SEEK.length + SEEK.place;
        view.setBigUint64(at, view.getBigUint64(at, true) - 5n, true);
      });
      await using volume = await open(section.bytes, { module });
      const part = await volume.getPartial("/noise", SEGMENT + 9, 9);
      assert.ok(noise.subarray(SEGMENT + 9, SEGMENT + 18).equals(part));
      assert.equal((await verify(section.bytes)).status, "damaged");
    });

    test("every checksum is looked at: a wrong one is an error in its cell and the next", async () => {
      for (const [segment, cell] of [
        [0, 1],
        [0, 15],
        [3, 0],
        [3, 9],
        [8, 15],
      ] as const) {
        const section = new Section(image);
        patchSeek(section, segment, (record) => {
          const at = SEEK.checksums + 4 * cell;
          record.setUint32(at, record.getUint32(at, true) ^ 0x10000, true);
        });
        const at = segment * SEGMENT + cell * CELL;
        for (const place of [at - 10, at - CELL + 10]) {
          await using volume = await open(section.bytes, { module });
          assert.equal(await attempt(volume, place, 5), "BadAdler", `${segment}, ${cell}: ${place}`);
          await checkPart(volume, at - CELL - 10, 10).catch((error) => {
            if (at > CELL) throw error;
          });
          assert.equal(volume.layout, "used");
        }
        await using whole = await open(section.bytes, { module });
        await assert.rejects(whole.get("/f"), { code: "BadAdler" });
      }
    });

    test("pages of records that are damaged, missing, or of another kind", async () => {
      const changes: ((section: Section) => void)[] = [
        (section) => (section.page(placeOf(section, 6).page)[100]! ^= 1),
        (section) => section.patchPage(placeOf(section, 6).page, (page) => (page[PAGE.level] = 0)),
        (section) =>
          section.patchPage(placeOf(section, 6).page, (_, view) =>
            view.setUint16(PAGE.used, PAGE.records, true),
          ),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.seekPages, 0, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.seekPages, 0xffffffff, true)),
      ];
      for (const [index, change] of changes.entries()) {
        const section = new Section(image);
        change(section);
        await using volume = await open(section.bytes, { module });
        await checkPart(volume, 6 * SEGMENT - 100, 200);
        await checkPart(volume, 8 * SEGMENT);
        assert.equal(volume.layout, "damaged", `${index}`);
        const report = await verify(section.bytes);
        assert.deepEqual(
          report.findings.map(({ code }) => code),
          ["BadLayout"],
        );
      }
    });

    test("damage of the entry: a part is right, or an error, wherever it is and however it is reached", async () => {
      const random = seeded(8);
      for (let count = 0; count < 24; count++) {
        const damaged = Buffer.from(image);
        const segment = count % SEGMENTS;
        const end = places[segment + 1] ?? length;
        damaged[28 + offset + places[segment]! + random(end - places[segment]!)]! ^= 1 << random(8);
        const source = count % 2 === 0 ? damaged : new SlowDevice(damaged, random(1000));
        await using volume = await open(source, { module });
        const parts = Array.from({ length: 6 }, () => segment * SEGMENT + random(SEGMENT - PART));
        const results = await Promise.all(parts.map((at) => attempt(volume, at, PART)));
        for (const [index, result] of results.entries()) {
          const at = parts[index]!;
          if (typeof result !== "string") assert.ok(data.subarray(at, at + PART).equals(result), `${at}`);
        }
        assert.equal(typeof (await attempt(volume, 0, data.length)), "string");
        await checkPart(volume, ((segment + 2) % SEGMENTS) * SEGMENT);
        assert.equal(volume.layout, "used");
      }
    });

    test("a cell that comes in several round trips is shown only when it is whole", async () => {
      // Noise is stored: a byte that is wrong changes nothing else.
      const noise = randomBytes(seeded(18), 4 * SEGMENT);
      const { image: sound } = await makeImage({ noise });
      const { records, seeks } = decodeLayout(sound);
      const start = 28 + records[0]!.offset + seeks[1]!.place;
      let errors = 0;
      for (let cell = 0; cell < CELLS; cell++) {
        const damaged = Buffer.from(sound);
        damaged[start + cell * CELL + 200]! ^= 1;
        await using volume = await open(new TripDevice(damaged), { module });
        // Reads go on from the segment before, so that nothing is asked for at a point.
        for (let at = SEGMENT - 2 * PART; at < 2 * SEGMENT; at += PART)
          try {
            const part = await volume.getPartial("/noise", at, PART);
            assert.ok(noise.subarray(at, at + PART).equals(part), `cell ${cell}: wrong bytes at ${at}`);
          } catch (error) {
            if (!(error instanceof DocteurError)) throw error;
            errors++;
          }
      }
      // What follows in the segment is not reached.
      assert.equal(errors, ((CELLS * (CELLS + 1)) / 2) * (CELL / PART));
    });

    test("random records with right checksums: bytes or typed errors, and an end", async () => {
      const random: Random = seeded(9);
      for (let round = 0; round < 25; round++) {
        const section = new Section(image);
        for (let segment = 0; segment < SEGMENTS; segment++)
          patchSeek(section, segment, (record) => {
            const any = places[random(SEGMENTS)]!;
            if (random(2))
              record.setBigUint64(SEEK.place, BigInt(random(2) ? any : random(2 * length)), true);
            if (random(4) === 0) record.setUint32(SEEK.checksums + 4 * random(CELLS), random(2 ** 31), true);
          });
        await using volume = await open(round % 2 ? section.bytes : new TripDevice(section.bytes), {
          module,
        });
        for (let count = 0; count < 4; count++)
          await attempt(volume, random(data.length), 1 + random(2 * SEGMENT));
      }
    });
  });

test("verify finds every record that is wrong", async () => {
  for (let index = 0; index < SEGMENTS; index++)
    for (const place of [places[index]! - 1, places[index]! + 1, places[(index + 1) % SEGMENTS]!, 0]) {
      const { status, findings } = await verify(withPlace(index, BigInt(place)));
      assert.deepEqual([status, findings.map(({ code }) => code)], ["damaged", ["BadLayout"]]);
    }
  for (let cell = 0; cell < CELLS; cell++) {
    const section = new Section(image);
    patchSeek(section, cell % SEGMENTS, (record) =>
      record.setUint8(SEEK.checksums + 4 * cell, record.getUint8(SEEK.checksums + 4 * cell) ^ 1),
    );
    assert.equal((await verify(section.bytes)).status, "damaged");
  }
});

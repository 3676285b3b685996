/** Reading in the middle of large files by the seek points of the layout section; wrong points, and damaged ones. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DocteurError, open, type Volume } from "../../src/index.js";
import { FIELD, PAGE, SEGMENT } from "../../src/layout/format.js";
import { makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { content } from "../support/large-files.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { Section } from "../support/layout-section.js";
import { type Random, seeded } from "../support/random.js";
import { randomBytes } from "../support/similar.js";
import { SlowDevice } from "../support/slow-device.js";
import { TripDevice } from "../support/trip-device.js";

const PART = 4096;
const SEGMENTS = 9;
const data = content(SEGMENTS * SEGMENT - 1000, seeded(5));
const other = content(3 * SEGMENT, seeded(6));
const made = await makeImage({ f: data, other, small: "small", link: { link: "f" } });
const image = Buffer.from(made.image);
const layout = decodeLayout(image);
const recordOf = (path: string) => layout.records.find((each) => each.path === path)!;
const { seek, offset, length = 0 } = recordOf("f");
const points = layout.points.slice(seek!, seek! + SEGMENTS - 1);

/** The image with another point in place of one of `f`, its checksum right. */
function withPoint(index: number, point: bigint): Uint8Array {
  const section = new Section(image);
  section.patchPage(section.leaves, (_, view) =>
    view.setBigUint64(PAGE.records + 8 * (seek! + index), point, true),
  );
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

    test("a part takes the bytes of its segment, and one round trip after its points", async () => {
      const device = new TripDevice(image);
      await using volume = await open(device, { module });
      await volume.stat("/f");
      const { trips, bytes } = device;
      const last = points.length - 1;
      for (const index of [4, 1, last, last - 1]) {
        const before = { trips: device.trips, bytes: device.bytes };
        await checkPart(volume, (index + 1) * SEGMENT + 300_000);
        const next = points[index + 1] ?? length;
        // The first part also needs the page of points, which comes with the entry's header.
        assert.ok(
          device.trips - before.trips <= (index === 4 ? 2 : 1),
          `${device.trips - before.trips} trips`,
        );
        assert.ok(device.bytes - before.bytes <= next - points[index]! + 5 * PART, `${index}`);
      }
      assert.ok(device.trips - trips <= 5);
      assert.ok(device.bytes - bytes < length);
      // In the same segment nothing more is asked for.
      const { trips: now } = device;
      await checkPart(volume, last * SEGMENT + 300_000);
      await checkPart(volume, last * SEGMENT + 100_000);
      assert.equal(device.trips, now);
    });

    test("with a proof, and in other modes, the points are not used, and bytes are the same", async () => {
      for (const options of [
        { proof: "oid" },
        { proof: "crc" },
        { mode: "fast" },
        { mode: "analyze" },
      ] as const) {
        await using volume = await open(withPoint(3, 99n), { module, ...options });
        await checkPart(volume, 4 * SEGMENT + 1);
      }
    });

    test("a wrong point: the file is read from its start, and the section is damaged", async () => {
      const flush = points[3]!;
      const wrong = [
        0n,
        1n,
        4n,
        5n,
        BigInt(flush - 1),
        BigInt(flush + 1),
        BigInt(length - 4),
        BigInt(length),
      ];
      wrong.push(BigInt(2 ** 40), 2n ** 63n, 2n ** 64n - 1n, 2n ** 32n + BigInt(flush), BigInt(points[4]!));
      for (const point of wrong)
        for (const source of [withPoint(3, point), new TripDevice(withPoint(3, point))]) {
          await using volume = await open(source, { module });
          await checkPart(volume, 4 * SEGMENT + 10_000);
          assert.equal(volume.layout, "damaged", `${point}`);
          await checkPart(volume, 7 * SEGMENT);
          await checkPart(volume, 4 * SEGMENT - PART);
          assert.equal(Buffer.from(await volume.get("/small")).toString(), "small");
        }
    });

    test("a point before an empty stored block, from where the next one could be reached, is none", async () => {
      // Noise is stored, so that blocks begin at bytes.
      const noise = randomBytes(seeded(8), 3 * SEGMENT);
      const { image: sound } = await makeImage({ noise });
      const section = new Section(sound);
      section.patchPage(section.leaves, (_, view) => {
        const point = view.getBigUint64(PAGE.records, true);
        view.setBigUint64(PAGE.records, point - 5n, true);
      });
      await using volume = await open(section.bytes, { module });
      assert.equal(volume.layout, "used");
      const part = await volume.getPartial("/noise", SEGMENT + 9, 9);
      assert.ok(noise.subarray(SEGMENT + 9, SEGMENT + 18).equals(part));
      assert.equal(volume.layout, "damaged");
    });

    test("a point of another segment is found out where the segment ends", async () => {
      await using volume = await open(withPoint(3, BigInt(points[2]!)), { module });
      await checkPart(volume, 5 * SEGMENT - 10);
      assert.equal(volume.layout, "damaged");
    });

    test("pages of points that are damaged, missing, or of another kind", async () => {
      const changes: ((section: Section) => void)[] = [
        (section) => (section.page(section.leaves)[100]! ^= 1),
        (section) => section.patchPage(section.leaves, (page) => (page[PAGE.level] = 0)),
        (section) =>
          section.patchPage(section.leaves, (_, view) => view.setUint16(PAGE.used, PAGE.records, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.seekPages, 0, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.segment, SEGMENT / 2, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.segment, 4096, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.segment, 0xffffffff, true)),
        (section) => section.patchFooter((view) => view.setUint32(FIELD.seekPages, 0xffffffff, true)),
      ];
      for (const change of changes) {
        const section = new Section(image);
        change(section);
        await using volume = await open(section.bytes, { module });
        await checkPart(volume, 6 * SEGMENT - 100, 200);
        await checkPart(volume, 8 * SEGMENT);
        const report = await verify(section.bytes);
        assert.deepEqual(
          report.findings.map(({ code }) => code),
          ["BadLayout"],
        );
      }
    });

    test("damage behind a point is an error with a name, or is not met", async () => {
      const random = seeded(8);
      for (let count = 0; count < 20; count++) {
        const damaged = Buffer.from(image);
        damaged[28 + offset + points[3]! + random(points[4]! - points[3]!)]! ^= 1 << random(8);
        await using volume = await open(damaged, { module });
        await attempt(volume, 4 * SEGMENT + random(SEGMENT), PART);
        assert.equal(typeof (await attempt(volume, 0, data.length)), "string");
        await checkPart(volume, 3 * SEGMENT);
      }
    });

    test("random points with right checksums: bytes or typed errors, and an end", async () => {
      const random: Random = seeded(9);
      for (let round = 0; round < 25; round++) {
        const section = new Section(image);
        section.patchPage(section.leaves, (_, view) => {
          for (let index = 0; index < layout.points.length; index++)
            if (random(2))
              view.setBigUint64(
                PAGE.records + 8 * index,
                random(2) ? BigInt(layout.points[random(layout.points.length)]!) : BigInt(random(2 * length)),
                true,
              );
        });
        await using volume = await open(round % 2 ? section.bytes : new TripDevice(section.bytes), {
          module,
        });
        for (let count = 0; count < 4; count++)
          await attempt(volume, random(data.length), 1 + random(2 * SEGMENT));
      }
    });
  });

test("verify finds every point that is wrong", async () => {
  for (let index = 0; index < points.length; index++)
    for (const point of [points[index]! - 1, points[index]! + 1, points[(index + 1) % points.length]!, 0]) {
      const { status, findings } = await verify(withPoint(index, BigInt(point)));
      assert.deepEqual([status, findings.map(({ code }) => code)], ["damaged", ["BadLayout"]]);
    }
});

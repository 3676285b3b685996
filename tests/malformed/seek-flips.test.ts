/**
 * Single-bit damage of a large file's entry, and of its seek records: parts that are read without proof are right, or end in
 * a typed error. No bit is left out.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError, open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { coreVariants } from "../support/core.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";

const PACK = 28;
const PART = 512;
/** One in so many cases is read through a slow device. */
const SLOW = 16;

/** A file that deflates to little, so that all bits of its entry can be tried: three segments, the last one short. */
async function sample() {
  const random = seeded(21);
  const words = Array.from({ length: 40 }, () => random(2 ** 31).toString(36));
  const line = (): string => `${Array.from({ length: 9 }, () => words[random(40)]).join(" ")}\n`;
  const block = Array.from({ length: 12 }, line).join("");
  const data = Buffer.from(block.repeat(3000).slice(0, 524_288 + 70_000), "latin1");
  for (let at = 9999; at < data.length; at += 9999) data[at] = random(256);
  const { image } = await makeImage({ "a/large": data, small: "small" }, { seek: 0 });
  const layout = decodeLayout(image);
  const { seek, offset, length } = layout.records.find(({ path }) => path === "a/large")!;
  const { first, segment } = seek!;
  const count = Math.ceil(data.length / segment);
  const places = layout.seeks.slice(first, first + count).map(({ place }) => place);
  return { image: Buffer.from(image), data, layout, entry: PACK + offset, length: length!, segment, places };
}

type Sample = Awaited<ReturnType<typeof sample>>;

/** Reads parts. @returns how many of them end in an error */
async function readParts(
  { data }: Sample,
  image: Uint8Array,
  module: WebAssembly.Module,
  parts: readonly number[],
  number: number,
): Promise<number> {
  await using volume = await open(number % SLOW === 0 ? new SlowDevice(image, number) : image, { module });
  let errors = 0;
  for (const at of parts)
    try {
      const part = await volume.getPartial("/a/large", at, PART);
      assert.ok(data.subarray(at, at + PART).equals(part), `case ${number}: wrong bytes at ${at}`);
    } catch (error) {
      if (!(error instanceof DocteurError)) throw error;
      errors++;
    }
  return errors;
}

test("every bit of a large file's entry, turned: parts are right or an error", async (t) => {
  const made = await sample();
  const { image, data, entry, length, segment, places } = made;
  const variants = await coreVariants();
  const random = seeded(1);
  let errors = 0;
  let cases = 0;
  const bytes = Buffer.from(image);
  for (let at = 0; at < length; at++) {
    const within =
      Math.max(
        0,
        places.findLastIndex((place) => place <= at),
      ) * segment;
    for (let bit = 0; bit < 8; bit++) {
      bytes[entry + at]! ^= 1 << bit;
      // One in the segment that is hit, and one anywhere.
      const end = Math.min(segment, data.length - within) - PART;
      const parts = [within + random(end), random(data.length - PART)];
      const { module } = variants[(at + bit) % variants.length]!;
      errors += await readParts(made, bytes, module, parts, cases++);
      bytes[entry + at]! ^= 1 << bit;
    }
  }
  assert.ok(bytes.equals(image));
  assert.ok(errors > cases / 2, `${errors} errors`);
  t.diagnostic(`${cases} bits turned, ${errors} errors`);
});

test("every bit of the seek records, turned: parts are right", async () => {
  const made = await sample();
  const { image, data, layout } = made;
  const variants = await coreVariants();
  const random = seeded(2);
  const bytes = Buffer.from(image);
  const page = layout.firstPage + layout.leaves * layout.pageSize;
  for (let bit = 0; bit < layout.pageSize * 8; bit++) {
    bytes[page + (bit >> 3)]! ^= 1 << (bit & 7);
    const { module } = variants[bit % variants.length]!;
    const errors = await readParts(made, bytes, module, [random(data.length - PART)], bit);
    assert.equal(errors, 0, `bit ${bit}`);
    bytes[page + (bit >> 3)]! ^= 1 << (bit & 7);
  }
});

/** Sketches of contents, and estimates of how well they deflate. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { packProbes } from "../support/pack-delta.js";
import { type Random, seeded } from "../support/random.js";
import { edited, randomBytes, randomText } from "../support/similar.js";

const SEED = 7919;
const probes = packProbes();

function shared(a: number[], b: number[]): number {
  return a.filter((feature, at) => feature === b[at]).length;
}

function contents(random: Random): Buffer[] {
  const made: Buffer[] = [];
  for (const size of [0, 1, 15, 16, 17, 31, 64, 100, 1000, 5000, 70_000])
    made.push(
      randomBytes(random, size),
      randomBytes(random, size, 3),
      randomText(random, size),
      Buffer.alloc(size),
    );
  return made;
}

test("every build makes the same sketches and estimates", () => {
  for (const content of contents(seeded(SEED))) {
    const [first, ...others] = probes.map((probe) => [
      probe.sketch(content),
      probe.deflatedLen(content),
      probe.deflatedLen(content, true),
      // Again, after others: what was in the tables before has no part in it.
      probe.deflatedLen(content),
    ]);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(first![1], first![3]);
  }
});

for (const probe of probes.slice(-1)) {
  test(`${probe.label}: content that is too short for a window has no features, any longer has all`, () => {
    assert.ok(probe.sketch(Buffer.from("fifteen bytes..")).every((feature) => feature === 0));
    for (const text of ["sixteen bytes...", "the first of two windows", "x".repeat(90)]) {
      const features = probe.sketch(Buffer.from(text));
      assert.equal(features.length, 16);
      assert.ok(features.every((feature) => feature !== 0 && feature !== 0xffffffff));
    }
  });

  test(`${probe.label}: features are shared as far as content is`, () => {
    const random = seeded(SEED);
    let near = 0;
    let half = 0;
    let unlike = 0;
    for (let round = 0; round < 30; round++) {
      const text = randomText(random, 6000);
      const other = randomText(random, 6000);
      const sketch = probe.sketch(text);
      near += shared(sketch, probe.sketch(edited(random, text, 2)));
      half += shared(sketch, probe.sketch(Buffer.concat([text.subarray(0, 4500), other.subarray(4500)])));
      unlike += shared(sketch, probe.sketch(randomBytes(random, 6000)));
    }
    assert.ok(near > 30 * 13, `${near} of 480 features of a slightly edited text`);
    assert.ok(half > 30 * 6 && half < 30 * 13, `${half} of 480 where three quarters are the same`);
    assert.equal(unlike, 0);
  });

  test(`${probe.label}: estimates are near zlib's lengths`, () => {
    const random = seeded(SEED);
    for (const content of contents(random)) {
      const actual = deflateSync(content, { level: 9 }).length;
      const estimate = probe.deflatedLen(content);
      assert.ok(
        Math.abs(estimate - actual) <= 12 + actual * 0.2 + content.length / 400,
        `${estimate} for ${actual} of ${content.length}`,
      );
    }
    const large = Buffer.concat([randomText(random, 900_000), randomBytes(random, 400_000)]);
    const actual = deflateSync(large, { level: 9 }).length;
    const estimate = probe.deflatedLen(large, true);
    assert.ok(Math.abs(estimate - actual) <= actual * 0.25, `${estimate} for ${actual}, sampled`);
  });
}

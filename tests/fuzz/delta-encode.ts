/** Fuzzes the delta encoder: what it makes is read back by two readers, and is the same on every build. */
import assert from "node:assert/strict";
import { packProbes } from "../support/pack-delta.js";
import type { Random } from "../support/random.js";
import { edited, randomBytes, randomText } from "../support/similar.js";
import type { Target } from "./target.js";

function randomContent(random: Random): Buffer {
  const length = random(6) ? random(700) : random(random(4) ? 20_000 : 300_000);
  return random(2)
    ? randomText(random, length)
    : randomBytes(random, length, 1 + random(random(2) ? 4 : 256));
}

/** Pieces of the base among others, some of them again and again. */
function shuffled(random: Random, base: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let left = random(20); left > 0; left--) {
    const start = random(base.length + 1);
    const end = start + random(Math.min(base.length - start, random(4) ? 100 : 100_000) + 1);
    const piece = random(4) ? base.subarray(start, end) : randomBytes(random, random(200));
    for (let times = random(8) ? 1 : random(6); times > 0; times--) pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A case is a base and a target, on all four builds. */
export const deltaEncode: Target = async () => {
  const probes = packProbes();
  return async ({ random, keep, count }) => {
    const base = randomContent(random);
    const kind = random(3);
    const target =
      kind === 0
        ? randomContent(random)
        : kind === 1
          ? edited(random, base, random(12))
          : shuffled(random, base);
    keep(Buffer.concat([base, target]));
    const isFine = random(2) === 0;
    const room = random(3) ? target.length * 2 + 64 : random(target.length + 40);
    const [first, ...others] = probes.map((probe) => probe.encode(base, target, { room, isFine }));
    for (const other of others) assert.deepEqual(other, first, "every build makes the same delta");
    // An empty target has no delta of the four bytes that git asks for.
    if (target.length > 0 && room > target.length + target.length / 127 + 24)
      assert.ok(first !== undefined, "it fits");
    const [measured, ...again] = probes.map((probe) => probe.measure(base, target, 300_000));
    for (const other of again) assert.equal(other, measured, "every build comes to the same estimate");
    count(first === undefined ? "does not fit" : first.length < target.length / 2 ? "smaller" : "larger");
  };
};

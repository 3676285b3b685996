import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind } from "../../src/git/objects.js";
import type { FileRange } from "../../src/make/base/content.js";
import { buffersOf, packJob, unpackJob } from "../../src/make/pack/job-message.js";
import type { Job, JobObject } from "../../src/make/pack/jobs.js";
import { type Random, seeded } from "../support/random.js";

const KINDS: Kind[] = ["commit", "tree", "blob"];
const PATHS = ["/archive.tar", "/a/\xff\x00b", "/c"];

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

function randomObject(random: Random, index: number): JobObject {
  const object: JobObject = {
    index,
    kind: KINDS[random(3)]!,
    size: random(2) * 2 ** 40 + random(1000),
    content: {
      path: PATHS[random(PATHS.length)]!,
      offset: random(2) * 2 ** 40 + random(1000),
    },
  };
  if (random(2) === 0) {
    const number = (): bigint => BigInt(random(1000)) << BigInt(random(50));
    const stamp = { dev: number(), ino: number(), mtimeNs: -number(), ctimeNs: number() };
    object.content = { ...(object.content as FileRange), stamp: { ...stamp, followsLinks: random(2) === 0 } };
  }
  if (random(3) === 0) {
    // A view of more than itself: no byte of the rest is to go along.
    const length = random(50);
    object.content = randomBytes(random, length + 9).subarray(4, 4 + length);
    object.size = length;
  }
  if (random(2) === 0) object.oid = randomBytes(random, 20);
  if (random(2) === 0) object.wholeCost = random(2) === 0 ? 0 : 0xffffffff;
  return object;
}

test("a job comes out of its parcel as it went in, whatever its objects are", () => {
  const random = seeded(5);
  for (let round = 0; round < 300; round++) {
    const objects = Array.from({ length: random(40) }, (_, at) => randomObject(random, 7 * at));
    const jobs: Job[] = [
      { type: "survey", objects, seekMin: 1 << 20 },
      { type: "measure", objects, bases: Uint32Array.of(0, 7), targets: Uint32Array.of(7, 0) },
      {
        type: "encode",
        objects,
        tasks: [
          { target: 7, base: 0 },
          { target: 0, piece: { index: 3, hash: randomBytes(random, 20) } },
        ],
      },
    ];
    for (const job of jobs) {
      const parcel = packJob(job);
      const sent = structuredClone(parcel, { transfer: buffersOf(parcel) });
      assert.deepEqual(unpackJob(sent), job);
    }
  }
});

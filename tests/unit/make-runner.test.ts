import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { DocteurError } from "../../src/errors.js";
import { hexOid } from "../../src/git/oid.js";
import { type Contents, MemoryContent } from "../../src/make/base/content.js";
import { compilePacker } from "../../src/make/pack/compile-packer.js";
import { createEngine, type Engine } from "../../src/make/pack/engine.js";
import {
  type EncodeTask,
  type JobObject,
  PIECE_LEN,
  PIECED_MIN,
  pieceCount,
} from "../../src/make/pack/jobs.js";
import { JobRunner } from "../../src/make/pack/runner.js";
import { applyBody, readHeader } from "../support/delta-encoder.js";
import { noise } from "../support/families.js";
import { gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { edited, randomText } from "../support/similar.js";

/** Contents in memory that a test may change, and how often they were opened. */
class Changing implements Contents {
  opened = 0;
  readonly #now = new Map<Uint8Array, Uint8Array>();

  change(content: Uint8Array, now: Uint8Array): void {
    this.#now.set(content, now);
  }

  open(content: Uint8Array): MemoryContent {
    this.opened++;
    return new MemoryContent(this.#now.get(content) ?? content);
  }

  sha1 = () => createHash("sha1");
}

function objectOf(index: number, content: Buffer): JobObject {
  const oid = Buffer.from(gitOid("blob", content), "hex");
  return { index, kind: "blob", size: content.length, content, oid, wholeCost: content.length };
}

/** An engine of little memory. */
async function smallEngine(limit: number): Promise<Engine> {
  const engine = new WebAssembly.Instance(await compilePacker()).exports as unknown as Engine;
  engine.init(limit);
  return engine;
}

const CHANGED = { name: "DocteurError", code: "Io", message: /changed while it was packed/ };

test("a survey tells ids and the hashes of pieces; entries inflate to what they stand for", async () => {
  const random = seeded(1);
  const text = randomText(random, 30_000);
  const like = edited(random, text, 4);
  const large = noise(1, PIECED_MIN + 1);
  const contents = new Changing();
  const runner = new JobRunner(createEngine(await compilePacker()), contents);
  const objects = [text, like, Buffer.alloc(0), Buffer.of(7), large].map((content, at) =>
    objectOf(at, content),
  );
  const surveyed = runner.run({
    type: "survey",
    objects: objects.map(({ index, kind, size, content }) => ({ index, kind, size, content })),
  });
  for (const [at, { oid }] of objects.entries())
    assert.equal(hexOid(surveyed.oids.subarray(20 * at, 20 * at + 20)), hexOid(oid!));
  assert.deepEqual([...surveyed.pieceHashes.keys()], [4]);
  const hashes = surveyed.pieceHashes.get(4)!;
  assert.equal(hashes.length, 20 * pieceCount(large.length));
  const second = createHash("sha1")
    .update(large.subarray(PIECE_LEN, 2 * PIECE_LEN))
    .digest();
  assert.ok(second.equals(hashes.subarray(20, 40)));

  const tasks: EncodeTask[] = [{ target: 0 }, { target: 1, base: 0 }, { target: 2 }, { target: 3, base: 0 }];
  const { bytes, ends, deltaLens } = runner.run({
    type: "encode",
    objects,
    tasks,
  });
  const streams = Array.from(ends, (end, at) =>
    inflateSync(bytes.subarray(at === 0 ? 0 : ends[at - 1]!, end)),
  );
  assert.ok(streams[0]!.equals(text));
  assert.equal(streams[2]!.length, 0);
  // A delta of one byte would not pay.
  assert.deepEqual(streams[3], Buffer.of(7));
  assert.deepEqual([...deltaLens], [0, streams[1]!.length, 0, 0]);
  const delta = applyBody(streams[1]!.subarray(readHeader(streams[1]!)!.body), text, like.length);
  assert.ok(like.equals(delta!));
  // What is kept is not read again.
  const { opened } = contents;
  assert.deepEqual(runner.run({ type: "encode", objects, tasks }), {
    bytes,
    ends,
    deltaLens,
    adlers: new Uint32Array(4),
    pointCounts: new Uint32Array(4),
    points: new Uint32Array(0),
    markCounts: new Uint32Array(tasks.length),
    marks: new Uint32Array(0),
  });
  assert.equal(contents.opened, opened);
});

test("content that changed since its survey is noticed, whatever it is for, and the runner goes on", async () => {
  const random = seeded(2);
  const base = objectOf(0, randomText(random, 9000));
  const target = objectOf(1, edited(random, base.content as Buffer, 2));
  const large = objectOf(2, noise(1, PIECED_MIN + 1));
  const hash = createHash("sha1")
    .update((large.content as Buffer).subarray(PIECE_LEN, 2 * PIECE_LEN))
    .digest();
  const objects = [base, target, large];
  const cases: { tasks: EncodeTask[]; victim: JobObject; at: number }[] = [
    { tasks: [{ target: 0 }], victim: base, at: 0 },
    { tasks: [{ target: 1, base: 0 }], victim: base, at: 100 },
    { tasks: [{ target: 1, base: 0 }], victim: target, at: target.size - 1 },
    { tasks: [{ target: 2, piece: { index: 1, hash } }], victim: large, at: 2 * PIECE_LEN - 1 },
  ];
  for (const { tasks, victim, at } of cases) {
    const contents = new Changing();
    const runner = new JobRunner(createEngine(await compilePacker()), contents);
    const sound = runner.run({ type: "encode", objects, tasks });
    const others = new JobRunner(createEngine(await compilePacker()), contents);
    const now = Buffer.from(victim.content as Buffer);
    now[at]! ^= 1;
    contents.change(victim.content as Buffer, now);
    assert.throws(() => others.run({ type: "encode", objects, tasks }), CHANGED);
    // A second look finds the same, kept or not.
    assert.throws(() => others.run({ type: "encode", objects, tasks }), CHANGED);
    assert.deepEqual(others.run({ type: "encode", objects: [], tasks: [] }).bytes.length, 0);
    assert.ok(sound.bytes.length > 0);
  }
});

test("content that cannot be read leaves nothing behind that looks as if it had been", async () => {
  const random = seeded(3);
  const object = objectOf(0, randomText(random, 5000));
  const contents = new Changing();
  let isBroken = true;
  const runner = new JobRunner(createEngine(await compilePacker()), {
    sha1: contents.sha1,
    open: (content) => {
      const file = contents.open(content as Uint8Array);
      if (isBroken)
        file.read = () => {
          throw new DocteurError("Io", "the disk is broken");
        };
      return file;
    },
  });
  const pair = { bases: Uint32Array.of(0), targets: Uint32Array.of(0) };
  assert.throws(() => runner.run({ type: "measure", objects: [object], ...pair }), /the disk is broken/);
  isBroken = false;
  const { bytes } = runner.run({
    type: "encode",
    objects: [object],
    tasks: [{ target: 0 }],
  });
  assert.ok(inflateSync(bytes).equals(object.content as Buffer));
});

test("contents that are merely kept make room; what does not fit is an error, and smaller work goes on", async () => {
  const contents = new Changing();
  const runner = new JobRunner(await smallEngine(8 << 20), contents);
  const objects = Array.from({ length: 12 }, (_, at) => objectOf(at, noise(at, 1 << 20)));
  const tasks = objects.map((_, target) => ({ target }));
  for (let round = 0; round < 2; round++) {
    const { bytes, ends } = runner.run({ type: "encode", objects, tasks });
    for (const [at, { content }] of objects.entries())
      assert.ok(inflateSync(bytes.subarray(ends[at - 1] ?? 0, ends[at])).equals(content as Buffer));
  }
  const huge = [objectOf(20, noise(20, 4 << 20)), objectOf(21, noise(21, 4 << 20))];
  const isTooMuch = { name: "DocteurError", code: "OutOfMemory", message: /no memory to work on \d+ bytes/ };
  const pair = { bases: Uint32Array.of(20), targets: Uint32Array.of(21) };
  assert.throws(() => runner.run({ type: "measure", objects: huge, ...pair }), isTooMuch);
  assert.throws(
    () =>
      runner.run({
        type: "encode",
        objects: huge,
        tasks: [{ target: 21, base: 20 }],
      }),
    isTooMuch,
  );
  const after = runner.run({
    type: "encode",
    objects: [objects[3]!],
    tasks: [{ target: 3 }],
  });
  assert.ok(inflateSync(after.bytes).equals(objects[3]!.content as Buffer));
});

test("a hash may take memory of the engine's, and move all of it", async () => {
  const random = seeded(5);
  const engine = createEngine(await compilePacker());
  // Every hash takes more than there is room for.
  const sha1 = () => {
    engine.alloc(engine.memory.buffer.byteLength);
    return createHash("sha1");
  };
  const contents = new Changing();
  const runner = new JobRunner(engine, { sha1, open: (content) => contents.open(content as Uint8Array) });
  const object = objectOf(0, randomText(random, 5000));
  const surveyed = runner.run({ type: "survey", objects: [object] });
  assert.equal(hexOid(surveyed.oids), hexOid(object.oid!));
  const { bytes } = runner.run({
    type: "encode",
    objects: [object],
    tasks: [{ target: 0 }],
  });
  assert.ok(inflateSync(bytes).equals(object.content as Buffer));
});

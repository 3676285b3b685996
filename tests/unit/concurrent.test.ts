/** Several operations at once in one core: round trips, device reads and inflated bytes are counted, nothing is timed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DocteurError, open, type Volume } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { busyImage, LARGE_BYTES } from "../support/busy-image.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, copy, delta, insert, treeEntry } from "../support/crafted-image.js";
import { gitOid } from "../support/fixtures.js";
import { noise } from "../support/rich-image.js";
import { SlowDevice } from "../support/slow-device.js";
import { TripDevice } from "../support/trip-device.js";

const image = busyImage();
/** Pages of large files. */
const HELD = { first: 90, end: 150 };

/** The round trips that something takes in a volume that has just been opened. */
async function tripsOf(run: (volume: Volume) => Promise<unknown>): Promise<number> {
  const device = new TripDevice(image.bytes);
  const volume = await open(device);
  const before = device.trips;
  await run(volume);
  await volume.close();
  return device.trips - before;
}

const chain = [...image.files.keys()].filter((path) => path.startsWith("/deep/er/chain"));
const sixteen = [
  ...chain.slice(0, 6),
  ...[...image.files.keys()].filter((path) => !path.startsWith("/deep")).slice(0, 10),
];

test("sixteen files at once take no more round trips than the slowest alone", async () => {
  let slowest = 0;
  let sum = 0;
  for (const path of sixteen) {
    const trips = await tripsOf((volume) => volume.get(path));
    slowest = Math.max(slowest, trips);
    sum += trips;
  }
  const together = await tripsOf((volume) => Promise.all(sixteen.map((path) => volume.get(path))));
  assert.ok(together <= slowest * 1.25 && sum > slowest * 4, `${together}, slowest ${slowest}, sum ${sum}`);
});

test("an id and its offset come in one round trip, where the index spans many pages", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 6000 }, (_, index) => [`${index % 20}/${index % 300}/${index}`, `content ${index}`]),
  );
  const device = new TripDevice((await makeImage(files)).image);
  const volume = await open(device);
  assert.equal(Buffer.from(await volume.get("/7/207/4707")).toString(), "content 4707");
  // The head; the fanout, with the commit; then the root, two directories and the file: each its place, and its bytes.
  assert.ok(device.trips <= 2 + 4 * 2, `${device.trips} round trips`);
  await volume.close();
});

test("a hundred operations at once are right, and share the core fairly", async () => {
  const device = new TripDevice(image.bytes);
  const volume = await open(device);
  const order: number[] = [];
  const reads = Array.from({ length: 100 }, async (_, index) => {
    const path = chain[index % chain.length]!;
    const bytes = await volume.get(path);
    order.push(index);
    assert.ok(image.files.get(path)!.equals(bytes), path);
  });
  await Promise.all(reads);
  // What comes later may end earlier, but not before those that came long ago.
  for (const [place, index] of order.entries())
    assert.ok(index - place <= 32, `${index} ended as number ${place}`);
});

for (const { label, module } of await coreVariants()) {
  test(`operations that want one object load it once (${label})`, async () => {
    for (const path of ["/large/b1", chain.at(-1)!]) {
      const counts: [inflated: number, made: number, bytes: number][] = [];
      for (const readers of [1, 12]) {
        const device = new TripDevice(image.bytes);
        const volume = await open(device, { module });
        const before = volume.stats();
        const bytes = device.bytes;
        await Promise.all(Array.from({ length: readers }, () => volume.get(path)));
        const { inflatedBytes, deltaBytes } = volume.stats();
        counts.push([
          inflatedBytes - before.inflatedBytes,
          deltaBytes - before.deltaBytes,
          device.bytes - bytes,
        ]);
      }
      assert.deepEqual(counts[1], counts[0], path);
    }
  });

  test(`operations that want one large file proven hash it once (${label})`, async () => {
    const memoryLimit = 3 << 20;
    const inflated: number[] = [];
    for (const readers of [1, 2]) {
      const volume = await open(new TripDevice(image.bytes), { module, memoryLimit, proof: "oid" });
      const before = volume.stats().inflatedBytes;
      await Promise.all(Array.from({ length: readers }, () => volume.size("/large/a1")));
      inflated.push(volume.stats().inflatedBytes - before);
    }
    assert.equal(inflated[1], inflated[0]);
    assert.ok(inflated[0]! >= LARGE_BYTES);
  });

  test(`streams of large files by turns inflate nothing twice (${label})`, async () => {
    for (const device of [image.bytes, new TripDevice(image.bytes), new SlowDevice(image.bytes, 5)]) {
      const volume = await open(device, { module, memoryLimit: 8 << 20 });
      for (const index of [0, 1, 2, 3]) await volume.stat(`/large/a${index}`);
      const before = volume.stats().inflatedBytes;
      const streams = [0, 1, 2, 3].map((index) =>
        volume.stream(`/large/a${index}`).getReader({ mode: "byob" }),
      );
      const lengths = [0, 0, 0, 0];
      for (let left = streams.length; left > 0; )
        for (const [index, stream] of streams.entries()) {
          const { done, value } = await stream.read(new Uint8Array(10_000));
          if (done && value !== undefined) left--;
          const at = lengths[index]!;
          const expected = image.files.get(`/large/a${index}`)!.subarray(at, at + (value?.length ?? 0));
          assert.ok(expected.equals(value ?? new Uint8Array(0)));
          lengths[index]! += value?.length ?? 0;
        }
      assert.deepEqual(lengths, [LARGE_BYTES, LARGE_BYTES, LARGE_BYTES, LARGE_BYTES]);
      const inflated = volume.stats().inflatedBytes - before;
      assert.ok(inflated <= 4 * LARGE_BYTES + 1000, `${inflated} bytes`);
      await volume.close();
    }
  });

  test(`an answer that does not come holds up nobody else (${label})`, async () => {
    const device = new TripDevice(image.bytes);
    const volume = await open(device, { module });
    // In the middle of the two files, which lie behind two others of their kind.
    device.isHeldBack = (page) => page >= HELD.first && page < HELD.end;
    let hasCome = false;
    const controller = new AbortController();
    const late = volume.get("/large/a2").finally(() => {
      hasCome = true;
    });
    const cancelled = volume.get("/large/a3", { signal: controller.signal });
    for (const path of chain) assert.ok(image.files.get(path)!.equals(await volume.get(path)), path);
    assert.ok(!hasCome);
    controller.abort(new Error("enough"));
    await assert.rejects(cancelled, /enough/);
    device.letGo();
    assert.ok(image.files.get("/large/a2")!.equals(await late));
    await volume.close();
  });

  test(`where the operation that loads an object is cancelled another one takes over (${label})`, async () => {
    const device = new TripDevice(image.bytes);
    const volume = await open(device, { module });
    await volume.stat("/large/b2");
    device.isHeldBack = () => true;
    const controller = new AbortController();
    const first = volume.get("/large/b2", { signal: controller.signal });
    const others = [1, 2, 3].map(() => volume.get("/large/b2"));
    controller.abort(new Error("no more"));
    await assert.rejects(first, /no more/);
    device.letGo();
    for (const other of others) assert.ok(image.files.get("/large/b2")!.equals(await other));
    const { inflatedBytes } = volume.stats();
    assert.ok(inflatedBytes < 2 * LARGE_BYTES, `${inflatedBytes} bytes`);
  });

  test(`an operation that lacks memory beside others has it alone (${label})`, async () => {
    const volume = await open(new SlowDevice(image.bytes, 3), { module, memoryLimit: 2 << 20 });
    const paths = ["/large/b0", "/large/b1", "/large/b2", "/large/b3"];
    const [listed, ...contents] = await Promise.all([
      volume.list("/many", { limit: 3 }),
      ...[...paths, ...paths].map((path) => volume.get(path)),
    ]);
    assert.equal(listed.length, 3);
    for (const [index, content] of contents.entries())
      assert.ok(image.files.get(paths[index % 4]!)!.equals(content), paths[index % 4]);
    assert.ok(volume.stats().memoryBytes <= 2 << 20);
  });
}

test("a closed volume ends what waits, and what stands in the queue", async () => {
  const device = new TripDevice(image.bytes);
  const volume = await open(device);
  device.isHeldBack = () => true;
  const reads = Array.from({ length: 40 }, () => volume.get("/large/a0"));
  const ends = Promise.allSettled(reads);
  await volume.close();
  for (const end of await ends) {
    assert.equal(end.status, "rejected");
    assert.equal((end as PromiseRejectedResult).reason.code, "Closed");
  }
});

test("an abort in the queue leaves the others their turn, and one listener serves all", async () => {
  const device = new TripDevice(image.bytes);
  const volume = await open(device);
  device.isHeldBack = () => true;
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>): void => {
    listeners++;
    add(...given);
  };
  const reads = Array.from({ length: 40 }, (_, index) =>
    volume.get(chain[index]!, index % 3 === 0 ? { signal: controller.signal } : {}),
  );
  const ends = Promise.allSettled(reads);
  assert.equal(listeners, 1);
  controller.abort(new Error("no"));
  device.letGo();
  for (const [index, end] of (await ends).entries())
    assert.equal(end.status, index % 3 === 0 ? "rejected" : "fulfilled", String(index));
});

test("a device whose wait fails ends all that wait, each with its path, and serves again", async () => {
  let isBroken = false;
  class Breaking extends TripDevice {
    override ready(): Promise<void> {
      return isBroken ? Promise.reject(new Error("gone")) : super.ready();
    }
  }
  const volume = await open(new Breaking(image.bytes));
  isBroken = true;
  const ends = await Promise.allSettled(chain.slice(0, 20).map((path) => volume.get(path)));
  for (const [index, end] of ends.entries()) {
    const { reason } = end as PromiseRejectedResult as { reason: DocteurError };
    assert.deepEqual(
      [reason.code, reason.path, (reason.cause as Error).message],
      ["DeviceFailed", chain[index], "gone"],
    );
  }
  isBroken = false;
  assert.ok(image.files.get(chain[0]!)!.equals(await volume.get(chain[0]!)));
});

test("a root tree that is a ref-delta mounts over the slowest device", async () => {
  const crafted = new CraftedImage();
  const blob = crafted.object("blob", "content\n");
  const entry = (name: string): Buffer => treeEntry("100644", name, blob.oid);
  const longer = Buffer.concat([entry("a"), entry("b"), entry("c")]);
  const root = Buffer.concat([entry("a"), entry("b")]);
  // Sectors of their own for the base and for what is made of it.
  crafted.object("blob", noise(20_000, 8));
  const base = crafted.object("tree", longer);
  crafted.object("blob", noise(20_000, 9));
  const oid = gitOid("tree", root);
  const body = delta(
    longer.length,
    root.length,
    insert(root.subarray(0, 7).toString("latin1")),
    copy(7, root.length - 7),
  );
  crafted.refDelta(oid, base.oid, body);
  crafted.commit(oid);
  const { bytes } = crafted.finish();
  for (const mode of ["light", "fast", "analyze"] as const)
    for (let seed = 0; seed < 8; seed++) {
      const volume = await open(new SlowDevice(bytes, seed), { mode });
      assert.deepEqual(
        (await volume.list("/")).map(({ name }) => name),
        ["a", "b"],
        `${mode}, ${seed}`,
      );
      await volume.close();
    }
});

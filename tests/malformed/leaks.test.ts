/** Nothing leaks: over 10^5 operations, a fifth of which fail, Wasm memory, its heap, JavaScript's heap and open files stay what they were. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DocteurError, open, type Stats, type Volume } from "../../src/index.js";
import { loadGuest, run } from "../../src/tender/index.js";
import { FAILURES, FaultyDevice, LIES } from "../support/faulty-device.js";
import { fixturePath } from "../support/fixtures.js";
import { guestBytes } from "../support/guest-bytes.js";
import { type Random, seeded } from "../support/random.js";
import { richImage } from "../support/rich-image.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const OPERATIONS = 100_000;
/** What the first operations bring to memory once: compiled code, caches, hidden classes. */
const WARM_UP = 20_000;
/** JavaScript's heap is no exact measure: a leak of 20 bytes an operation is more. */
const SLACK = 1_500_000;

/** The buffer for deltas is as large as the largest that a damaged header has asked for, until memory runs short. */
const HELD_SLACK = 100_000;

/** Its files are more than the smallest memory has room for. */
const { image, commit, files } = richImage(90_000, 500);
const FAULTS = [...FAILURES, ...LIES];

function heapUsed(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** One operation of a random kind; its result is right, or its error a typed one. */
async function operate(volume: Volume, random: Random, paths: readonly string[]): Promise<boolean> {
  const path = paths[random(paths.length)]!;
  try {
    switch (random(8)) {
      case 0:
        await volume.list("/docs", { sizes: random(2) === 0 });
        break;
      case 1:
        assert.equal(await volume.exists(`${path}/nothing`), null);
        break;
      case 2:
        await volume.get("/docs");
        break;
      case 3:
        await volume.object(random(2) ? commit : "12".repeat(20));
        break;
      case 4:
        await volume.stat(path);
        break;
      case 5:
        // The rest of the stream is never asked for.
        await volume.getPartial("/large/whole", 100, 10);
        break;
      default:
        assert.ok(files.get(path)!.equals(await volume.get(path)), path);
    }
    return true;
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    return false;
  }
}

/** What the volume holds after it has read the same files in the same order. */
async function settle(volume: Volume): Promise<Pick<Stats, "memoryBytes" | "heapBytes">> {
  for (let round = 0; round < 2; round++)
    for (const [path, content] of files) assert.ok(content.equals(await volume.get(path)), path);
  const { memoryBytes, heapBytes, objectBytes, artBytes } = volume.stats();
  return { memoryBytes, heapBytes: heapBytes - objectBytes - artBytes };
}

for (const proof of ["none", "oid"] as const)
  test(`${OPERATIONS / 2} operations over a device that fails now and then (${proof})`, async () => {
    const random = seeded(11);
    const device = new FaultyDevice(image);
    const volume = await open(device, { proof, memoryLimit: 2 << 20 });
    // The large ones take their time: now and then is enough.
    const small = [...files.keys()].filter((path) => files.get(path)!.length <= 5000);
    let failures = 0;
    let faults = 0;
    let before = { memoryBytes: 0, heapBytes: 0, used: 0 };
    for (let index = 0; index < OPERATIONS / 2; index++) {
      if (index === WARM_UP / 2) before = { ...(await settle(volume)), used: heapUsed() };
      if (random(4) === 0) device.failAt(1 + random(2), FAULTS[random(FAULTS.length)]!);
      if (!(await operate(volume, random, random(40) ? small : [...files.keys()]))) failures++;
      if (device.heal()) faults++;
    }
    assert.ok(
      failures > OPERATIONS / 20 && faults > OPERATIONS / 50,
      `${failures} failures, ${faults} faults`,
    );
    // What a lie of the device has left in the cache is found out by reading, once.
    for (const path of files.keys()) await volume.get(path).catch(() => undefined);
    const after = await settle(volume);
    assert.equal(after.memoryBytes, before.memoryBytes);
    const held = after.heapBytes - before.heapBytes;
    assert.ok(held < HELD_SLACK, `the core holds ${held} bytes more`);
    const grown = heapUsed() - before.used;
    assert.ok(grown < SLACK, `JavaScript's heap has grown by ${grown} bytes`);
    await volume.close();
    assert.equal(device.closed, 1);
  });

/** Open files of this process; undefined where it cannot tell. */
function openFiles(): number | undefined {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : undefined;
}

test("volumes that are opened, fail to open, and are closed", async () => {
  let failed = 0;
  let before = { used: 0, files: openFiles(), buffers: 0 };
  const visit = async (index: number): Promise<void> => {
    if (index % 2 === 0) {
      // No commit of this id: opening fails when the file is open.
      const wanted = index % 4 === 0 ? { commit: "12".repeat(20) } : {};
      const volume = await open(fixturePath("tiny.img"), { memoryLimit: 2 << 20, ...wanted }).catch(
        () => undefined,
      );
      if (volume === undefined) failed++;
      await volume?.close();
      return;
    }
    const device = new FaultyDevice(image);
    device.failAt(1 + (index % 9), FAULTS[index % FAULTS.length]!);
    const volume = await open(device, { memoryLimit: 2 << 20, proof: "oid" }).catch(() => undefined);
    if (volume === undefined) failed++;
    await volume?.close();
    assert.equal(device.closed, 1);
  };
  for (let index = 0; index < 600; index++) {
    if (index === 200)
      before = { used: heapUsed(), files: openFiles(), buffers: process.memoryUsage().arrayBuffers };
    await visit(index);
  }
  const grown = heapUsed() - before.used;
  assert.ok(failed > 200, `${failed} failed`);
  assert.equal(openFiles(), before.files);
  assert.ok(grown < SLACK, `JavaScript's heap has grown by ${grown} bytes`);
  const buffers = process.memoryUsage().arrayBuffers - before.buffers;
  assert.ok(buffers < 16 << 20, `buffers have grown by ${buffers} bytes`);
});

test("guests that run and are refused", () => {
  const sound = loadGuest(guestBytes());
  const refused = guestBytes({ memory: [1, 0, 1, 0] });
  let before = 0;
  for (let index = 0; index < 6000; index++) {
    if (index === 2000) before = heapUsed();
    assert.equal(run(sound).status, 42);
    assert.throws(() => loadGuest(refused), { code: "BadGuest" });
  }
  const grown = heapUsed() - before;
  assert.ok(grown < SLACK, `JavaScript's heap has grown by ${grown} bytes`);
});

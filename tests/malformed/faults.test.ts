/**
 * A device that fails once, at the n-th read for every n, in every way, during every operation of the reader and at every level of proof: a typed
 * error; and when the device works again so does the volume, which gives right bytes and holds no more memory than one that never failed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError, type Entry, type OpenOptions, open, STATUS, type Volume } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { FAILURES, type Fault, FaultyDevice, LIES } from "../support/faulty-device.js";
import { richImage } from "../support/rich-image.js";

/** More than a quarter of what the smallest memory gives to sectors, so that large files are read anew each time. */
const LARGE = 150_000;
const { image, commit, files } = richImage(LARGE);
const variants = await coreVariants();

const LEVELS: readonly Pick<OpenOptions, "proof" | "collisions" | "commit">[] = [
  { proof: "none" },
  { proof: "crc" },
  { proof: "oid" },
  { commit, collisions: true },
];

async function walk(volume: Volume, path = "/"): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const entry of await volume.list(path)) {
    entries.push(entry);
    if (entry.kind === "directory") entries.push(...(await walk(volume, entry.path)));
  }
  return entries;
}

/** Reads a file in pieces. */
async function stream(volume: Volume, path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; ; at += 40_000) {
    const piece = await volume.getPartial(path, at, 40_000);
    pieces.push(piece);
    if (piece.length < 40_000) return Buffer.concat(pieces);
  }
}

interface Operation {
  name: string;
  run(volume: Volume): Promise<unknown>;
  /** What it tells comes from headers, which nothing checks below `oid`: a device that lies is believed. */
  isHeaders?: true;
}

/** Every operation; each reads of the device what those before it did not. */
const OPERATIONS: readonly Operation[] = [
  { name: "list", run: (volume) => volume.list("/docs") },
  { name: "list with sizes", run: (volume) => volume.list("/docs", { sizes: true }), isHeaders: true },
  { name: "walk", run: (volume) => walk(volume) },
  { name: "stat", run: (volume) => volume.stat("/docs/ref"), isHeaders: true },
  { name: "exists", run: (volume) => volume.exists("/docs/nothing") },
  { name: "readlink", run: (volume) => volume.get("/link") },
  { name: "get, follow", run: (volume) => volume.get("/link", { follow: true }) },
  { name: "get a delta", run: (volume) => volume.get("/docs/ofs") },
  { name: "get a file that is streamed", run: (volume) => volume.get("/large/whole") },
  { name: "get a large delta", run: (volume) => volume.get("/large/delta") },
  { name: "stream", run: (volume) => stream(volume, "/large/whole") },
  { name: "object", run: (volume) => volume.object(commit) },
];

/** What an operation gave, or the error that it threw. */
async function attempt(run: () => Promise<unknown>): Promise<{ value?: unknown; error?: DocteurError }> {
  try {
    return { value: await run() };
  } catch (error) {
    assert.ok(error instanceof DocteurError, String((error as Error).stack));
    return { error };
  }
}

/** Everything that the image holds can be read, and is right. */
async function assertWhole(volume: Volume): Promise<void> {
  for (const [path, content] of files) assert.ok(content.equals(await volume.get(path)), path);
  assert.equal((await walk(volume)).length, files.size + 3);
}

/** Bytes that are neither cached objects nor known paths: those come and go. */
function heldBytes(volume: Volume): number {
  const { heapBytes, objectBytes, artBytes } = volume.stats();
  return heapBytes - objectBytes - artBytes;
}

function assertTyped(error: DocteurError, fault: Fault, what: string): void {
  if (fault.code !== undefined) assert.equal(error.code, fault.code, `${what}: ${error.message}`);
  // Where a device lies it is the image that is wrong, or too large.
  else
    assert.ok(
      error.code in STATUS && STATUS[error.code as "BadTree"] >= STATUS.OutOfMemory,
      `${what}: ${error.code}`,
    );
  if (fault.name === "throws")
    assert.equal((error.cause as Error | undefined)?.message, "thrown by the device", what);
}

const options = (index: number, level: number): OpenOptions => ({
  ...LEVELS[level]!,
  mode: MODES[index % MODES.length]!,
  module: variants[index % variants.length]!.module,
  memoryLimit: 2 << 20,
});

for (const [level, { proof = "commit" }] of LEVELS.entries()) {
  test(`opening: every read fails in every way (${proof})`, async () => {
    for (const turn of [level, level + 2]) {
      const probe = new FaultyDevice(image);
      await open(probe, options(turn, level));
      for (let at = 1; at <= probe.reads; at++)
        for (const fault of [...FAILURES, ...LIES]) {
          const device = new FaultyDevice(image);
          device.failAt(at, fault);
          const { value, error } = await attempt(() => open(device, options(turn, level)));
          const what = `read ${at}, ${fault.name}`;
          assert.ok(device.heal(), what);
          if (error !== undefined) assertTyped(error, fault, what);
          else assert.equal(fault.code, undefined, what);
          assert.equal(device.closed, error === undefined ? 0 : 1, what);
          // What an index that is believed has led to is known by then; the volume is of no use, and says so.
          if (value !== undefined && proof !== "none") await attempt(() => assertWhole(value as Volume));
        }
      await assertWhole(await open(probe, options(turn, level)));
    }
  });

  test(`every operation: every read fails in every way (${proof})`, async () => {
    let index = 0;
    let failures = 0;
    for (const operation of OPERATIONS) {
      for (const turn of [index + level]) {
        const probe = new FaultyDevice(image);
        const sound = await open(probe, options(turn, level));
        const before = probe.reads;
        const expected = await operation.run(sound);
        const reads = probe.reads - before;
        await assertWhole(sound);
        await assertWhole(sound);
        for (let at = 1; at <= reads; at++)
          for (const fault of [...FAILURES, ...LIES]) {
            const what = `${operation.name}, read ${at}, ${fault.name}, ${MODES[turn % 3]}`;
            const device = new FaultyDevice(image);
            const volume = await open(device, options(turn, level));
            device.failAt(at, fault);
            const { value, error } = await attempt(() => operation.run(volume));
            assert.ok(device.heal(), what);
            if (error === undefined) {
              assert.equal(fault.code, undefined, what);
              const isBelieved = operation.isHeaders && (proof === "none" || proof === "crc");
              if (!isBelieved) assert.deepEqual(value, expected, what);
            } else {
              failures++;
              assertTyped(error, fault, what);
              assert.deepEqual(await operation.run(volume), expected, `again: ${what}`);
            }
            // What was wrong and seemed right may lie in memory until it is found out, once.
            if (error === undefined) await attempt(() => assertWhole(volume));
            await assertWhole(volume);
            await assertWhole(volume);
            assert.equal(heldBytes(volume), heldBytes(sound), what);
          }
      }
      index++;
    }
    assert.ok(failures > 200, String(failures));
  });
}

test("verify: every read fails in every way", async () => {
  const small = richImage(5000).image;
  const probe = new FaultyDevice(small);
  const sound = await assertSound(probe);
  for (let at = 1; at <= probe.reads; at++)
    for (const fault of [...FAILURES, ...LIES]) {
      const device = new FaultyDevice(small);
      device.failAt(at, fault);
      const { error } = await attempt(() => assertSound(device));
      assert.ok(device.heal());
      assert.ok(error !== undefined, `read ${at}, ${fault.name}: passed`);
      if (fault.code !== undefined)
        assert.ok(
          ["DeviceFailed", "InvalidArgument"].includes(error.code),
          `read ${at}, ${fault.name}: ${error.code}`,
        );
      assert.deepEqual((await assertSound(device)).commit, sound.commit);
    }
});

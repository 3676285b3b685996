/** An image that changes while it is read: what ids prove is right or refused, whatever the device says next. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import {
  type BlockDevice,
  DocteurError,
  open,
  RESULT,
  type ReadResult,
  type Volume,
} from "../../src/index.js";
import { verify } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { entryHeader, imageWith, KIND } from "../support/crafted-image.js";
import { noise } from "../support/families.js";
import { fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";
import { type Random, seeded } from "../support/random.js";
import { sampleImage } from "../support/sample-images.js";

const RIGHT = "what was meant\n";
const WRONG = "what is  meant\n";

/** Turns a bit somewhere at some of its reads, for good. */
class RottingDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly bytes: Uint8Array;
  readonly #random: Random;
  /** One of so many reads comes after a change; none where it is 0. */
  pace: number;
  changes = 0;

  constructor(bytes: Uint8Array, seed: number, pace: number) {
    this.bytes = bytes.slice();
    this.capacity = bytes.length;
    this.#random = seeded(seed);
    this.pace = pace;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (this.pace > 0 && this.#random(this.pace) === 0) {
      this.bytes[this.#random(this.capacity)]! ^= 1 << this.#random(8);
      this.changes++;
    }
    target.set(this.bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }
}

/** Serves one image, and from some read on another, block for block. */
class TurningDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly #first: Uint8Array;
  readonly #second: Uint8Array;
  reads = 0;
  turnAt = Number.POSITIVE_INFINITY;

  constructor(first: Uint8Array, second: Uint8Array) {
    this.capacity = Math.max(first.length, second.length);
    this.#first = padded(first, this.capacity);
    this.#second = padded(second, this.capacity);
  }

  read(offset: number, target: Uint8Array): ReadResult {
    const bytes = this.reads++ < this.turnAt ? this.#first : this.#second;
    target.set(bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(length);
  longer.set(bytes);
  return longer;
}

/** Fails unless every file is as it was or a typed error, one that says that the image is damaged. @returns how many were right */
async function readAll(volume: Volume, blobs: ReadonlyMap<string, string>, where: string): Promise<number> {
  let right = 0;
  for (const [path, oid] of blobs)
    try {
      assert.equal(gitOid("blob", await volume.get(path)), oid, `${where}: ${path}`);
      assert.equal((await volume.stat(path)).oid, oid, where);
      right++;
    } catch (error) {
      if (!(error instanceof DocteurError)) throw error;
      assert.ok(
        !["NotFound", "DeviceFailed", "InvalidArgument"].includes(error.code),
        `${where}: ${error.message}`,
      );
    }
  return right;
}

test("bits that turn between reads: right files, or typed errors", async () => {
  const image = fixture("delta.img");
  const blobs = new Map([...fixtureBlobs("delta")].slice(0, 60));
  let changes = 0;
  let right = 0;
  let refused = 0;
  for (const { label, module } of await coreVariants())
    for (const mode of MODES)
      for (let seed = 0; seed < 12; seed++) {
        const where = `${label}, ${mode}, seed ${seed}`;
        const device = new RottingDevice(image, seed, 4);
        try {
          // So small a memory forgets, and reads again.
          const volume = await open(device, { module, mode, proof: "oid", memoryLimit: 2 << 20 });
          const count = await readAll(volume, blobs, where);
          right += count;
          refused += blobs.size - count;
        } catch (error) {
          if (!(error instanceof DocteurError)) throw error;
          refused++;
        }
        changes += device.changes;
      }
  assert.ok(
    changes > 100 && right > 1000 && refused > 100,
    `${changes} changes, ${right} right, ${refused} refused`,
  );
});

test("an image that becomes another at any read: a pinned reader never tells of the other", async () => {
  const first = await sampleImage("original");
  const second = await sampleImage("made");
  const commit = Buffer.from(first.subarray(0, 20)).toString("hex");
  const blobs = new Map<string, string>();
  const walk = async (volume: Volume, folder: string): Promise<void> => {
    for (const { path, kind, oid } of await volume.list(folder))
      if (kind === "directory") await walk(volume, path);
      else if (kind !== "submodule") blobs.set(path, oid);
  };
  await walk(await open(first), "/");
  for (const { label, module } of await coreVariants())
    for (const mode of MODES) {
      const probe = new TurningDevice(first, second);
      const options = { module, mode, commit, memoryLimit: 2 << 20 };
      await readAll(await open(probe, options), blobs, "probe");
      for (let turnAt = 0; turnAt <= probe.reads; turnAt++) {
        const device = new TurningDevice(first, second);
        device.turnAt = turnAt;
        const where = `${label}, ${mode}, from read ${turnAt}`;
        try {
          const volume = await open(device, options);
          assert.equal(volume.commit.oid, commit, where);
          const right = await readAll(volume, blobs, where);
          if (turnAt === probe.reads) assert.equal(right, blobs.size, where);
        } catch (error) {
          if (!(error instanceof DocteurError)) throw error;
          assert.ok(turnAt < probe.reads && error.code !== "DeviceFailed", `${where}: ${error.message}`);
        }
      }
    }
});

test("content that becomes another of the same form, with its Adler-32: ids tell, and nothing else does", async () => {
  const stored = (text: string): Buffer => deflateSync(text, { level: 0 });
  const first = imageWith((image) => {
    // Opening reads neither the file nor what is near it.
    image.object("blob", noise(1, 8000));
    const placed = image.raw(
      gitOid("blob", Buffer.from(RIGHT)),
      entryHeader(KIND.blob, RIGHT.length),
      stored(RIGHT),
    );
    image.object("blob", noise(2, 200_000));
    return placed;
  }).bytes;
  const second = first.slice();
  second.set(stored(WRONG), Buffer.from(first).indexOf(stored(RIGHT)));
  for (const { label, module } of await coreVariants())
    for (const mode of ["light", "fast"] as const) {
      const where = `${label}, ${mode}`;
      for (const proof of ["none", "oid"] as const) {
        const device = new TurningDevice(first, second);
        const volume = await open(device, { module, mode, proof });
        device.turnAt = device.reads;
        const content = await volume.get("/f").catch(({ code }: DocteurError) => code);
        const text = typeof content === "string" ? content : Buffer.from(content).toString();
        assert.equal(text, proof === "none" ? WRONG : "OidMismatch", where);
      }
    }
});

test("verify of an image that changes: it says what it has read, and never fails to say something", async () => {
  for (const name of ["original", "made", "crafted"] as const) {
    const image = await sampleImage(name);
    for (let seed = 0; seed < 60; seed++) {
      const device = new RottingDevice(image, seed, 1);
      const { status, findings } = await verify(device);
      // An image of this size is read once: what verify has seen is what the device held then.
      const again = await verify(device.bytes);
      assert.deepEqual([status, findings], [again.status, again.findings], `${name}, seed ${seed}`);
    }
    const other = await sampleImage(name === "made" ? "crafted" : "made");
    const device = new TurningDevice(image, other);
    device.turnAt = 1;
    assert.equal((await verify(device)).status, "sound");
  }
});

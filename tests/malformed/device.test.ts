/** Devices that fail: the error says so, and once they work again so does the volume. */
import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type BlockDevice,
  DocteurError,
  open,
  RESULT,
  type ReadResult,
  type Volume,
} from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { fixture, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { createRepository, imageOfRepository, SMALL } from "../support/repository.js";
import { temporaryFolder } from "../support/temporary.js";

const variants = await coreVariants();

/** Fails one read of its choice. */
class FailingDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  reads = 0;
  /** The number of the read that fails, from 1 on. */
  failAt = 0;
  answer: ReadResult = RESULT.EUNSPEC;
  failure: unknown;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.capacity = bytes.length;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (++this.reads === this.failAt) {
      // What a device that fails leaves in the buffer is anything.
      target.fill(0xa5);
      this.failure = new Error(`read ${this.reads}`);
      return this.answer;
    }
    target.set(this.#bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }
}

const ANSWERS: readonly [ReadResult, string][] = [
  [RESULT.EUNSPEC, "DeviceFailed"],
  [RESULT.EINVAL, "InvalidArgument"],
  // No result that Solo5 knows.
  [77 as ReadResult, "DeviceFailed"],
];

function isFailure(error: unknown, code: string, device: FailingDevice): void {
  assert.ok(error instanceof DocteurError, String((error as Error).stack));
  assert.equal(error.code, code);
  if (code === "DeviceFailed") assert.equal(error.cause, device.failure);
}

/** Every operation once; the number of those that failed as they must. */
async function readAll(
  volume: Volume,
  blobs: Map<string, string>,
  onError: (error: unknown) => void,
): Promise<number> {
  let failures = 0;
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      if ((error as Error).name === "AssertionError") throw error;
      onError(error);
      failures++;
    }
  };
  for (const [path, oid] of blobs) {
    await attempt(async () => assert.equal(gitOid("blob", await volume.get(path)), oid, path));
    await attempt(async () => assert.equal(await volume.digest(path), oid, path));
    await attempt(async () => assert.ok((await volume.size(path)) >= 0));
    const parent = path.slice(0, path.lastIndexOf("/"));
    await attempt(async () => assert.ok((await volume.list(parent, { sizes: true })).length > 0));
    await attempt(async () => assert.equal(gitOid("blob", (await volume.object(oid)).data), oid));
  }
  return failures;
}

for (const { label, module } of variants)
  for (const mode of MODES)
    test(`a device that fails once, at any read (${label}, ${mode})`, async () => {
      for (const name of ["tiny", "gitdelta"]) {
        const bytes = fixture(`${name}.img`);
        const blobs = new Map([...fixtureBlobs(name)].slice(0, 40));
        const probe = new FailingDevice(bytes);
        const options = { module, mode, memoryLimit: 2 << 20 };
        const probed = await open(probe, options);
        const opening = probe.reads;
        await readAll(probed, blobs, assert.ifError);
        for (let at = 1; at <= probe.reads; at++) {
          for (const [answer, code] of ANSWERS) {
            const device = new FailingDevice(bytes);
            device.failAt = at;
            device.answer = answer;
            if (at <= opening) {
              await assert.rejects(open(device, options), (error) => {
                isFailure(error, code, device);
                return true;
              });
              continue;
            }
            const volume = await open(device, options);
            const failures = await readAll(volume, blobs, (error) => isFailure(error, code, device));
            assert.equal(failures, 1, `${name}: read ${at}`);
            assert.equal(await readAll(volume, blobs, assert.ifError), 0);
          }
        }
      }
    });

test("verify over a device that fails at any read", async () => {
  const bytes = fixture("tiny.img");
  const probe = new FailingDevice(bytes);
  await assertSound(probe);
  for (let at = 1; at <= probe.reads; at++)
    for (const [answer] of ANSWERS) {
      const device = new FailingDevice(bytes);
      device.failAt = at;
      device.answer = answer;
      await assert.rejects(assertSound(device), (error) => {
        assert.ok(error instanceof DocteurError);
        assert.ok(["DeviceFailed", "InvalidArgument"].includes(error.code), error.code);
        return true;
      });
    }
});

test("a stream that a failing read interrupts begins anew", async (t) => {
  const folder = createRepository(join(temporaryFolder(t), "repository"), 1, SMALL);
  const image = imageOfRepository(folder);
  const device = new FailingDevice(image);
  const volume = await open(device, { memoryLimit: 2 << 20 });
  const expected = await (await open(image)).get("/large/noise");
  let failures = 0;
  for (let ahead = 1; ahead < 8; ahead++) {
    device.failAt = device.reads + ahead;
    await volume.get("/large/noise").catch((error) => {
      isFailure(error, "DeviceFailed", device);
      failures++;
    });
    device.failAt = 0;
    assert.deepEqual(await volume.get("/large/noise"), expected);
  }
  assert.ok(failures > 3);
});

test("an image file that shrinks while it is open", async (t) => {
  const path = join(temporaryFolder(t), "image");
  const bytes = fixture("delta.img");
  for (const mode of MODES) {
    writeFileSync(path, bytes);
    const volume = await open(path, { mode });
    const [[first, oid]] = fixtureBlobs("delta") as unknown as [[string, string]];
    truncateSync(path, 1024);
    let failures = 0;
    for (const name of fixtureBlobs("delta").keys())
      await volume.get(name).catch((error: DocteurError) => {
        assert.equal(error.code, "DeviceFailed");
        assert.match((error.cause as Error).message, /file became shorter$/);
        failures++;
      });
    assert.ok(failures > 0, mode);
    writeFileSync(path, bytes);
    assert.equal(gitOid("blob", await volume.get(first)), oid, mode);
    await volume.close();
  }
});

test("an image file that is cut to a block, to nothing, or between", async (t) => {
  const path = join(temporaryFolder(t), "image");
  for (const [length, code] of [
    [0, "Truncated"],
    [511, "Truncated"],
    [512, "Truncated"],
    [1000, "Truncated"],
    [3072, "Truncated"],
  ] as const) {
    writeFileSync(path, fixture("tiny.img"));
    const fd = openSync(path, "r+");
    ftruncateSync(fd, length);
    closeSync(fd);
    await assert.rejects(open(path), { code }, `${length}`);
    await assert.rejects(assertSound(path), { code }, `${length}`);
  }
  await assert.rejects(open(fixturePath("nothing.img")), { code: "Io" });
});

/**
 * A device's answer that is no result at all, a promise above all, was taken for OK, and what lay in the buffer for the image's bytes. And what a device
 * gave once that was wrong stayed in the sector cache: the file could not be read any more, however right the device was by then.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockDevice, MemoryDevice, open, RESULT, type ReadResult } from "../../src/index.js";
import { fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";

test("a device whose read is an async function has failed", async () => {
  const device = new MemoryDevice(fixture("tiny.img"));
  const asynchronous: BlockDevice = {
    blockSize: device.blockSize,
    capacity: device.capacity,
    read: (async (offset: number, target: Uint8Array) => device.read(offset, target)) as never,
  };
  await assert.rejects(open(asynchronous), { code: "DeviceFailed" });
});

test("what a device threw is told of that failure alone", async () => {
  const bytes = fixture("delta.img");
  let fault: (() => ReadResult) | undefined;
  const device = new MemoryDevice(bytes);
  const failing: BlockDevice = {
    blockSize: device.blockSize,
    capacity: device.capacity,
    read: (offset, target) => fault?.() ?? device.read(offset, target),
  };
  const volume = await open(failing);
  const thrown = new Error("the cable");
  fault = () => {
    throw thrown;
  };
  await assert.rejects(volume.get("/d1/f1.txt"), { code: "DeviceFailed", cause: thrown });
  fault = () => RESULT.EUNSPEC;
  await assert.rejects(volume.get("/d1/f1.txt"), (error: Error) => error.cause === undefined);
});

test("sectors that were damaged are read again", async () => {
  const bytes = fixture("delta.img");
  const device = new MemoryDevice(bytes);
  let isDamaged = false;
  const volume = await open({
    blockSize: device.blockSize,
    capacity: device.capacity,
    read(offset: number, target: Uint8Array) {
      const result = device.read(offset, target);
      if (isDamaged) target.fill(0x5a);
      return result;
    },
  });
  const [[path, oid]] = fixtureBlobs("delta") as unknown as [[string, string]];
  isDamaged = true;
  await assert.rejects(volume.get(path));
  isDamaged = false;
  assert.equal(gitOid("blob", await volume.get(path)), oid);
});

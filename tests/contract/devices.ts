/** The contract of `BlockDevice`, as tests: every backend passes all of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockDevice, RESULT } from "../../src/devices/device.js";
import { seeded } from "../support/random.js";

/** Makes a device of the backend over these bytes; the tests close it. */
export type MakeDevice = (bytes: Uint8Array, blockSize: number) => BlockDevice | Promise<BlockDevice>;

/** Why a suite is skipped, where its backend is not there. */
export interface ContractOptions {
  skip?: string | false;
}

/** What a device may take to answer one read. */
const TRIES = 1000;

async function readSettled(device: BlockDevice, offset: number, target: Uint8Array): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const result = device.read(offset, target);
    if (result !== RESULT.AGAIN) return result;
    assert.ok(device.ready, "a device that answers AGAIN has `ready`");
    await device.ready();
  }
  assert.fail(`no answer after ${TRIES} tries at offset ${offset}`);
}

/** Bytes that differ from block to block and inside of each. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 9) * 13 + (index >> 16)) & 255);
}

/**
 * Declares the contract's tests.
 * @param name the backend's
 */
export function deviceContract(name: string, make: MakeDevice, options: ContractOptions = {}): void {
  for (const blockSize of [512, 4096]) {
    const content = pattern(blockSize * 24);
    const withDevice = (title: string, check: (device: BlockDevice) => Promise<void>): void => {
      test(`${name}, blocks of ${blockSize}: ${title}`, options, async () => {
        const device = await make(content, blockSize);
        try {
          await check(device);
        } finally {
          await device.close?.();
        }
      });
    };

    withDevice("tells its geometry", async (device) => {
      assert.equal(device.blockSize, blockSize);
      assert.equal(device.capacity, content.length);
    });

    withDevice("reads every block", async (device) => {
      const target = new Uint8Array(blockSize);
      for (let offset = 0; offset < content.length; offset += blockSize) {
        assert.equal(await readSettled(device, offset, target.fill(0)), RESULT.OK);
        assert.deepEqual(target, content.subarray(offset, offset + blockSize));
      }
    });

    withDevice("reads the whole of it at once", async (device) => {
      const target = new Uint8Array(content.length);
      assert.equal(await readSettled(device, 0, target), RESULT.OK);
      assert.deepEqual(target, content);
    });

    withDevice("reads ranges in any order", async (device) => {
      const random = seeded(1);
      for (let round = 0; round < 50; round++) {
        const first = random(24);
        const target = new Uint8Array((1 + random(24 - first)) * blockSize);
        assert.equal(await readSettled(device, first * blockSize, target), RESULT.OK);
        assert.deepEqual(target, content.subarray(first * blockSize, first * blockSize + target.length));
      }
    });

    withDevice("writes into its target alone", async (device) => {
      const memory = new Uint8Array(blockSize * 3).fill(0xaa);
      assert.equal(await readSettled(device, 0, memory.subarray(blockSize, 2 * blockSize)), RESULT.OK);
      assert.ok(memory.subarray(0, blockSize).every((byte) => byte === 0xaa));
      assert.ok(memory.subarray(2 * blockSize).every((byte) => byte === 0xaa));
    });

    withDevice("refuses ranges that are not its own, and leaves the target alone", async (device) => {
      const refused: [offset: number, length: number][] = [
        [0, 0],
        [0, blockSize - 1],
        [0, blockSize + 1],
        [1, blockSize],
        [blockSize - 1, blockSize],
        [-blockSize, blockSize],
        [content.length, blockSize],
        [content.length - blockSize, 2 * blockSize],
        [2 ** 40, blockSize],
        [2 ** 53 - blockSize, blockSize],
        [Number.NaN, blockSize],
      ];
      for (const [offset, length] of refused) {
        const target = new Uint8Array(length).fill(0x55);
        assert.equal(await readSettled(device, offset, target), RESULT.EINVAL, `${offset}, ${length}`);
        assert.ok(target.every((byte) => byte === 0x55));
      }
    });

    withDevice("closes more than once", async (device) => {
      await device.close?.();
    });
  }
}

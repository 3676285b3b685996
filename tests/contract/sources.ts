/** The contract of `RangeSource`, as tests: every source passes all of them. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { test } from "node:test";
import type { RangeSource } from "../../src/devices/range-source.js";
import { RemoteDevice } from "../../src/devices/remote.js";
import { seeded } from "../support/random.js";
import { type ContractOptions, deviceContract, pattern } from "./devices.js";

/** Makes a source over these bytes; the tests close it. */
export type MakeSource = (bytes: Uint8Array) => RangeSource | Promise<RangeSource>;

/** A size that neither pages nor sectors of 4 KiB divide. */
const SIZE = 300 * 1024 + 512;

/**
 * Declares the contract's tests: of the source, and of the device over it.
 * @param name the source's
 */
export function sourceContract(name: string, make: MakeSource, options: ContractOptions = {}): void {
  const content = pattern(SIZE);
  const withSource = (title: string, check: (source: RangeSource) => Promise<void>): void => {
    test(`${name}, as a source: ${title}`, options, async () => {
      const source = await make(content);
      try {
        await check(source);
      } finally {
        await source.close?.();
      }
    });
  };
  const { signal } = new AbortController();
  // Many reads at once listen to it.
  setMaxListeners(0, signal);

  withSource("tells its size", async (source) => {
    assert.equal(source.size, content.length);
  });

  withSource("has read only what it says before it is asked", async (source) => {
    for (const { offset, bytes } of source.prefetched ?? [])
      assert.deepEqual(new Uint8Array(bytes), content.subarray(offset, offset + bytes.length));
  });

  withSource("reads exactly what it is asked for", async (source) => {
    const random = seeded(1);
    const ranges: [offset: number, length: number][] = [
      [0, 1],
      [0, SIZE],
      [SIZE - 1, 1],
      [65535, 2],
    ];
    for (let round = 0; round < 20; round++) {
      const offset = random(SIZE);
      ranges.push([offset, 1 + random(SIZE - offset)]);
    }
    for (const [offset, length] of ranges) {
      const bytes = await source.read(offset, length, signal);
      assert.deepEqual(new Uint8Array(bytes), content.subarray(offset, offset + length));
    }
  });

  withSource("gives bytes as they come, if it can", async (source) => {
    if (source.readParts === undefined) return;
    for (const [offset, length] of [
      [0, SIZE],
      [65535, 2],
      [SIZE - 70000, 70000],
    ] as const) {
      let at = offset;
      await source.readParts(offset, length, signal, (part) => {
        assert.deepEqual(new Uint8Array(part), content.subarray(at, at + part.length));
        at += part.length;
      });
      assert.equal(at, offset + length);
    }
  });

  withSource("answers many reads at once, each with its own bytes", async (source) => {
    const random = seeded(2);
    const reads = Array.from({ length: 20 }, async () => {
      const offset = random(SIZE - 5000);
      const bytes = await source.read(offset, 5000, signal);
      assert.deepEqual(new Uint8Array(bytes), content.subarray(offset, offset + 5000));
    });
    await Promise.all(reads);
  });

  withSource("goes on after a read was ended", async (source) => {
    const controller = new AbortController();
    const ended = source.read(0, SIZE, controller.signal).catch(() => undefined);
    controller.abort();
    // A source may have been faster.
    const bytes = await ended;
    if (bytes !== undefined) assert.equal(bytes.length, SIZE);
    assert.deepEqual(new Uint8Array(await source.read(512, 512, signal)), content.subarray(512, 1024));
  });

  withSource("closes more than once", async (source) => {
    await source.close?.();
  });

  deviceContract(
    name,
    async (bytes, blockSize) => new RemoteDevice(await make(bytes), { blockSize, pageSize: 4096 }),
    options,
  );
}

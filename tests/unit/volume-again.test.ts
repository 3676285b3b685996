/** Devices whose bytes arrive later: every operation gives what it gives over memory, in every mode, with the smallest caches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockDevice, type DocteurError, open, RESULT, type Volume } from "../../src/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { FIXTURES, fixture } from "../support/fixtures.js";
import { SlowDevice } from "../support/slow-device.js";

const SMALLEST = 2 << 20;

/** What a volume says of everything below a path. */
async function describe(volume: Volume, path = "/"): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const entry of await volume.list(path, { sizes: true })) {
    seen.push(
      entry,
      await volume.stat(entry.path),
      await volume.stat(entry.path, { follow: true }).catch((error: DocteurError) => error.code),
    );
    if (entry.kind === "directory") seen.push(...(await describe(volume, entry.path)));
    else if (entry.kind !== "submodule")
      seen.push(
        await volume.get(entry.path),
        await volume.getPartial(entry.path, 3, 5),
        await volume.object(entry.oid),
      );
  }
  return seen;
}

for (const { label, module } of await coreVariants()) {
  for (const mode of MODES) {
    test(`the slowest device tells the same as memory (${label}, ${mode})`, async () => {
      for (const [seed, name] of FIXTURES.entries()) {
        const bytes = fixture(`${name}.img`);
        const expected = await describe(await open(bytes, { module, mode }));
        const device = new SlowDevice(bytes, seed);
        const volume = await open(device, { module, mode, memoryLimit: SMALLEST });
        assert.deepEqual(await describe(volume), expected, name);
        assert.ok(device.trips > 0);
      }
    });
  }

  test(`operations that overlap do not mix (${label})`, async () => {
    const bytes = fixture("gitdelta.img");
    const memory = await open(bytes, { module });
    const slow = await open(new SlowDevice(bytes, 1), { module, memoryLimit: SMALLEST });
    const paths = (await memory.list("/d1")).map((entry) => entry.path);
    const read = await Promise.all(paths.map((path) => slow.get(path)));
    for (const [index, path] of paths.entries()) assert.deepEqual(read[index], await memory.get(path));
  });

  test(`a device that fails while it is waited for (${label})`, async () => {
    const bytes = fixture("tiny.img");
    class Failing extends SlowDevice {
      failing = false;
      override async ready(): Promise<void> {
        if (this.failing) throw new Error("the network is gone");
        await super.ready();
      }
    }
    const device = new Failing(bytes, 7);
    const volume = await open(device, { module, memoryLimit: SMALLEST });
    await volume.get("/hello.txt");
    const mute: BlockDevice = { blockSize: 512, capacity: bytes.length, read: () => RESULT.AGAIN };
    await assert.rejects(open(mute, { module }), { code: "DeviceFailed" });
    const failing = new Failing(bytes, 8);
    failing.failing = true;
    await assert.rejects(open(failing, { module }), { code: "DeviceFailed" });
  });
}

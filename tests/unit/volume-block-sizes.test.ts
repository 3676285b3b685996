/** Devices of every legal block size, from 512 bytes to 64 MiB: the same files in every mode, within the smallest memory. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { mount } from "../../src/core/mount.js";
import { SplitDevice } from "../../src/devices/split.js";
import {
  type BlockDevice,
  compileCore,
  MemoryDevice,
  open,
  RESULT,
  type ReadResult,
} from "../../src/index.js";
import { run } from "../../src/tender/index.js";
import { verify } from "../../src/verify/index.js";
import { readCommit } from "../../src/volume/commit.js";
import { Volume } from "../../src/volume.js";
import { coreVariants, MODES } from "../support/core.js";
import { fixture } from "../support/fixtures.js";
import { guestPath } from "../support/programs.js";

const SMALLEST = 2 << 20;
const MIB = 1 << 20;
const SIZES = Array.from({ length: 18 }, (_, index) => 512 << index);

const folder = mkdtempSync(join(tmpdir(), "docteur-blocks-"));
after(() => rmSync(folder, { recursive: true }));

const image = fixture("gitdelta.img");

/** The image, filled up to whole blocks. */
function padded(blockSize: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(image.length / blockSize) * blockSize);
  bytes.set(image);
  return bytes;
}

/** A device that checks what it is asked for, and answers AGAIN to the first request for a block, where it is told to. */
class StrictDevice extends MemoryDevice {
  readonly #here = new Set<number>();
  readonly #isSlow: boolean;

  constructor(bytes: Uint8Array, blockSize: number, isSlow = false) {
    super(bytes, blockSize);
    this.#isSlow = isSlow;
  }

  override read(offset: number, target: Uint8Array): ReadResult {
    const { blockSize } = this;
    assert.ok(target.length > 0 && offset % blockSize === 0 && target.length % blockSize === 0);
    let result: ReadResult = RESULT.OK;
    for (let at = offset; this.#isSlow && at < offset + target.length; at += blockSize)
      if (!this.#here.has(at)) result = RESULT.AGAIN;
    for (let at = offset; this.#isSlow && at < offset + target.length; at += blockSize) {
      // What has been handed out once is forgotten.
      if (result === RESULT.AGAIN) this.#here.add(at);
      else this.#here.delete(at);
    }
    return result === RESULT.OK ? super.read(offset, target) : result;
  }

  async ready(): Promise<void> {}
}

/** A volume over the device as it is: `open` would serve large blocks in sectors. */
async function volumeOver(
  device: BlockDevice,
  memoryLimit: number,
  module?: WebAssembly.Module,
): Promise<Volume> {
  const core = await mount(device, { mode: "light", memoryLimit }, module ?? (await compileCore()));
  return new Volume(core, device, await readCommit(core, []), memoryLimit || SMALLEST);
}

/** Every file below a path with its content. */
async function contents(volume: Volume, path = "/"): Promise<[string, Uint8Array][]> {
  const files: [string, Uint8Array][] = [];
  for (const entry of await volume.list(path)) {
    if (entry.kind === "directory") files.push(...(await contents(volume, entry.path)));
    else if (entry.kind !== "submodule") files.push([entry.path, await volume.get(entry.path)]);
  }
  return files;
}

const expected = await contents(await open(image));
const builds = await coreVariants();

for (const blockSize of SIZES) {
  test(`blocks of ${blockSize}: bytes, a file and a device, in every mode, within 2 MiB`, async () => {
    const bytes = padded(blockSize);
    const path = join(folder, "image");
    writeFileSync(path, bytes);
    const sources: (() => Uint8Array | string | BlockDevice)[] = [
      () => bytes,
      () => path,
      () => new StrictDevice(bytes, blockSize),
      () => new StrictDevice(bytes, blockSize, true),
    ];
    for (const mode of MODES)
      for (const source of sources) {
        const volume = await open(source(), { mode, blockSize, memoryLimit: SMALLEST });
        assert.deepEqual(await contents(volume), expected);
        assert.ok(volume.stats().memoryBytes <= SMALLEST);
        await volume.close();
      }
    for (const source of sources.slice(1, 3))
      assert.equal((await verify(source(), { blockSize, memoryLimit: 64 * MIB })).status, "sound");
  });

  test(`blocks of ${blockSize}: the core reads them itself, where its memory holds one`, async () => {
    const bytes = padded(blockSize);
    const memoryLimit = SMALLEST + (blockSize > 65536 ? blockSize : 0);
    for (const { module } of builds)
      for (const isSlow of [false, true])
        for (const limit of [memoryLimit, 0]) {
          const device = new StrictDevice(bytes, blockSize, isSlow);
          const volume = await volumeOver(device, limit, module);
          assert.deepEqual(await contents(volume), expected);
        }
    if (blockSize >= SMALLEST)
      await assert.rejects(volumeOver(new StrictDevice(bytes, blockSize), SMALLEST), {
        code: "OutOfMemory",
      });
  });

  test(`blocks of ${blockSize}: a guest reads a file`, () => {
    const devices = { docteur: new StrictDevice(padded(blockSize), blockSize) };
    const [path, content] = expected.at(-1)!;
    for (const build of ["simple", "simple.simd"]) {
      const chunks: Uint8Array[] = [];
      const outcome = run(readFileSync(guestPath(build)), {
        args: ["--filename", path],
        devices,
        console: (chunk) => chunks.push(chunk.slice()),
      });
      assert.equal(outcome.status, 0);
      assert.ok(Buffer.concat(chunks).includes(Buffer.from(content)));
    }
  });
}

test("a device in sectors: ranges across blocks, refusals, failures", async () => {
  const blockSize = 1 << 17;
  const bytes = Uint8Array.from({ length: 3 * blockSize }, (_, index) => (index * 7 + (index >> 12)) & 255);
  const device = new SplitDevice(new StrictDevice(bytes, blockSize, true));
  assert.deepEqual([device.blockSize, device.capacity], [4096, bytes.length]);
  for (const offset of [0, 4096, blockSize - 4096, 2 * blockSize - 8192, bytes.length - 16384]) {
    const target = new Uint8Array(16384);
    let result = device.read(offset, target);
    for (let turn = 0; result === RESULT.AGAIN && turn < 9; turn++) result = device.read(offset, target);
    assert.equal(result, RESULT.OK);
    assert.deepEqual(target, bytes.slice(offset, offset + target.length));
  }
  for (const [offset, length] of [
    [0, 0],
    [512, 4096],
    [0, 512],
    [bytes.length, 4096],
    [-4096, 4096],
  ] as const)
    assert.equal(device.read(offset, new Uint8Array(length)), RESULT.EINVAL);
  const broken: BlockDevice = { blockSize, capacity: blockSize, read: () => RESULT.EUNSPEC, failure: "gone" };
  const split = new SplitDevice(broken);
  assert.equal(split.read(0, new Uint8Array(4096)), RESULT.EUNSPEC);
  assert.equal(split.failure, "gone");
});

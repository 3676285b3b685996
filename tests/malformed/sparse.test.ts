/**
 * Sparse images: gigabytes long, and a few kilobytes on disk. A header that claims much, or leads far, ends in a typed
 * error, after reads and memory that follow from the limits and from what is there, not from the claims.
 */
import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileDevice } from "../../src/devices/file.js";
import { type BlockDevice, DocteurError, open } from "../../src/index.js";
import { verifyImage } from "../../src/verify/index.js";
import { MODES } from "../support/core.js";
import { type Crafted, imageWith } from "../support/crafted-image.js";
import { temporaryFolder } from "../support/temporary.js";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const LIMIT = 32 * MIB;
/** Bytes that the tables of all objects may take; for one object they take 256. */
const TABLES = 4 * LIMIT;
const OBJECTS_MAX = TABLES / 256;

/** What an image of zeros has in front. */
interface Claims {
  capacity: number;
  /** Objects that the PACK announces. */
  count?: number;
  /** Where the header says that the IDX begins. */
  idxStart?: bigint;
  /** What else is written, by its offset. */
  parts?: [number, Uint8Array][];
}

/** Writes an image that is all zeros but for what is given. @returns its path */
async function sparse(
  t: TestContext,
  { capacity, count = 1, idxStart, parts = [] }: Claims,
): Promise<string> {
  const path = join(temporaryFolder(t), "disk.img");
  const head = Buffer.alloc(40);
  head.fill(0xab, 0, 20);
  head.writeBigUInt64LE(idxStart ?? BigInt(capacity - MIB), 20);
  head.write("PACK", 28);
  head.writeUInt32BE(2, 32);
  head.writeUInt32BE(count, 36);
  writeFileSync(path, "");
  truncateSync(path, capacity);
  const file = await openFile(path, "r+");
  for (const [offset, bytes] of [[0, head] as [number, Uint8Array], ...parts])
    await file.write(bytes, 0, bytes.length, offset);
  await file.close();
  return path;
}

/** Counts the bytes that a device is asked for. */
class CountingDevice implements BlockDevice {
  readonly #device: FileDevice;
  readonly blockSize: number;
  readonly capacity: number;
  read: BlockDevice["read"];
  bytes = 0;

  constructor(path: string) {
    this.#device = new FileDevice(path);
    this.blockSize = this.#device.blockSize;
    this.capacity = this.#device.capacity;
    this.read = (offset, target) => {
      this.bytes += target.length;
      return this.#device.read(offset, target);
    };
  }

  close(): void {
    this.#device.close();
  }
}

/** The most memory that this process has taken so far, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Every command ends in a typed error, and reads no more than that many bytes. */
async function refused(path: string, codes: readonly string[], mostRead: number): Promise<void> {
  const before = peak();
  for (const quick of [false, true]) {
    const { report, work } = await verifyImage(path, { quick, memoryLimit: LIMIT });
    const code = report.findings.find(({ severity }) => severity === "error")?.code;
    assert.ok(codes.includes(code!), `${report.status}, ${code}, quick: ${quick}`);
    assert.equal(report.status, code === "OutOfMemory" ? "unknown" : "damaged");
    assert.ok(work.read + work.made <= mostRead, `verify read ${work.read}, made ${work.made}`);
  }
  for (const mode of MODES) {
    const device = new CountingDevice(path);
    await assert.rejects(
      open(device, { mode, memoryLimit: LIMIT }),
      (error) => error instanceof DocteurError && error.code !== "Io",
      mode,
    );
    assert.ok(device.bytes <= mostRead, `${mode} read ${device.bytes}`);
  }
  const grown = peak() - before;
  assert.ok(grown < TABLES + 4 * LIMIT, `${grown} bytes of memory`);
}

const SOME = 4 * MIB;
/** Zeros that `verify` has to read. */
const ZEROS = 48 * MIB;

test("it announces more objects than it has bytes for", async (t) => {
  const path = await sparse(t, { capacity: 6 * GIB, count: 0xffffffff });
  await refused(path, ["BadPack"], SOME);
});

test("it announces as many objects as it has room for, and ids of all of them", async (t) => {
  const capacity = 32 * GIB;
  const count = 660_000_000;
  const idxStart = BigInt(6 * GIB);
  await refused(await sparse(t, { capacity, count, idxStart }), ["OutOfMemory"], SOME);
  const fanout = Buffer.alloc(1032);
  fanout.set([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]);
  for (let first = 0; first < 256; first++) fanout.writeUInt32BE(count, 8 + first * 4);
  const parts: [number, Uint8Array][] = [[6 * GIB, fanout]];
  await refused(await sparse(t, { capacity, count, idxStart, parts }), ["OutOfMemory"], SOME);
});

test("it announces as many objects as tables may be made for", async (t) => {
  const capacity = GIB;
  const count = OBJECTS_MAX;
  const idxStart = BigInt(capacity - 32 * count);
  const path = await sparse(t, { capacity, count, idxStart });
  // The IDX is read some times over.
  await refused(path, ["BadEntry", "BadIdx"], 4 * 32 * count + SOME);
});

test("its header leads beyond its end, or beyond what numbers hold", async (t) => {
  const capacity = 6 * GIB;
  for (const idxStart of [
    BigInt(capacity),
    BigInt(capacity) - 512n,
    2n ** 53n + 1n,
    2n ** 63n,
    2n ** 64n - 512n,
  ])
    await refused(await sparse(t, { capacity, idxStart }), ["Truncated"], SOME);
});

test("an entry claims a terabyte, and gigabytes of zeros follow", async (t) => {
  // A blob; sizes are 2^40, and as much as nine bytes hold. A stream's header and a block follow, or nothing.
  const sizes = [
    [0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x04],
    [0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  ];
  for (const size of sizes)
    for (const stream of [[], [0x78, 0x01], [0x78, 0x01, 0x00, 0x00, 0x00, 0xff, 0xff]]) {
      const parts: [number, Uint8Array][] = [[40, Uint8Array.from([...size, ...stream])]];
      const path = await sparse(t, { capacity: 6 * GIB, parts });
      await refused(
        path,
        ["BadZlib", "BadDeflate", "BadEntry", "ObjectTooLarge", "BadIdx", "SizeMismatch"],
        2 * SOME,
      );
    }
});

/** A sound image with zeros between PACK and IDX, or behind the IDX. */
async function stretched(
  t: TestContext,
  { bytes, idx }: Crafted,
  zeros: number,
  where: number,
): Promise<string> {
  const isBefore = where <= idx;
  const path = join(temporaryFolder(t), "disk.img");
  writeFileSync(path, bytes);
  truncateSync(path, bytes.length + zeros);
  const file = await openFile(path, "r+");
  if (isBefore) {
    await file.write(new Uint8Array(bytes.length - idx), 0, bytes.length - idx, idx);
    await file.write(bytes, idx, bytes.length - idx, idx + zeros);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(idx + zeros));
    await file.write(start, 0, 8, 20);
  }
  await file.close();
  return path;
}

test("sound images with many zeros take one or two readings of them, and readers none", async (t) => {
  const image = imageWith((crafted) => crafted.object("blob", "text"));
  for (const where of [image.idx, image.bytes.length]) {
    const path = await stretched(t, image, ZEROS, where);
    for (const quick of [false, true]) {
      const { report, work } = await verifyImage(path, { quick, memoryLimit: LIMIT });
      assert.deepEqual([report.status, report.findings], ["sound", []]);
      assert.ok(work.read <= 2 * ZEROS + SOME, `${work.read}`);
    }
    for (const mode of MODES) {
      const device = new CountingDevice(path);
      const volume = await open(device, { mode, memoryLimit: LIMIT });
      assert.equal(Buffer.from(await volume.get("/f")).toString(), "text");
      assert.ok(device.bytes < SOME, `${mode} read ${device.bytes}`);
      await volume.close();
    }
  }
});

test("offsets in the IDX that lie beyond the PACK and the image", async (t) => {
  const { bytes, idx } = imageWith((crafted) => crafted.object("blob", "text"));
  const count = bytes[39]!;
  const offsets = idx + 1032 + count * 24;
  for (const far of [
    [0x7f, 0xff, 0xff, 0xff],
    [0x80, 0, 0, 0],
    [0xff, 0xff, 0xff, 0xff],
  ]) {
    const path = join(temporaryFolder(t), "disk.img");
    const spoiled = bytes.slice();
    for (let rank = 0; rank < count; rank++) spoiled.set(far, offsets + rank * 4);
    writeFileSync(path, spoiled);
    truncateSync(path, ZEROS);
    const { report, work } = await verifyImage(path, { quick: true, memoryLimit: LIMIT });
    assert.deepEqual([report.status, report.findings[0]?.code], ["damaged", "BadIdx"]);
    assert.ok(work.read <= ZEROS + SOME);
    for (const mode of MODES) {
      const device = new CountingDevice(path);
      const tried = open(device, { mode, memoryLimit: LIMIT }).then(async (volume) => {
        const content = await volume.get("/f").finally(() => volume.close());
        assert.equal(Buffer.from(content).toString(), "text");
      });
      if (mode === "analyze") await tried;
      else await assert.rejects(tried, (error) => error instanceof DocteurError && error.code !== "Io");
      assert.ok(device.bytes < SOME, `${mode} read ${device.bytes}`);
    }
  }
});

/**
 * Reads inside of large files: the right bytes whatever the order of reads, the form of the stream, the memory and the
 * device; and without inflating much of the file again. Work is counted, not timed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import {
  DocteurError,
  MemoryDevice,
  type OpenOptions,
  open,
  type ReadResult,
  type Volume,
} from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, copy, delta, imageWith, treeEntry } from "../support/crafted-image.js";
import { assertFails } from "../support/defects.js";
import { gitOid } from "../support/fixtures.js";
import { chainOf, content, edit, FORMS, imageOf, place } from "../support/large-files.js";
import { type Random, seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";

const KIB = 1 << 10;
const MIB = 1 << 20;
const SMALLEST = 2 * MIB;

/** One read, which must give the right bytes. */
async function readAt(volume: Volume, data: Buffer, at: number, length: number): Promise<void> {
  const piece = await volume.getPartial("/f", at, length);
  const expected = data.subarray(at, Math.min(data.length, at + length));
  assert.ok(Buffer.from(piece).equals(expected), `${length} bytes at ${at}`);
}

/** Random reads of a file, a few of several at once. */
async function randomReads(volume: Volume, data: Buffer, random: Random, count: number): Promise<void> {
  let last = 0;
  for (let i = 0; i < count; i++) {
    const reads: Promise<void>[] = [];
    for (let several = random(4) ? 1 : 1 + random(5); several > 0; several--) {
      last = place(random, data.length, last);
      reads.push(readAt(volume, data, last, random(3) ? random(4000) : random(200_000)));
    }
    await Promise.all(reads);
  }
}

const variants = await coreVariants();
const isDebug = (label: string): boolean => label.startsWith("debug");

for (const { label, module } of variants)
  describe(label, () => {
    const size = (isDebug(label) ? 1.5 : 4) * MIB;
    const count = isDebug(label) ? 20 : 80;
    for (const [index, [form, write]] of FORMS.entries())
      test(`random reads are right: ${form}`, async () => {
        const random = seeded(100 + index);
        const data = content(size + random(99_999), random);
        const { bytes } = imageOf(data, write(data, random));
        const levels: OpenOptions[] = [{ proof: "none" }, { proof: "crc" }, { proof: "oid" }];
        for (const options of [levels[index % 3]!, { ...levels[(index + 1) % 3]!, memoryLimit: SMALLEST }]) {
          const volume = await open(bytes, { module, ...options });
          await randomReads(volume, data, random, count);
          const slow = await open(new SlowDevice(bytes, index), { module, ...options });
          await randomReads(slow, data, random, count >> 3);
        }
      });
  });

for (const { label, module } of variants)
  describe(`${label}, deltas`, () => {
    const size = (isDebug(label) ? 1 : 3) * MIB;
    const count = isDebug(label) ? 10 : 50;
    for (const [links, longest] of [
      [1, 0xffff],
      [3, 0x4000],
      [12, 60_000],
      [2, 300],
    ] as const)
      test(`random reads are right: ${links} deltas, copies of up to ${longest} bytes`, async () => {
        const random = seeded(links);
        const { bytes, data } = chainOf(size, links, random, longest);
        for (const options of [{ proof: "none" }, { proof: "crc" }, { proof: "oid" }] as const)
          for (const memoryLimit of [undefined, 12 * MIB, 3 * MIB]) {
            // What is hashed is made whole, as is a blob whose deltas are large; small memories do not hold it.
            const isRanged = options.proof !== "oid" && links <= 3 && longest > 1000;
            if (memoryLimit !== undefined && !isRanged) continue;
            const volume = await open(bytes, { module, ...options, memoryLimit });
            await randomReads(volume, data, random, count);
            const slow = await open(new SlowDevice(bytes, links), { module, ...options, memoryLimit });
            await randomReads(slow, data, random, count >> 3);
          }
      });
  });

/** The release build's core, as users have it. */
const { module } = variants.find(({ label }) => label === "release baseline")!;

/** A file of some MiB and a volume of it. */
async function largeFile(mib: number, options: OpenOptions = {}): Promise<{ data: Buffer; volume: Volume }> {
  const random = seeded(mib);
  const piece = content(MIB, random);
  const data = Buffer.alloc(mib * MIB);
  // No two are alike.
  for (let i = 0; i < mib; i++) {
    piece.copy(data, i * MIB);
    for (let at = i * MIB; at < (i + 1) * MIB; at += 500) data[at] = random(256);
  }
  const { bytes } = imageOf(data, deflateSync(data, { level: 1 }));
  return { data, volume: await open(bytes, { module, ...options }) };
}

/** Reads a file to its end in pieces. */
async function readAll(volume: Volume, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; at += 64 * KIB) await readAt(volume, data, at, 64 * KIB);
}

test("after a full read, 100 random ranges of an 80 MiB file inflate less than half of it", async () => {
  for (const options of [{}, { proof: "oid" }, { proof: "crc" }] as const) {
    const { data, volume } = await largeFile(80, options);
    await readAll(volume, data);
    const before = volume.stats().inflatedBytes;
    const random = seeded(80);
    for (let i = 0; i < 100; i++) await readAt(volume, data, random(data.length - 64 * KIB), 64 * KIB);
    const inflated = volume.stats().inflatedBytes - before;
    assert.ok(inflated < data.length / 2, `${inflated}`);
  }
});

test("two readers of one file by turns inflate it once each", async () => {
  const { data, volume } = await largeFile(40);
  const start = volume.stats().inflatedBytes;
  for (let i = 0; i < 100; i++) {
    await readAt(volume, data, i * 64 * KIB, 64 * KIB);
    await readAt(volume, data, 20 * MIB + i * 64 * KIB, 64 * KIB);
  }
  assert.ok(volume.stats().inflatedBytes - start < 36 * MIB, `${volume.stats().inflatedBytes - start}`);
});

test("more readers than there are windows go on from checkpoints", async () => {
  for (const memoryLimit of [undefined, 8 * MIB, SMALLEST]) {
    const { data, volume } = await largeFile(24, { memoryLimit });
    await readAll(volume, data);
    const start = volume.stats().inflatedBytes;
    for (let i = 0; i < 10; i++)
      for (let reader = 0; reader < 24; reader++)
        await readAt(volume, data, reader * MIB + i * 64 * KIB, 64 * KIB);
    const inflated = volume.stats().inflatedBytes - start;
    // 15 MiB are read. Checkpoints are some 3 MiB apart in the smallest memory.
    const most = memoryLimit === SMALLEST ? 480 * MIB : memoryLimit === undefined ? 90 * MIB : 160 * MIB;
    assert.ok(inflated < most, `${memoryLimit}: ${inflated}`);
  }
});

test("the last bytes of a file do not cost a second pass", async () => {
  for (const options of [{}, { proof: "oid" }] as const) {
    const { data, volume } = await largeFile(20, options);
    const start = volume.stats().inflatedBytes;
    await readAt(volume, data, data.length - 1000, 1000);
    await readAt(volume, data, data.length - 1000, 1000);
    await readAt(volume, data, data.length - 300_000, 1000);
    const inflated = volume.stats().inflatedBytes - start;
    assert.ok(inflated < data.length + 2 * MIB, `${JSON.stringify(options)}: ${inflated}`);
  }
});

test("backward reads inflate no more than a few times the file", async () => {
  const { data, volume } = await largeFile(20);
  await readAll(volume, data);
  const start = volume.stats().inflatedBytes;
  for (let at = data.length - 64 * KIB; at >= 0; at -= 64 * KIB) await readAt(volume, data, at, 64 * KIB);
  const inflated = volume.stats().inflatedBytes - start;
  assert.ok(inflated < 3.5 * data.length, `${inflated}`);
});

/** A device whose bytes can be changed after they were read. */
class ChangingDevice extends MemoryDevice {
  change: { at: number; mask: number } | undefined;

  override read(offset: number, target: Uint8Array): ReadResult {
    const result = super.read(offset, target);
    const { change } = this;
    if (change !== undefined && change.at >= offset && change.at < offset + target.length)
      target[change.at - offset]! ^= change.mask;
    return result;
  }
}

test("bytes that change after the first pass are noticed where their segment ends", async () => {
  const random = seeded(5);
  const data = content(6 * MIB, random);
  // In stored blocks any byte can change, and the stream stays well-formed.
  const { bytes, offset } = imageOf(data, deflateSync(data, { level: 0 }));
  for (const options of [{ proof: "none" }, { proof: "oid" }] as const) {
    const device = new ChangingDevice(bytes);
    // The caches of the smallest memory forget sectors soon.
    const volume = await open(device, { module, ...options, memoryLimit: SMALLEST });
    await readAll(volume, data);
    device.change = { at: offset + 3 * MIB + 777, mask: 0x10 };
    // The changed piece may be served, but not what lies behind its segment.
    await assertFails(
      volume.getPartial("/f", 3 * MIB - 100_000, 2 * MIB),
      ["BadAdler"],
      JSON.stringify(options),
    );
    device.change = undefined;
    await randomReads(volume, data, random, 30);
  }
});

test("checkpoints of many files share the memory, and that of idle files goes to others", async () => {
  const random = seeded(9);
  const data = content(3 * MIB, random);
  const files = Array.from({ length: 20 }, (_, i) => {
    const file = Buffer.from(data);
    file.writeUInt32LE(i + 1, 100 * i);
    return file;
  });
  const image = new CraftedImage();
  const blobs = files.map((file) => image.object("blob", file).oid);
  const order = files.map((_, i) => i).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
  image.commit(image.tree(...order.map((i) => treeEntry("100644", `${i}`, blobs[i]!))).oid);
  const { bytes } = image.finish();
  for (const memoryLimit of [undefined, 16 * MIB, SMALLEST]) {
    const volume = await open(bytes, { module, memoryLimit });
    for (let i = 0; i < 300; i++) {
      const which = random(i < 150 ? 20 : 2);
      const at = random(data.length);
      const piece = await volume.getPartial(`/${which}`, at, 5000);
      assert.ok(Buffer.from(piece).equals(files[which]!.subarray(at, at + 5000)), `${which} at ${at}`);
    }
    if (memoryLimit !== undefined) assert.ok(volume.stats().memoryBytes <= memoryLimit);
  }
});

test("a range of a large delta inflates no more of its base than it needs", async () => {
  const random = seeded(12);
  const base = content(30 * MIB, random);
  const { instructions, result } = edit(base, random, 0xffff);
  const { bytes } = imageWith((image) => {
    const placed = image.object("blob", base);
    return image.ofsDelta(gitOid("blob", result), placed.offset, instructions);
  });
  const volume = await open(bytes, { module });
  const start = volume.stats();
  await readAt(volume, result, 1000, 1000);
  assert.ok(volume.stats().inflatedBytes - start.inflatedBytes < 2 * MIB);
  await readAll(volume, result);
  const read = volume.stats();
  // The base once, and what was moved from far away.
  assert.ok(read.inflatedBytes - start.inflatedBytes < 4 * base.length, `${read.inflatedBytes}`);
  assert.ok(read.memoryBytes < 30 * MIB, `${read.memoryBytes}`);
  for (let i = 0; i < 50; i++) await readAt(volume, result, random(result.length), 1000);
  const inflated = volume.stats().inflatedBytes - read.inflatedBytes;
  assert.ok(inflated < base.length, `${inflated}`);
});

test("a large delta that is read whole is made whole", async () => {
  const random = seeded(15);
  const base = content(9 * MIB, random);
  const { instructions, result } = edit(base, random, 0xffff);
  const { bytes } = imageWith((image) => {
    const placed = image.object("blob", base);
    return image.ofsDelta(gitOid("blob", result), placed.offset, instructions);
  });
  const volume = await open(bytes, { module });
  const start = volume.stats().inflatedBytes;
  assert.ok(Buffer.from(await volume.get("/f")).equals(result));
  const inflated = volume.stats().inflatedBytes - start;
  assert.ok(inflated < base.length + instructions.length + 100_000, `${inflated}`);
});

test("a delta that takes a large base to pieces is made whole", async () => {
  const random = seeded(13);
  const base = content(9 * MIB, random);
  const pieces = Array.from({ length: 60_000 }, () => random(base.length - 64));
  const result = Buffer.concat(pieces.map((from) => base.subarray(from, from + 64)));
  const instructions = delta(base.length, result.length, ...pieces.map((from) => copy(from, 64)));
  const { bytes } = imageWith((image) => {
    const placed = image.object("blob", base);
    return image.ofsDelta(gitOid("blob", result), placed.offset, instructions);
  });
  const volume = await open(bytes, { module });
  const start = volume.stats().inflatedBytes;
  await readAll(volume, result);
  const inflated = volume.stats().inflatedBytes - start;
  // For the first piece ranges are tried; the whole is made for it, and kept.
  assert.ok(inflated < 4 * (base.length + result.length), `${inflated}`);
});

test("a damaged delta fails in ranges as it does whole", async () => {
  const random = seeded(14);
  const base = content(700_000, random);
  const seen = new Set<string>();
  for (let round = 0; round < 60; round++) {
    const { instructions, result } = edit(base, random, 0x8000);
    const damaged = Buffer.from(instructions);
    // The sizes at its head, an instruction, or its end.
    const at = [random(6), 6 + random(damaged.length - 6), damaged.length - 1][random(3)]!;
    damaged[at]! ^= 1 << random(8);
    const { bytes } = imageWith((image) => {
      const placed = image.object("blob", base);
      const cut = random(8) ? damaged : damaged.subarray(0, random(damaged.length));
      return image.ofsDelta(gitOid("blob", result), placed.offset, cut);
    });
    const outcome = async (memoryLimit?: number): Promise<string | Buffer> => {
      const volume = await open(bytes, { module, memoryLimit });
      try {
        return Buffer.from(await volume.get("/f"));
      } catch (error) {
        assert.ok(error instanceof DocteurError);
        return `${error.code} at ${error.offset}`;
      }
    };
    const [whole, ranges] = [await outcome(), await outcome(SMALLEST)];
    assert.deepEqual(ranges, whole, `round ${round}`);
    seen.add(typeof whole === "string" ? whole.split(" ")[0]! : "read");
  }
  assert.ok(seen.size >= 4, [...seen].join());
});

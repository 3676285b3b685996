/**
 * Fuzzes reads inside of large files: streams of every form, and chains of deltas, read at random places by several
 * operations at once, within small memories, over devices of every speed. The whole content is the oracle.
 */
import assert from "node:assert/strict";
import { type OpenOptions, open } from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import { chainOf, content, FORMS, imageOf, place } from "../support/large-files.js";
import type { Random } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";
import type { Target } from "./target.js";

const MIB = 1 << 20;

function fileOf(random: Random): { bytes: Uint8Array; data: Buffer; what: string } {
  const size = 600_000 + random(random(3) ? 600_000 : 2 * MIB);
  if (random(2) === 0) {
    const data = content(size, random);
    const [form, write] = FORMS[random(FORMS.length)]!;
    return { bytes: imageOf(data, write(data, random)).bytes, data, what: form };
  }
  const links = 1 + random(3);
  return { ...chainOf(size, links, random, 2000 + random(60_000)), what: `${links} deltas` };
}

/** A case is one file, read some twenty times. */
export const seek: Target = async () => {
  const variants = await coreVariants();
  return async ({ random, index, keep, count }) => {
    const { bytes, data, what } = fileOf(random);
    keep(bytes);
    const { module } = variants[random(8) ? index % 2 : index % 4]!;
    const proof = (["none", "none", "crc", "oid"] as const)[random(4)]!;
    const options: OpenOptions = { module, proof };
    // A blob that is hashed may have to be in memory whole.
    if (proof !== "oid") options.memoryLimit = 3 * MIB + random(6 * MIB);
    const volume = await open(random(3) ? bytes : new SlowDevice(bytes, random(1000)), options);
    let last = 0;
    for (let round = 0; round < 8; round++) {
      const reads: Promise<void>[] = [];
      for (let several = 1 + random(4); several > 0; several--) {
        last = place(random, data.length, last);
        const [at, length] = [last, random(random(3) ? 4000 : 150_000)];
        const read = async (): Promise<void> => {
          const piece = await volume.getPartial("/f", at, length);
          assert.ok(
            Buffer.from(piece).equals(data.subarray(at, at + length)),
            `${length} bytes at ${at}, ${what}`,
          );
        };
        reads.push(read());
      }
      await Promise.all(reads);
    }
    await volume.close();
    count(what);
  };
};

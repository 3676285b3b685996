/**
 * Fuzzes whole images in every mode, at every level of proof, and with `verify`: right bytes or a known error, within the memory limit,
 * in time; what `verify` passes reads the same in every mode, and as its ids say; and what is read with proof is what the image held
 * before it was changed.
 */
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { assertSound as verifySound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { buildImage, fixChecksums, KIND, type PackEntry } from "../support/pack.js";
import type { Random } from "../support/random.js";
import { mutate } from "./mutate.js";
import { type Sample, samples } from "./samples.js";
import type { Target } from "./target.js";
import {
  assertProven,
  assertSound,
  attempt,
  type Outcome,
  type Seen,
  type WalkOptions,
  walk,
} from "./walk.js";

const BUDGET = 60;

/** Cuts or fills to whole blocks, as devices have them. */
function toBlocks(image: Buffer, random: Random): Buffer {
  const whole = Math.max(512, image.length - (image.length % 512));
  return image.length >= 512 && random(2)
    ? image.subarray(0, whole)
    : Buffer.concat([image, Buffer.alloc((512 - (image.length % 512)) % 512)]);
}

/** Changes bytes where they lie. */
function mutateBytes({ image, parts }: Sample, random: Random): Buffer {
  const { packEnd, idxStart, idxEnd } = parts;
  const [from, to] = [
    [0, 40],
    [0, idxEnd],
    [28, packEnd],
    [idxStart, idxEnd],
  ][random(4)]! as [number, number];
  const out = Buffer.from(image);
  const changed = mutate(out.subarray(from, to), random);
  if (random(3)) changed.copy(out, from, 0, Math.min(changed.length, to - from));
  else return toBlocks(Buffer.concat([out.subarray(0, from), changed, out.subarray(to)]), random);
  if (random(3)) fixChecksums(out, parts);
  return out;
}

/** Changes one entry. */
function mutateEntry(entry: PackEntry, entries: PackEntry[], random: Random): void {
  const other = entries[random(entries.length)]!;
  switch (random(10)) {
    case 0:
      entry.kind = random(8);
      break;
    case 1:
      entry.size = random(3)
        ? Math.max(0, entry.content.length + random(5) - 2)
        : 2 ** (random(50) + 1) - random(2);
      break;
    case 2:
      entry.base = other.oid;
      if (entry.kind < KIND.ofsDelta) entry.kind = random(2) ? KIND.ofsDelta : KIND.refDelta;
      break;
    case 3:
      entry.oid = random(2)
        ? mutate(Buffer.from(entry.oid, "hex"), random, 1).toString("hex").padEnd(40, "0").slice(0, 40)
        : entry.oid;
      break;
    case 4:
      [entry.content, other.content] = [other.content, entry.content];
      break;
    case 5:
      entry.stream = mutate(deflateSync(entry.content), random);
      break;
    default:
      entry.content = mutate(entry.content, random, 3, [other.content]);
  }
}

/** Changes entries and puts the image together anew: its ids are those of the sound entries, its checksums right. */
function mutateEntries({ parts }: Sample, random: Random): Buffer {
  const entries = parts.entries.map((entry) => ({ ...entry }));
  for (let left = 1 + random(3); left > 0; left--) {
    // The first entries are the commit and the trees, on which all else hangs.
    const index = random(random(2) ? Math.min(8, entries.length) : entries.length);
    mutateEntry(entries[index]!, entries, random);
    if (random(12) === 0 && entries.length > 1) entries.splice(random(entries.length), 1);
    if (random(12) === 0) entries.push(entries.splice(random(entries.length), 1)[0]!);
  }
  const distinct = [...new Map(entries.map((entry) => [entry.oid, entry])).values()];
  return buildImage(parts.commit, distinct);
}

/** What both have read is the same. */
function assertAgree(a: Outcome<Seen>, b: Outcome<Seen>, what: string): void {
  for (const [path, { value }] of a.value?.files ?? []) {
    const other = b.value?.files.get(path)?.value;
    if (value !== undefined && other !== undefined) assert.deepEqual(other, value, `${what}: ${path}`);
  }
}

/** How a mutated image is read with proof, by turns. */
function proofOf(sample: Sample, random: Random): NonNullable<WalkOptions["proof"]> {
  const { commit } = sample.parts;
  return [
    { proof: "crc" as const },
    { commit, proof: "oid" as const },
    { commit, proof: "oid" as const, collisions: true },
  ][random(3)]!;
}

/** What a sound image holds. */
async function readAll({ image }: Sample, module: WebAssembly.Module, random: Random): Promise<Seen> {
  const budget = Number.POSITIVE_INFINITY;
  return (await walk(image, { module, mode: "light", memoryLimit: 16 << 20, budget, random })).value!;
}

/** A case is one image, mutated, in three modes on one of the four builds. */
export const image: Target = async () => {
  const variants = await coreVariants();
  const all = samples();
  const originals = new Map<Sample, Seen>();
  return async (fuzz) => {
    const { random, index, keep, count, given, corpus } = fuzz;
    let sample = all[random(all.length)]!;
    let bytes = random(2) ? mutateBytes(sample, random) : mutateEntries(sample, random);
    if (given !== undefined || (corpus.length > 0 && random(8) === 0)) {
      // Saved images claim to be of this one's commit.
      sample = all.find(({ name }) => name === "tiny")!;
      bytes = toBlocks(Buffer.from(given ?? mutate(corpus[random(corpus.length)]!, random)), random);
    }
    keep(bytes);
    const { module } = variants[index % variants.length]!;
    const verified = await attempt(() => verifySound(bytes, { memoryLimit: 16 << 20 }));
    const memoryLimit = (2 << 20) + random(2 << 20);
    const budget = verified.value === undefined ? BUDGET : Number.POSITIVE_INFINITY;
    const seen: Outcome<Seen>[] = [];
    for (const mode of MODES) seen.push(await walk(bytes, { module, mode, memoryLimit, budget, random }));
    count(verified.code ?? "verified");
    assertAgree(seen[0]!, seen[1]!, "light and fast");
    const proof = proofOf(sample, random);
    const mode = MODES[random(MODES.length)]!;
    const proven = await walk(bytes, { module, mode, memoryLimit, budget: BUDGET, random, proof });
    if (proof.proof === "oid") {
      if (!originals.has(sample)) originals.set(sample, await readAll(sample, module, random));
      assertProven(proven, originals.get(sample)!);
      count(proven.code ?? "opened with proof");
    }
    if (verified.value === undefined) return;
    MODES.forEach((mode, at) => {
      assertSound(seen[at]!, mode);
      assertAgree(seen[0]!, seen[at]!, `light and ${mode}`);
      assert.equal(seen[at]!.value?.files.size, seen[0]!.value?.files.size);
    });
  };
};

/**
 * Fuzzes the IDX alone. `analyze` reads no byte of it, and answers as for the sound image; `verify` finds every change of it. The other
 * modes believe its offsets, by design: reads are not hashed (docs/RATIONALE.md, "Reading checks Adler-32, verifying checks SHA-1"). A wrong
 * offset can therefore lead to another object of the pack, and a wrong base of the right size to a mixture, but to nothing else.
 */
import assert from "node:assert/strict";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { gitOid } from "../support/fixtures.js";
import { fixChecksums, KIND, resolveAll } from "../support/pack.js";
import type { Random } from "../support/random.js";
import { mutate } from "./mutate.js";
import { type Sample, samples } from "./samples.js";
import type { Target } from "./target.js";
import { attempt, type Seen, walk } from "./walk.js";

const BUDGET = 80;

/** Writes a row of a column over another, or swaps both: entries stay plausible. */
function moveRows(idx: Buffer, random: Random): void {
  const count = idx.readUInt32BE(8 + 255 * 4);
  const [start, width] = [
    [1032, 20],
    [1032 + count * 20, 4],
    [1032 + count * 24, 4],
    [8, 4],
  ][random(4)]! as [number, number];
  const rows = start === 8 ? 256 : count;
  const a = start + random(rows) * width;
  const b = start + random(rows) * width;
  const kept = Buffer.from(idx.subarray(a, a + width));
  idx.copyWithin(a, b, b + width);
  if (random(2)) kept.copy(idx, b);
}

function mutateIdx({ image, parts }: Sample, random: Random): Buffer {
  const out = Buffer.from(image);
  const idx = out.subarray(parts.idxStart, parts.idxEnd);
  if (random(2)) for (let left = 1 + random(4); left > 0; left--) moveRows(idx, random);
  else mutate(idx, random).copy(idx, 0, 0, idx.length);
  if (random(2)) fixChecksums(out, parts);
  return out;
}

/** An image with another index, as far as it has room. */
function withIdx({ image, parts }: Sample, idx: Uint8Array): Buffer {
  const out = Buffer.from(image);
  out.set(idx.subarray(0, parts.idxEnd - parts.idxStart), parts.idxStart);
  return out;
}

/** A case is one index, mutated, in every mode on one of the four builds. */
export const idx: Target = async () => {
  const variants = await coreVariants();
  const all = samples().map((sample) => {
    const { entries } = sample.parts;
    const blobs = new Set([...resolveAll(entries).values()].map(({ data }) => gitOid("blob", data)));
    return { sample, blobs, isMixable: entries.some(({ kind }) => kind === KIND.refDelta) };
  });
  const answers = new Map<Sample, Seen>();
  return async ({ random, index, keep, count, given, corpus }) => {
    let { sample, blobs, isMixable } = all[random(all.length)]!;
    let bytes = mutateIdx(sample, random);
    if (given !== undefined || (corpus.length > 0 && random(8) === 0)) {
      ({ sample, blobs, isMixable } = all.find(({ sample }) => sample.name === "tiny")!);
      bytes = withIdx(sample, given ?? mutate(corpus[random(corpus.length)]!, random));
    }
    keep(bytes);
    const { module } = variants[index % variants.length]!;
    const memoryLimit = (2 << 20) + random(2 << 20);
    const options = { module, memoryLimit, budget: BUDGET, random };

    const isChanged = !bytes.equals(sample.image);
    const verified = await attempt(() => assertSound(bytes, { memoryLimit: 16 << 20 }));
    assert.equal(verified.code, isChanged ? "BadIdx" : undefined, "verify");

    const analyzed = await walk(bytes, { ...options, mode: "analyze" });
    if (!answers.has(sample))
      answers.set(sample, (await walk(sample.image, { ...options, mode: "analyze" })).value!);
    assert.deepEqual(analyzed.value, answers.get(sample), "analyze");

    for (const mode of ["light", "fast"] as const) {
      const seen = await walk(bytes, { ...options, mode });
      count(seen.code ?? "opened");
      for (const [path, { value }] of seen.value?.files ?? [])
        if (value !== undefined && !isMixable)
          assert.ok(blobs.has(gitOid("blob", value)), `${mode}: ${path}`);
    }
  };
};

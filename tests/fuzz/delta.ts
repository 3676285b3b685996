/** Fuzzes deltas: random and mutated ones, against an independent reader, with guarded memory around every buffer. */
import assert from "node:assert/strict";
import { STATUS } from "../../src/errors.js";
import { applyBody, encodeSize, randomDelta, readHeader } from "../support/delta-encoder.js";
import type { Random } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";
import { mutate } from "./mutate.js";
import { type Case, inputOf, type Target } from "./target.js";

const PAGES = 32;
const PAGE = 65536;
const GUARD = 64;
const SENTINEL = 0xa5;
/** Larger results are passed over: the caller of `deltaApply` refuses what memory has no room for. */
const RESULT_MAX = 200_000;
const REFUSALS: readonly number[] = [STATUS.BadDelta, STATUS.DeltaCopyRange, STATUS.DeltaResultSize];

interface Probe {
  memory: WebAssembly.Memory;
  DELTA_SLACK: WebAssembly.Global;
  deltaBaseSize: WebAssembly.Global;
  deltaResultSize: WebAssembly.Global;
  deltaBody: WebAssembly.Global;
  deltaHeader(ptr: number, end: number): number;
  deltaApply(
    delta: number,
    deltaEnd: number,
    base: number,
    baseLen: number,
    out: number,
    outLen: number,
  ): number;
}

/** Content with repetitions and runs, as texts have. */
function randomBase(random: Random): Buffer {
  const kind = random(8);
  const base = Buffer.alloc(kind === 0 ? random(4) : kind < 7 ? random(500) : random(150_000));
  const alphabet = 1 + random(256);
  for (let at = 0; at < base.length; at++) base[at] = random(alphabet);
  return base;
}

function randomInput(random: Random): { base: Buffer; delta: Buffer } {
  const base = randomBase(random);
  const sound = randomDelta(base.length, random);
  if (random(4) === 0) return { base, delta: sound };
  if (random(2)) return { base, delta: mutate(sound, random) };
  // Only the instructions are mutated, and the result's size follows them where they make one.
  const header = readHeader(sound)!;
  const body = mutate(sound.subarray(header.body), random, 3);
  const size = Math.max(0, Number(header.result) + [0, 0, 1, -1, 40, -40][random(6)]!);
  return {
    base,
    delta: Buffer.concat([Buffer.from([...encodeSize(base.length), ...encodeSize(size)]), body]),
  };
}

/** A case's input: u32 little-endian length of the base, the base, the delta. */
function pack(base: Buffer, delta: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(base.length);
  return Buffer.concat([length, base, delta]);
}

function unpack(input: Buffer): { base: Buffer; delta: Buffer } {
  const end = 4 + (input.length < 4 ? 0 : input.readUInt32LE());
  return { base: input.subarray(4, end), delta: input.subarray(end) };
}

/** Places of the three buffers, one of which ends, slack and all, where the memory ends: reading further traps. */
function layOut(
  lengths: readonly number[],
  last: number,
  slack: number,
  start: number,
  end: number,
): number[] {
  const places: number[] = [];
  let at = start;
  lengths.forEach((length, index) => {
    places.push(index === last ? end - length - slack : at + GUARD);
    if (index !== last) at += GUARD + length + slack + GUARD;
  });
  return places;
}

function check(probe: Probe, fuzz: Case, base: Buffer, delta: Buffer): void {
  const { random } = fuzz;
  const slack = Number(probe.DELTA_SLACK.value);
  const bytes = new Uint8Array(probe.memory.buffer);
  const start = bytes.length - PAGES * PAGE;
  const expected = readHeader(delta);
  const resultLen = expected === undefined ? 0 : Number(expected.result);
  if (resultLen > RESULT_MAX) {
    fuzz.count("passed over");
    return;
  }
  const lengths = [base.length, delta.length, resultLen];
  const [basePtr, deltaPtr, out] = layOut(lengths, random(3), slack, start, bytes.length) as [
    number,
    number,
    number,
  ];
  bytes.fill(SENTINEL, start);
  bytes.set(base, basePtr);
  bytes.set(delta, deltaPtr);
  const deltaEnd = deltaPtr + delta.length;
  const status = probe.deltaHeader(deltaPtr, deltaEnd);
  assert.equal(status, expected === undefined ? STATUS.BadDelta : STATUS.Ok, "the header's verdict");
  if (expected === undefined) {
    fuzz.count("bad header");
    return;
  }
  assert.equal(probe.deltaBaseSize.value, expected.base);
  assert.equal(probe.deltaResultSize.value, expected.result);
  assert.equal(probe.deltaBody.value, deltaPtr + expected.body);
  const verdict = probe.deltaApply(deltaPtr + expected.body, deltaEnd, basePtr, base.length, out, resultLen);
  const result = applyBody(delta.subarray(expected.body), base, resultLen);
  assert.equal(verdict === STATUS.Ok, result !== undefined, `the verdict ${verdict}`);
  assert.ok(verdict === STATUS.Ok || REFUSALS.includes(verdict), `status ${verdict}`);
  if (result !== undefined)
    assert.ok(Buffer.from(result).equals(bytes.subarray(out, out + resultLen)), "bytes");
  fuzz.count(result === undefined ? "refused" : "applied");
  assert.ok(base.equals(bytes.subarray(basePtr, basePtr + base.length)), "the base is untouched");
  assert.ok(delta.equals(bytes.subarray(deltaPtr, deltaEnd)), "the delta is untouched");
  const untouched = (from: number, to: number): boolean =>
    bytes.subarray(from, to).every((byte) => byte === SENTINEL);
  assert.ok(untouched(out - GUARD, out), "bytes before the result");
  const outEnd = out + resultLen + slack;
  assert.ok(untouched(outEnd, Math.min(bytes.length, outEnd + GUARD)), "bytes behind the result's slack");
}

/** A case is one delta, on one of the four builds. */
export const delta: Target = async () => {
  const probes = [...probeVariants("delta")].map((variant) => variant.exports as Probe);
  for (const probe of probes) probe.memory.grow(PAGES);
  return async (fuzz) => {
    const input = inputOf(fuzz, (random) => {
      const { base, delta } = randomInput(random);
      return pack(base, delta);
    });
    fuzz.keep(input);
    const { base, delta } = unpack(input);
    check(probes[fuzz.index % probes.length]!, fuzz, base, delta);
  };
};

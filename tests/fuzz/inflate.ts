/**
 * Fuzzes the inflater with zlib as the oracle. Streams are zlib's own or made block by block with codes of any shape, then
 * mutated, spliced and cut, and run through windows of random sizes.
 */
import { BitWriter, randomBlock } from "../support/deflate-writer.js";
import {
  assertVerdict,
  DEFLATERS,
  Inflater,
  oracle,
  type RunOptions,
  type Windows,
} from "../support/inflater.js";
import type { Random } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";
import { inputOf, type Target } from "./target.js";

/** Streams that make more are passed over. */
const CAPACITY = 1 << 20;

function validStream(random: Random): Buffer {
  if (random(2)) {
    const writer = new BitWriter();
    let made = 0;
    for (let blocks = random(5); blocks > 0; blocks--) made = randomBlock(writer, random, made, false);
    randomBlock(writer, random, made, true);
    return writer.finish();
  }
  const data = Buffer.alloc(random(random(2) ? 200 : 20_000));
  const alphabet = 1 + random(256);
  for (let at = 0; at < data.length; at++) {
    const distance = 1 + random(Math.max(1, at));
    data[at] = random(3) ? random(alphabet) : data[Math.max(0, at - distance)]!;
    if (at > 300 && random(20) === 0) at += data.copy(data, at, at - 1 - random(300), at - 1);
  }
  return DEFLATERS[random(DEFLATERS.length)]!.deflate(data, true);
}

function mutate(stream: Buffer, random: Random): Buffer {
  let out: Buffer = Buffer.from(stream);
  for (let changes = random(4); changes > 0 && out.length > 0; changes--) {
    const at = random(random(2) ? Math.min(out.length, 60) : out.length);
    const kind = random(6);
    if (kind < 3) out[at]! ^= 1 << random(8);
    else if (kind === 3) out[at] = random(256);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), out.subarray(at + random(8))]);
    else out = Buffer.concat([out.subarray(0, at), validStream(random)]);
  }
  return random(6) ? out : out.subarray(0, random(out.length + 1));
}

function windows(random: Random): Windows | undefined {
  const kind = random(4);
  if (kind === 0) return undefined;
  const most = [3, 40, 3000][kind - 1]!;
  return () => random(most);
}

/** A case is one stream, on one of the four builds. */
export const inflate: Target = async () => {
  const inflaters = [...probeVariants("inflate")].map(({ label, exports }) => ({
    label,
    inflater: new Inflater(exports, CAPACITY),
  }));
  return async (fuzz) => {
    const { random, index, keep, count } = fuzz;
    const stream = inputOf(fuzz, (random) => mutate(validStream(random), random));
    keep(stream);
    const verdict = oracle(stream, true);
    const { label, inflater } = inflaters[index % inflaters.length]!;
    const options: RunOptions = {
      raw: true,
      slack: random(40),
      expectedSize: random(3) ? random(40_000) : 0,
    };
    const input = windows(random);
    const output = windows(random);
    if (input !== undefined) options.input = input;
    if (output !== undefined) options.output = output;
    options.sliding = random(2) === 0;
    options.resumed = random(2) === 0;
    options.capacity = CAPACITY;
    if ("output" in verdict) options.capacity = Math.min(CAPACITY, verdict.output.length);
    count("output" in verdict ? "accepted" : "refused");
    const result = inflater.run(stream, options);
    if (result.totalOut < CAPACITY) assertVerdict(result, verdict, label);
  };
};

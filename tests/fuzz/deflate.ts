/**
 * Fuzzes the encoder: structured content, whole or in pieces, comes back from zlib and from our inflater, and all four
 * builds give the same bytes.
 */
import assert from "node:assert/strict";
import {
  assertInflates,
  Deflater,
  EFFORTS,
  randomContent,
  randomPieces,
  storedLength,
} from "../support/deflater.js";
import { Inflater, Status } from "../support/inflater.js";
import { probeVariants } from "../support/wasm.js";
import type { Target } from "./target.js";

const SIZE_MAX = 300_000;

/** A case is one content, by one effort. */
export const deflate: Target = async () => {
  const deflaters = [...probeVariants("deflate")].map(({ label, exports }) => ({
    label,
    deflater: new Deflater(exports, SIZE_MAX),
  }));
  const inflaters = [...probeVariants("inflate")].map(({ exports }) => new Inflater(exports, SIZE_MAX));
  return async ({ random, index, keep, count }) => {
    const size = random([40, 600, 20_000, SIZE_MAX][Math.min(random(5), 3)]!);
    const data = randomContent(size, random);
    keep(data);
    const effort = random(4) ? EFFORTS.thorough : EFFORTS.quick;
    const pieces = random(4) ? undefined : randomPieces(data, random);
    const [first, ...others] = deflaters.map(({ label, deflater }) => {
      const stream = pieces ? deflater.deflatePieces(pieces, effort) : deflater.deflate(data, effort);
      assert.ok(stream !== undefined, `${label}: there is room for stored blocks`);
      return { label, stream };
    });
    const { stream } = first!;
    for (const other of others) assert.ok(other.stream.equals(stream), `${other.label}: the same bytes`);
    if (pieces === undefined) assert.ok(stream.length <= storedLength(size), "no longer than stored");
    assertInflates(stream, data, "zlib");
    const result = inflaters[index % inflaters.length]!.run(stream, { capacity: size, expectedSize: size });
    assert.equal(result.status, Status.OK, "our inflater");
    assert.equal(result.totalIn, stream.length);
    assert.ok(result.output.equals(data), "our inflater");
    if (pieces === undefined) {
      const { deflater } = deflaters[index % deflaters.length]!;
      assert.equal(deflater.deflate(data, effort, stream.length - 1), undefined, "one byte too few");
      assert.ok(deflater.deflate(data, effort, stream.length)?.equals(stream), "just enough room");
    }
    count(pieces ? "in pieces" : "whole");
  };
};

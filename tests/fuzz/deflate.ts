/**
 * Fuzzes the encoder: structured content, whole or in parts, comes back from zlib and from our inflater, takes no more
 * than stored blocks and just the room that it needs, and all four builds give the same bytes.
 */
import assert from "node:assert/strict";
import {
  assertInflates,
  Deflater,
  type PartRange,
  partRanges,
  randomContent,
  randomCuts,
  storedLength,
  storedPartLength,
} from "../support/deflater.js";
import { Inflater, Status } from "../support/inflater.js";
import { probeVariants } from "../support/wasm.js";
import type { Target } from "./target.js";

const SIZE_MAX = 300_000;

/** What needs just the room that it takes, of some number of bytes at most. */
function checkRoom(encode: (room?: number) => Buffer | undefined, most: number): void {
  const bytes = encode();
  assert.ok(bytes !== undefined && bytes.length <= most, "no longer than stored");
  assert.equal(encode(bytes.length - 1), undefined, "one byte too few");
  assert.ok(encode(bytes.length)?.equals(bytes), "just enough room");
}

/** A case is one content. */
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
    const ranges = random(2) ? partRanges(size, randomCuts(size, random)) : undefined;
    const [first, ...others] = deflaters.map(({ label, deflater }) => {
      const stream = ranges ? deflater.deflateParts(data, ranges) : deflater.deflate(data);
      assert.ok(stream !== undefined, `${label}: there is room for stored blocks`);
      return { label, stream };
    });
    const { stream } = first!;
    for (const other of others) assert.ok(other.stream.equals(stream), `${other.label}: the same bytes`);
    assertInflates(stream, data, "zlib");
    const result = inflaters[index % inflaters.length]!.run(stream, { capacity: size, expectedSize: size });
    assert.equal(result.status, Status.OK, "our inflater");
    assert.equal(result.totalIn, stream.length);
    assert.ok(result.output.equals(data), "our inflater");
    const { deflater } = deflaters[index % deflaters.length]!;
    if (ranges) {
      const range: PartRange = ranges[random(ranges.length)]!;
      checkRoom((room) => deflater.deflatePart(data, range, room), storedPartLength(range.end - range.start));
    } else {
      checkRoom((room) => deflater.deflate(data, room), storedLength(size));
    }
    count(ranges ? "in parts" : "whole");
  };
};

/** Code lengths against a reference that tries less cleverly, and the canonical codes of RFC 1951. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { codesOf } from "../support/deflate-writer.js";
import { type Random, seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

/** The least bits of a code of at most `limit` bits: package-merge as it is told, with lists of lists. */
function leastBits(frequencies: readonly number[], limit: number): number {
  type Package = { weight: number; symbols: number[] };
  const leaves: Package[] = frequencies
    .map((weight, symbol) => ({ weight, symbols: [symbol] }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => a.weight - b.weight);
  let list: Package[] = [];
  for (let level = 0; level < limit; level++) {
    const pairs: Package[] = [];
    for (let i = 0; i + 1 < list.length; i += 2)
      pairs.push({
        weight: list[i]!.weight + list[i + 1]!.weight,
        symbols: [...list[i]!.symbols, ...list[i + 1]!.symbols],
      });
    list = [...leaves, ...pairs].sort((a, b) => a.weight - b.weight);
  }
  return list.slice(0, 2 * leaves.length - 2).reduce((sum, { weight }) => sum + weight, 0);
}

function fibonacci(count: number): number[] {
  const numbers = [1, 1];
  while (numbers.length < count) numbers.push(numbers.at(-1)! + numbers.at(-2)!);
  return numbers;
}

function randomFrequencies(random: Random): number[] {
  const most = [2, 10, 300, 40_000][random(4)]!;
  const isSteep = random(2) === 0;
  return Array.from({ length: 1 + random(286) }, () => {
    if (random(4) === 0) return 0;
    return isSteep ? Math.ceil(most / 2 ** random(20)) : random(most);
  });
}

for (const { label, debug, exports } of probeVariants("deflate")) {
  it(`Huffman codes are as short as their limit allows (${label})`, () => {
    exports.heapInit(4 << 20);
    const input: number = exports.heapAlloc(4 * 288);
    const lengthsPtr: number = exports.heapAlloc(288);
    const codesPtr: number = exports.heapAlloc(4 * 288);
    const random = seeded(60);
    const cases: [number[], number][] = [
      [[], 15],
      [[0, 0, 5], 15],
      [[7, 0, 1], 7],
      [fibonacci(24), 15],
      [fibonacci(19), 7],
      [new Array<number>(286).fill(1), 15],
      [new Array<number>(128).fill(3), 7],
    ];
    for (let i = 0; i < (debug ? 20 : 100); i++) {
      const frequencies = randomFrequencies(random);
      if (random(3)) cases.push([frequencies, 15]);
      else cases.push([frequencies.slice(0, 19), random(2) ? 5 : 7]);
    }
    for (const [frequencies, limit] of cases) {
      const context = `[${frequencies}], ${limit} bits`;
      new Uint32Array(exports.memory.buffer, input, 288).set(frequencies);
      const used = exports.buildLengths(input, frequencies.length, limit, lengthsPtr);
      const lengths = [...new Uint8Array(exports.memory.buffer, lengthsPtr, frequencies.length)];
      assert.equal(used, frequencies.filter((frequency) => frequency > 0).length, context);
      for (const [symbol, length] of lengths.entries())
        assert.ok(frequencies[symbol]! > 0 ? length >= 1 && length <= limit : length === 0, context);
      if (used < 2) continue;
      assert.equal(
        lengths.reduce((sum, length) => sum + (length ? 2 ** -length : 0), 0),
        1,
        `complete: ${context}`,
      );
      const bits = frequencies.reduce((sum, frequency, symbol) => sum + frequency * lengths[symbol]!, 0);
      assert.equal(bits, leastBits(frequencies, limit), context);

      exports.buildCodes(lengthsPtr, lengths.length, codesPtr);
      const codes = new Uint32Array(exports.memory.buffer, codesPtr, lengths.length);
      for (const [symbol, code] of codesOf(lengths).entries()) {
        const length = lengths[symbol]!;
        let reversed = 0;
        for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
        assert.equal(codes[symbol], length ? (length << 16) | reversed : 0, context);
      }
    }
  });
}

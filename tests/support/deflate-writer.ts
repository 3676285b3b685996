/** Writes deflate streams bit by bit, wrong ones included, for tests that need a certain one. */
import type { Random } from "./random.js";

/** The order of the precode's lengths (RFC 1951, 3.2.7). */
const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A literal or the end of a block; or a length code and a distance code with the extra bits of each. */
export type Token =
  | number
  | { length: number; lengthExtra?: number; distance: number; distanceExtra?: number };

export class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #count = 0;

  /** A number, its lowest bit first. */
  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) {
      this.#bits |= ((value >>> i) & 1) << this.#count;
      if (++this.#count === 8) this.align();
    }
    return this;
  }

  /** A Huffman code, its highest bit first. */
  code(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i--) this.bits(value >>> i, 1);
    return this;
  }

  /** Zeros up to the next byte. */
  align(): this {
    if (this.#count > 0) this.#bytes.push(this.#bits);
    this.#bits = this.#count = 0;
    return this;
  }

  /** The stream so far, padded. */
  finish(): Buffer {
    this.align();
    return Buffer.from(this.#bytes);
  }
}

/** Canonical codes from their lengths (RFC 1951, 3.2.2), whether they make a code or not. */
export function codesOf(lengths: readonly number[]): number[] {
  const codes = new Array<number>(lengths.length).fill(0);
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === length) codes[symbol] = code++;
    code <<= 1;
  }
  return codes;
}

export const FIXED_LITERALS = Array.from({ length: 288 }, (_, i) =>
  i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8,
);
export const FIXED_DISTANCES = new Array<number>(32).fill(5);

function lengthExtraBits(code: number): number {
  return code < 265 || code >= 285 ? 0 : (code - 261) >> 2;
}

function distanceExtraBits(code: number): number {
  return code < 4 || code >= 30 ? 0 : (code - 2) >> 1;
}

/** Tokens in the codes of the given lengths. */
export function writeTokens(
  writer: BitWriter,
  literals: readonly number[],
  distances: readonly number[],
  tokens: readonly Token[],
): void {
  const literalCodes = codesOf(literals);
  const distanceCodes = codesOf(distances);
  for (const token of tokens) {
    if (typeof token === "number") {
      writer.code(literalCodes[token]!, literals[token]!);
      continue;
    }
    writer.code(literalCodes[token.length]!, literals[token.length]!);
    writer.bits(token.lengthExtra ?? 0, lengthExtraBits(token.length));
    writer.code(distanceCodes[token.distance]!, distances[token.distance]!);
    writer.bits(token.distanceExtra ?? 0, distanceExtraBits(token.distance));
  }
}

/** A block of the fixed code, all of it but what the tokens lack. */
export function fixedBlock(writer: BitWriter, tokens: readonly Token[], isFinal = true): BitWriter {
  writer.bits(isFinal ? 1 : 0, 1).bits(1, 2);
  writeTokens(writer, FIXED_LITERALS, FIXED_DISTANCES, tokens);
  return writer;
}

/** Code lengths as the precode's symbols, each with its extra bits: [symbol, extra, extra's size]. */
function runs(lengths: readonly number[], random: Random | undefined): [number, number, number][] {
  const out: [number, number, number][] = [];
  for (let i = 0; i < lengths.length; ) {
    const length = lengths[i]!;
    let run = 1;
    while (lengths[i + run] === length) run++;
    const isPlain = random !== undefined && random(4) === 0;
    if (length === 0 && run >= 11 && !isPlain) {
      run = Math.min(run, 138);
      out.push([18, run - 11, 7]);
    } else if (length === 0 && run >= 3 && !isPlain) {
      run = Math.min(run, 10);
      out.push([17, run - 3, 3]);
    } else if (i > 0 && lengths[i - 1] === length && run >= 3 && !isPlain) {
      run = Math.min(run, 6);
      out.push([16, run - 3, 2]);
    } else {
      run = 1;
      out.push([length, 0, 0]);
    }
    i += run;
  }
  return out;
}

/**
 * The header of a dynamic block, from lengths that need not make a code. Without `random`, repeats are used where they can
 * be; with it, some are not.
 */
export function dynamicHeader(
  writer: BitWriter,
  literals: readonly number[],
  distances: readonly number[],
  isFinal = true,
  random?: Random,
): BitWriter {
  // Thirteen codes of 4 bits and six of 5 are complete.
  const precode = Array.from({ length: 19 }, (_, symbol) => (symbol < 13 ? 4 : 5));
  const codes = codesOf(precode);
  writer.bits(isFinal ? 1 : 0, 1).bits(2, 2);
  writer
    .bits(literals.length - 257, 5)
    .bits(distances.length - 1, 5)
    .bits(19 - 4, 4);
  for (const symbol of PRECODE_ORDER) writer.bits(precode[symbol]!, 3);
  for (const [symbol, extra, size] of runs([...literals, ...distances], random))
    writer.code(codes[symbol]!, precode[symbol]!).bits(extra, size);
  return writer;
}

/** Lengths of a complete code of so many symbols, none above 15: a leaf of a random tree is split until there are enough. */
export function randomLengths(count: number, random: Random): number[] {
  const leaves = [1, 1];
  const isDeep = random(2) === 0;
  while (leaves.length < count) {
    let at = random(leaves.length);
    if (isDeep) for (let i = 0; i < 3; i++) at = Math.max(at, random(leaves.length));
    if (leaves[at]! >= 15) at = leaves.findIndex((length) => length < 15);
    leaves[at]!++;
    leaves.push(leaves[at]!);
  }
  return leaves;
}

/**
 * A random final or inner dynamic block with codes of any shape, valid if what it reaches back to is there.
 * @param made bytes of output before the block
 * @returns bytes of output after it
 */
export function randomBlock(writer: BitWriter, random: Random, made: number, isFinal: boolean): number {
  const literals = new Array<number>(257 + random(30)).fill(0);
  const distances = new Array<number>(1 + random(30)).fill(0);
  const used = new Set([256]);
  const literalCount = 2 + random(random(2) ? literals.length - 2 : 20);
  while (used.size < literalCount) used.add(random(3) ? random(literals.length) : random(257));
  const lengths = randomLengths(used.size, random);
  for (const symbol of used) literals[symbol] = lengths.splice(random(lengths.length), 1)[0]!;
  const distanceUsed = new Set<number>();
  const distanceCount = random(distances.length + 1);
  while (distanceUsed.size < distanceCount) distanceUsed.add(random(distances.length));
  if (distanceCount === 1) for (const symbol of distanceUsed) distances[symbol] = 1;
  if (distanceCount > 1) {
    const rest = randomLengths(distanceCount, random);
    for (const symbol of distanceUsed) distances[symbol] = rest.splice(random(rest.length), 1)[0]!;
  }
  dynamicHeader(writer, literals, distances, isFinal, random);
  const symbols = [...used];
  const reach = [...distanceUsed];
  const tokens: Token[] = [];
  for (let left = random(400); left > 0; left--) {
    const symbol = symbols[random(symbols.length)]!;
    if (symbol === 256) continue;
    if (symbol < 256) {
      tokens.push(symbol);
      made++;
      continue;
    }
    if (reach.length === 0) continue;
    const distance = reach[random(reach.length)]!;
    const bits = distanceExtraBits(distance);
    const lowest = distance < 4 ? distance + 1 : ((2 + (distance & 1)) << bits) + 1;
    // Now and then too far, unless it must not be.
    if (lowest > made && random(200) > 0) continue;
    const distanceExtra = random(Math.max(1, Math.min(1 << bits, made - lowest + 1)));
    const lengthExtra = random(1 << lengthExtraBits(symbol));
    tokens.push({ length: symbol, lengthExtra, distance, distanceExtra });
    const extra = lengthExtraBits(symbol);
    made +=
      symbol === 285
        ? 258
        : symbol < 265
          ? symbol - 254
          : ((4 + ((symbol - 261) & 3)) << extra) + 3 + lengthExtra;
  }
  tokens.push(256);
  writeTokens(writer, literals, distances, tokens);
  return made;
}

/** Deltas: a maker of random ones, and an independent reader, both by the letter of gitformat-pack ("Deltified representation"). */
import type { Random } from "../support/random.js";

/** A number, 7 bits a byte, the least significant first, in at least `least` bytes. */
export function encodeSize(size: number, least = 1): number[] {
  const bytes: number[] = [];
  let rest = size;
  for (; rest > 127 || bytes.length < least - 1; rest = Math.floor(rest / 128))
    bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

function encodeCopy(offset: number, length: number): number[] {
  let op = 0x80;
  const bytes: number[] = [];
  for (let i = 0; i < 4; i++) {
    const byte = Math.floor(offset / 256 ** i) % 256;
    if (byte === 0) continue;
    op |= 1 << i;
    bytes.push(byte);
  }
  const written = length === 0x10000 ? 0 : length;
  for (let i = 0; i < 3; i++) {
    const byte = (written >> (8 * i)) & 255;
    if (byte === 0) continue;
    op |= 16 << i;
    bytes.push(byte);
  }
  return [op, ...bytes];
}

/** A random delta for a base of that length. */
export function randomDelta(baseLen: number, random: Random): Buffer {
  const body: number[] = [];
  let resultLen = 0;
  for (let left = random(12); left > 0; left--) {
    if (baseLen > 0 && random(3)) {
      const offset = random(4) ? random(baseLen) : Math.max(0, baseLen - 1 - random(40));
      const longest = Math.min(baseLen - offset, 0xffffff);
      const length = 1 + random(random(3) ? Math.min(longest, 70) : longest);
      body.push(...encodeCopy(offset, length));
      resultLen += length;
    } else {
      const length = 1 + random(random(2) ? 127 : 20);
      body.push(length);
      for (let i = 0; i < length; i++) body.push(random(256));
      resultLen += length;
    }
  }
  // Some sizes take more bytes than they need; those of no instructions do, to make the four bytes that git asks for.
  const least = body.length === 0 ? 2 : random(8) === 0 ? random(24) : 1;
  return Buffer.from([...encodeSize(baseLen, least), ...encodeSize(resultLen, least), ...body]);
}

/** The two sizes at a delta's head, as git reads them, and their end; undefined where git refuses them or they take more than 63 bits. */
export function readHeader(delta: Uint8Array): { base: bigint; result: bigint; body: number } | undefined {
  if (delta.length < 4) return undefined;
  const sizes: bigint[] = [];
  let at = 0;
  for (let field = 0; field < 2; field++) {
    if (at === delta.length) return undefined;
    let size = 0n;
    for (let place = 0n, byte = 128; byte >= 128 && at < delta.length; place++) {
      byte = delta[at++]!;
      if (place > 8n && (byte & 127) !== 0) return undefined;
      size += BigInt(byte & 127) * 128n ** place;
    }
    sizes.push(size);
  }
  return { base: sizes[0]!, result: sizes[1]!, body: at };
}

/** Applies a delta's instructions, byte by byte; undefined where they are malformed or do not make `resultLen` bytes. */
export function applyBody(body: Uint8Array, base: Uint8Array, resultLen: number): Uint8Array | undefined {
  const result: number[] = [];
  let at = 0;
  while (at < body.length) {
    const op = body[at++]!;
    if (op === 0) return undefined;
    let source = body;
    let from = at;
    let length = op;
    if (op >= 128) {
      const operands: number[] = [];
      for (let bit = 0; bit < 7; bit++) {
        const present = Math.floor(op / 2 ** bit) % 2 === 1;
        if (present && at >= body.length) return undefined;
        operands.push(present ? body[at++]! : 0);
      }
      const [a, b, c, d, e, f, g] = operands as [number, number, number, number, number, number, number];
      source = base;
      from = a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
      length = e + f * 2 ** 8 + g * 2 ** 16;
      if (length === 0) length = 2 ** 16;
    } else {
      at += op;
    }
    if (from + length > source.length || result.length + length > resultLen) return undefined;
    for (let i = 0; i < length; i++) result.push(source[from + i]!);
  }
  return result.length === resultLen ? Uint8Array.from(result) : undefined;
}

/** Drives the encoder's probe, and watches the memory around its output. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import type { Random } from "./random.js";

/** Bytes watched on either side of the output. */
const WATCHED = 64;
const SENTINEL = 0xa7;
const MEMORY = 256 << 20;

/** A zlib stream's header: a window of 32 KiB, the slowest algorithm (RFC 1950, section 2.2). */
const HEADER = Buffer.of(0x78, 0xda);
const WINDOW = 32 << 10;

/** Bytes of stored blocks: no part of ours is longer. */
export function storedPartLength(length: number): number {
  return length + 5 * Math.max(1, Math.ceil(length / 65535));
}

/** Bytes of a zlib stream of stored blocks: none of ours is longer. */
export function storedLength(length: number): number {
  return 2 + storedPartLength(length) + 4;
}

/** Adler-32 (RFC 1950, section 8.2), in the four bytes of a stream's end. */
function adler32(data: Uint8Array): Buffer {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return Buffer.of(b >> 8, b, a >> 8, a);
}

/** Where the parts of content begin and end. */
export interface PartRange {
  start: number;
  end: number;
  isLast: boolean;
}

/** The parts of content that is cut at these places, in order. */
export function partRanges(length: number, cuts: readonly number[]): PartRange[] {
  return [...cuts, length].map((end, index) => ({
    start: index === 0 ? 0 : cuts[index - 1]!,
    end,
    isLast: index === cuts.length,
  }));
}

export class Deflater {
  readonly #exports;
  readonly #input: number;
  readonly #output: number;
  #calls = 0;

  /**
   * @param exports of the probe `deflate`
   * @param capacity the longest content that will be encoded, in bytes
   */
  // biome-ignore lint/suspicious/noExplicitAny: the probe's exports have no declared type.
  constructor(exports: any, capacity = 1 << 20) {
    this.#exports = exports;
    exports.heapInit(MEMORY);
    this.#input = exports.heapAlloc(capacity + 2 * WATCHED);
    this.#output = exports.heapAlloc(storedLength(capacity) + 2 * WATCHED) + WATCHED;
    assert.ok(exports.deflatePrepare());
  }

  /** Copies content in, between bytes that are different every time. @returns where it is */
  #setInput(data: Uint8Array): number {
    const memory = new Uint8Array(this.#exports.memory.buffer);
    const other = ++this.#calls * 31;
    memory.fill(other, this.#input, this.#input + WATCHED);
    memory.set(data, this.#input + WATCHED);
    memory.fill(other, this.#input + WATCHED + data.length, this.#input + data.length + 2 * WATCHED);
    return this.#input + WATCHED;
  }

  /** Runs what writes into the output. @returns what it returned, and the bytes */
  #watch(room: number, write: (output: number) => number): { result: number; bytes: Buffer } {
    const output = this.#output;
    new Uint8Array(this.#exports.memory.buffer).fill(SENTINEL, output - WATCHED, output + room + WATCHED);
    const result = write(output);
    const memory = Buffer.from(this.#exports.memory.buffer);
    for (const edge of [output - WATCHED, output + room])
      assert.ok(
        memory.subarray(edge, edge + WATCHED).every((byte) => byte === SENTINEL),
        "nothing is written outside of the output",
      );
    assert.ok(result <= room, "the output keeps to its room");
    return { result, bytes: Buffer.from(memory.subarray(output, output + Math.max(0, result))) };
  }

  /** Encodes content whole. @returns the stream, or undefined where there is no room for it */
  deflate(data: Uint8Array, room = this.bound(data.length)): Buffer | undefined {
    const input = this.#setInput(data);
    const { result, bytes } = this.#watch(room, (output) =>
      this.#exports.zlibDeflate(input, data.length, output, room),
    );
    return result === 0 ? undefined : bytes;
  }

  /** What is enough for content of a length. */
  bound(length: number): number {
    return this.#exports.deflateBound(length) >>> 0;
  }

  partBound(length: number): number {
    return this.#exports.deflatePartBound(length) >>> 0;
  }

  /**
   * Encodes a part of content.
   * @param historyLength bytes before it that are given with it
   * @returns the part, or undefined where there is no room for it
   */
  deflatePart(
    data: Uint8Array,
    { start, end, isLast }: PartRange,
    room = this.partBound(end - start),
    historyLength = Math.min(start, WINDOW),
  ): Buffer | undefined {
    const input = this.#setInput(data.subarray(start - historyLength, end)) + historyLength;
    const { result, bytes } = this.#watch(room, (output) =>
      this.#exports.deflatePart(input, historyLength, end - start, isLast ? 1 : 0, output, room),
    );
    return result === 0 ? undefined : bytes;
  }

  /** Encodes content in parts. @returns the zlib stream that they make up */
  deflateParts(data: Uint8Array, ranges: readonly PartRange[]): Buffer {
    const parts = ranges.map((range) => {
      const part = this.deflatePart(data, range);
      assert.ok(part !== undefined, "the bound is enough");
      return part;
    });
    return Buffer.concat([HEADER, ...parts, adler32(data)]);
  }
}

/** Asserts that zlib inflates a stream to the content, and takes all of it. */
export function assertInflates(stream: Uint8Array, data: Uint8Array, context: string): void {
  // Undeclared in the types: `info` gives the engine, which knows how much it consumed.
  const { buffer, engine } = inflateSync(stream, { info: true } as object) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  assert.ok(buffer.equals(data), context);
  assert.equal(engine.bytesWritten, stream.length, `${context}: the stream's length`);
}

/** Places to cut content of a length at, some of them the same. */
export function randomCuts(length: number, random: Random): number[] {
  const cuts: number[] = [];
  for (let at = random(2); at < length; at += random(4) ? random(50_000) : random(4)) cuts.push(at);
  if (random(3) === 0) cuts.push(length);
  return cuts;
}

/**
 * Content with something of everything: words, runs, noise, records that count up, copies from near and far, and
 * changes of all that on the way.
 */
export function randomContent(size: number, random: Random): Buffer {
  const out = Buffer.alloc(size);
  const alphabet = 1 + random([3, 40, 256][random(3)]!);
  const words = Array.from({ length: 1 + random(200) }, () =>
    Buffer.from(Array.from({ length: 1 + random(12) }, () => 97 + random(26))),
  );
  let kind = random(8);
  for (let at = 0; at < size; ) {
    if (random(30) === 0) kind = random(8);
    const end = Math.min(size, at + 1 + random(random(12) ? 60 : 4000));
    if (kind < 3) {
      at += words[Math.min(random(words.length), random(words.length))]!.copy(out, at);
      if (at < size) out[at++] = 32;
    } else if (kind === 3) {
      out.fill(random(256), at, end);
      at = end;
    } else if (kind === 4) {
      while (at < end) out[at++] = random(alphabet);
    } else if (kind === 5) {
      for (let value = random(1000); at < end; at += 4) if (at + 4 <= size) out.writeUInt32LE(value++, at);
    } else if (at > 0) {
      const distance = 1 + random(Math.min(at, random(2) ? 40_000 : 60));
      for (; at < end; at++) out[at] = out[at - distance]!;
    } else {
      out[at++] = random(256);
    }
  }
  return out;
}

/** Drives the encoder's probe, and watches the memory around its output. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import type { Random } from "./random.js";

/** asm/deflate/encoder.ts's `Effort`. */
export const EFFORTS = { quick: 0, thorough: 1 } as const;

/** Bytes watched on either side of the output. */
const WATCHED = 64;
const SENTINEL = 0xa7;
const MEMORY = 256 << 20;

/** Bytes of a zlib stream of stored blocks: none of ours is longer. */
export function storedLength(length: number): number {
  return 2 + length + 5 * Math.max(1, Math.ceil(length / 65535)) + 4;
}

export class Deflater {
  readonly #exports;
  readonly #input: number;
  readonly #output: number;

  /**
   * @param exports of the probe `deflate`
   * @param capacity the longest content that will be encoded, in bytes
   */
  // biome-ignore lint/suspicious/noExplicitAny: the probe's exports have no declared type.
  constructor(exports: any, capacity = 1 << 20) {
    this.#exports = exports;
    exports.heapInit(MEMORY);
    this.#input = exports.heapAlloc(capacity + 64);
    this.#output = exports.heapAlloc(storedLength(capacity) + 64 + 2 * WATCHED) + WATCHED;
    assert.ok(exports.deflatePrepare());
  }

  /** Copies content in, between bytes that are not the same every time. */
  #setInput(data: Uint8Array): void {
    const memory = new Uint8Array(this.#exports.memory.buffer);
    memory.fill(data.length * 31 + 7, this.#input + data.length, this.#input + data.length + 32);
    memory.set(data, this.#input);
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
  deflate(data: Uint8Array, effort: number, room = storedLength(data.length)): Buffer | undefined {
    this.#setInput(data);
    const { result, bytes } = this.#watch(room, (output) =>
      this.#exports.zlibDeflate(this.#input, data.length, output, room, effort),
    );
    return result === 0 ? undefined : bytes;
  }

  /** Encodes content in pieces, the last of them marked so. */
  deflatePieces(pieces: readonly Uint8Array[], effort: number): Buffer {
    assert.ok(this.#exports.deflateBegin(effort));
    const parts = pieces.map((piece, index) => {
      this.#setInput(piece);
      const isLast = index === pieces.length - 1;
      const room: number = this.#exports.deflateBound(piece.length);
      const { result, bytes } = this.#watch(room, (output) =>
        this.#exports.deflatePiece(this.#input, piece.length, output, room, isLast ? 1 : 0),
      );
      assert.ok(result >= 0, "the bound is enough");
      return bytes;
    });
    const stream = Buffer.concat(parts);
    assert.equal(
      Number(this.#exports.deflateTotalIn()),
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    assert.equal(Number(this.#exports.deflateTotalOut()), stream.length);
    return stream;
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

/** Cuts content at random places. */
export function randomPieces(data: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    const length = Math.min(data.length - at, random(4) ? random(50_000) : random(4));
    pieces.push(data.subarray(at, at + length));
    at += length;
  }
  if (pieces.length === 0 || random(3) === 0) pieces.push(new Uint8Array(0));
  return pieces;
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

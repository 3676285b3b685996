/** Finds the seek points of blobs in their zlib streams, with the verifier's Wasm. */
import { build } from "#wasm/verifier";
import { DocteurError, STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, PACK_START, parseEntry } from "../git/entry.js";
import { compile } from "../wasm/compile.js";
import type { WasmMemory } from "../wasm/types.js";
import { SEGMENT } from "./format.js";

/** The exports of `asm/verifier.ts` that are used here. Pointers and lengths are bytes. */
interface Engine {
  memory: WasmMemory;
  init(limit: number): void;
  alloc(len: number): number;
  free(ptr: number): void;
  seekPointsBegin(size: number, segment: number, to: number): void;
  seekPointsRun(input: number, len: number): number;
}

/** The most bytes that are inflated at once, and bytes that can be read behind them. */
const INPUT = 1 << 16;
const SLACK = 32;
/** Points of a blob of 2^40 bytes, and the rest. */
const MEMORY_MAX = 32 << 20;
const POINT = 8;
const NEED_INPUT = -1;

/** The number of points that a blob has if it has any. */
export const pointCount = (size: number): number => Math.max(0, Math.ceil(size / SEGMENT) - 1);

/** See the file's head. One blob at a time. */
export class SeekPoints {
  readonly #engine: Engine;
  readonly #input: number;

  private constructor(engine: Engine) {
    this.#engine = engine;
    engine.init(MEMORY_MAX);
    this.#input = engine.alloc(INPUT + SLACK);
  }

  /** @throws DocteurError `Io` if the Wasm cannot be loaded */
  static async create(): Promise<SeekPoints> {
    const { exports } = new WebAssembly.Instance(await compile(build));
    return new SeekPoints(exports as unknown as Engine);
  }

  /**
   * The seek points of a blob that is stored whole.
   * @param size bytes of its content
   * @param stream pieces of its zlib stream, each used before the next is taken; what follows the stream is ignored
   * @returns offsets from the stream's start; undefined if the stream has none, or is damaged
   * @throws DocteurError `OutOfMemory`; those of reading the stream
   */
  async find(
    size: number,
    stream: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<Float64Array | undefined> {
    const count = pointCount(size);
    if (count === 0) return undefined;
    const engine = this.#engine;
    const points = engine.alloc(count * POINT);
    if (points === 0)
      throw new DocteurError("OutOfMemory", "a blob has too many seek points for this memory");
    try {
      engine.seekPointsBegin(size, SEGMENT, points);
      for await (const piece of stream) {
        const status = this.#run(piece);
        if (status === NEED_INPUT) continue;
        if (status !== 0) return undefined;
        const found = new BigUint64Array(engine.memory.buffer.slice(points, points + count * POINT));
        return Float64Array.from(found, Number);
      }
      return undefined;
    } finally {
      engine.free(points);
    }
  }

  /**
   * The seek points of a blob that is stored whole, by its entry.
   * @param read reads bytes of the image, of which `INPUT` at most are asked for at once
   * @param start the entry's, from the PACK's start; `end` where the next one begins
   * @returns offsets from the entry's start; undefined as for `find`, or if the entry's header is damaged
   * @throws DocteurError `OutOfMemory`; those of reading
   */
  async findInEntry(
    read: (offset: number, length: number) => Promise<Uint8Array>,
    start: number,
    end: number,
  ): Promise<Float64Array | undefined> {
    const header = entryHeader();
    const head = await read(PACK_START + start, Math.min(HEADER_MAX, end - start));
    if (parseEntry(header, head, 0, start, end) !== STATUS.Ok) return undefined;
    const { size, length } = header;
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let at = start + length; at < end; at += INPUT)
        yield await read(PACK_START + at, Math.min(INPUT, end - at));
    }
    return (await this.find(size, stream()))?.map((point) => point + length);
  }

  #run(piece: Uint8Array): number {
    const { memory, seekPointsRun } = this.#engine;
    let status = NEED_INPUT;
    for (let at = 0; at < piece.length && status === NEED_INPUT; at += INPUT) {
      const part = piece.subarray(at, at + INPUT);
      new Uint8Array(memory.buffer, this.#input, part.length).set(part);
      status = seekPointsRun(this.#input, part.length);
    }
    return status;
  }
}

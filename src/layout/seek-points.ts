/** Finds the seek points of blobs in their zlib streams, with the verifier's Wasm. */
import { build } from "#wasm/verifier";
import { STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, PACK_START, parseEntry } from "../git/entry.js";
import { compile } from "../wasm/compile.js";
import type { WasmMemory } from "../wasm/types.js";
import { CELLS, SEEK, SEGMENT } from "./format.js";
import { type SeekPoints, seekPointsAfter } from "./objects.js";

/** The exports of `asm/verifier.ts` that are used here. Pointers and lengths are bytes. */
interface Engine {
  memory: WasmMemory;
  init(limit: number): void;
  alloc(len: number): number;
  seekPointsBegin(size: number): void;
  seekPointsRun(input: number, len: number): number;
  seekSegment(): number;
  seekRecords(): number;
  seekRecordCount(): number;
}

/** The most bytes that are inflated at once, and bytes that can be read behind them. */
const INPUT = 1 << 16;
const SLACK = 32;
/** Bytes of memory beside the engine's own. */
const MEMORY_MAX = 1 << 20;
const NEED_INPUT = -1;

/** See the file's head. One blob at a time. */
export class SeekFinder {
  readonly #engine: Engine;
  readonly #input: number;

  private constructor(engine: Engine) {
    this.#engine = engine;
    engine.init(MEMORY_MAX);
    this.#input = engine.alloc(INPUT + SLACK);
  }

  /** @throws DocteurError `Io` if the Wasm cannot be loaded */
  static async create(): Promise<SeekFinder> {
    const { exports } = new WebAssembly.Instance(await compile(build));
    return new SeekFinder(exports as unknown as Engine);
  }

  /**
   * The seek points of a blob that is stored whole.
   * @param size bytes of its content
   * @param stream pieces of its zlib stream, each used before the next is taken; what follows the stream is ignored
   * @returns places from the stream's start; undefined if the stream has none, or is damaged
   * @throws those of reading the stream
   */
  async find(
    size: number,
    stream: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<SeekPoints | undefined> {
    if (size <= SEGMENT.min) return undefined;
    const engine = this.#engine;
    const places: number[] = [];
    const checksums: number[] = [];
    engine.seekPointsBegin(size);
    for await (const piece of stream) {
      const status = this.#run(piece, places, checksums);
      if (status === NEED_INPUT) continue;
      return status === 0 ? { segment: engine.seekSegment(), places, checksums } : undefined;
    }
    return undefined;
  }

  /**
   * The seek points of a blob that is stored whole, by its entry.
   * @param read reads bytes of the image, of which `INPUT` at most are asked for at once
   * @param start the entry's, from the PACK's start; `end` where the next one begins
   * @returns places from the entry's start; undefined as for `find`, or if the entry's header is damaged
   * @throws those of reading
   */
  async findInEntry(
    read: (offset: number, length: number) => Promise<Uint8Array>,
    start: number,
    end: number,
  ): Promise<SeekPoints | undefined> {
    const header = entryHeader();
    const head = await read(PACK_START + start, Math.min(HEADER_MAX, end - start));
    if (parseEntry(header, head, 0, start, end) !== STATUS.Ok) return undefined;
    const { size, length } = header;
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let at = start + length; at < end; at += INPUT)
        yield await read(PACK_START + at, Math.min(INPUT, end - at));
    }
    const points = await this.find(size, stream());
    return points && seekPointsAfter(length, points);
  }

  #run(piece: Uint8Array, places: number[], checksums: number[]): number {
    const { memory, seekPointsRun } = this.#engine;
    let status = NEED_INPUT;
    for (let at = 0; at < piece.length && status === NEED_INPUT; at += INPUT) {
      const part = piece.subarray(at, at + INPUT);
      new Uint8Array(memory.buffer, this.#input, part.length).set(part);
      status = seekPointsRun(this.#input, part.length);
      this.#take(places, checksums);
    }
    return status;
  }

  /** Takes the records that the last run has completed. */
  #take(places: number[], checksums: number[]): void {
    const { memory, seekRecords, seekRecordCount } = this.#engine;
    const count = seekRecordCount();
    const view = new DataView(memory.buffer, seekRecords(), count * SEEK.length);
    for (let at = 0; at < view.byteLength; at += SEEK.length) {
      places.push(Number(view.getBigUint64(at + SEEK.place, true)));
      for (let cell = 0; cell < CELLS; cell++)
        checksums.push(view.getUint32(at + SEEK.checksums + 4 * cell, true));
    }
  }
}

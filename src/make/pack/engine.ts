/** The packer's Wasm module (`asm/packer.ts`), instantiated: sketches, deltas and deflate over one linear memory. */

import type { WasmMemory, WasmModule } from "../../wasm/types.js";
import { EFFORT, type Effort } from "../base/effort.js";

/** The ends of a deflated part: `PartEnd` of `asm/deflate/part.ts`. */
export const PART_END = { byte: 0, stream: 1, flush: 2 } as const;
/** Bytes that a flush takes more than `deflatePartBound` says. */
export const FLUSH_LEN = 5;

/**
 * The exports of `asm/packer.ts`. Pointers and lengths are bytes; a pointer of 0 means that memory ran out.
 */
export interface Engine {
  memory: WasmMemory;
  /** Begins the heap. @param limit its cap in bytes */
  init(limit: number): void;
  /** @param effort a number of `EFFORT`, for the calls that follow */
  setEffort(effort: number): void;
  alloc(len: number): number;
  free(ptr: number): void;
  adler32(adler: number, ptr: number, len: number): number;
  sha1Init(state: number): void;
  sha1Update(state: number, ptr: number, len: number): void;
  sha1Final(state: number, to: number): void;
  /** Writes `FEATURE_COUNT` numbers of 32 bits. */
  contentSketch(ptr: number, len: number, features: number): void;
  /** The estimated size of content as a zlib stream. */
  deflatedLenSampled(ptr: number, len: number): number;
  /** @param isFine 1 to make deltas, 0 to measure them */
  deltaIndex(base: number, len: number, isFine: number): number;
  deltaIndexFree(index: number): void;
  deltaEncode(index: number, target: number, len: number, to: number, toLen: number): number;
  /** The estimated size of a delta, deflated; 2^32 - 1 if it saves nothing. */
  deltaMeasure(index: number, target: number, len: number, room: number, roomLen: number): number;
  /** The largest size of a zlib stream of `len` bytes. */
  deflateBound(len: number): number;
  zlibDeflate(ptr: number, len: number, to: number, toLen: number): number;
  /** The largest size of a deflated part of `len` bytes. */
  deflatePartBound(len: number): number;
  /**
   * Deflates a part of content, with `historyLen` bytes before it as history: blocks up to a byte boundary.
   * @param end one of `PART_END`
   */
  deflatePart(ptr: number, historyLen: number, len: number, end: number, to: number, toLen: number): number;
}

/** Cap of an engine's memory, in bytes: a delta, its base, and working memory for both. */
const MEMORY_MAX = 512 << 20;

/** Instantiates a compiled `asm/packer.ts`. */
export function createEngine(module: WasmModule, effort: Effort = "default"): Engine {
  const engine = new WebAssembly.Instance(module).exports as unknown as Engine;
  engine.init(MEMORY_MAX);
  engine.setEffort(EFFORT[effort]);
  return engine;
}

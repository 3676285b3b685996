/** The packer's Wasm module (`asm/packer.ts`), instantiated: sketches, deltas and deflate over one linear memory. */

/** The exports of `asm/packer.ts`. Pointers and lengths are bytes; 0 stands for what could not be had. */
export interface Engine extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  /** Begins the heap. @param limit its cap in bytes */
  init(limit: number): void;
  alloc(len: number): number;
  free(ptr: number): void;
  adler32(adler: number, ptr: number, len: number): number;
  sha1Init(state: number): void;
  sha1Update(state: number, ptr: number, len: number): void;
  sha1Final(state: number, to: number): void;
  /** Writes `FEATURE_COUNT` numbers of 32 bits. */
  contentSketch(ptr: number, len: number, features: number): void;
  /** What content takes as a zlib stream, about. */
  deflatedLenSampled(ptr: number, len: number): number;
  /** @param isFine 1 to make deltas, 0 to measure them */
  deltaIndex(base: number, len: number, isFine: number): number;
  deltaIndexFree(index: number): void;
  deltaEncode(index: number, target: number, len: number, to: number, toLen: number): number;
  /** What a delta takes, deflated, about; 2^32 - 1 where it is worth nothing. */
  deltaMeasure(index: number, target: number, len: number, room: number, roomLen: number): number;
  /** The most that a zlib stream of `len` bytes takes. */
  deflateBound(len: number): number;
  zlibDeflate(ptr: number, len: number, to: number, toLen: number): number;
  /** The most that a part of `len` bytes takes. */
  deflatePartBound(len: number): number;
  /** A part of content, to which `historyLen` bytes before it belong: blocks up to a byte's end. */
  deflatePart(
    ptr: number,
    historyLen: number,
    len: number,
    isLast: number,
    to: number,
    toLen: number,
  ): number;
}

/** Cap of an engine's memory, in bytes: a delta, its base, and what both need to be worked on. */
const MEMORY_MAX = 512 << 20;

/** Instantiates a compiled `asm/packer.ts`. */
export function createEngine(module: WebAssembly.Module): Engine {
  const engine = new WebAssembly.Instance(module).exports as Engine;
  engine.init(MEMORY_MAX);
  return engine;
}

/** The verifier's Wasm module (`asm/verifier.ts`), instantiated. */

import { DocteurError } from "../errors.js";
import type { WasmMemory, WasmModule } from "../wasm/types.js";
import { MORE_MEMORY } from "./out-of-memory.js";

/** The exports of `asm/verifier.ts`. Pointers and lengths are bytes; 0 stands for memory that could not be had. */
interface VerifierExports {
  memory: WasmMemory;
  init(limit: number): void;
  alloc(len: number): number;
  free(ptr: number): void;
  crc32(crc: number, ptr: number, len: number): number;
  objectId(kind: number, ptr: number, size: number, to: number): number;
  packBegin(): void;
  packUpdate(ptr: number, len: number): void;
  packEnd(to: number): number;
  work(): number;
  inflateBegin(out: number, size: number): void;
  inflateRun(input: number, len: number): number;
  inflateTaken(): number;
  streamBegin(size: number, kind: number): void;
  streamRun(input: number, len: number): number;
  streamId(to: number): number;
  deltaOpen(delta: number, len: number, baseLen: number): number;
  deltaSize(): number;
  deltaRun(delta: number, len: number, base: number, baseLen: number, out: number, outLen: number): number;
  setTable(oids: number, count: number): void;
  rankOf(oid: number): number;
  treeScan(ptr: number, size: number, edges: number): number;
}

/** Bytes that must be readable behind an input and writable behind an output; the end of an object's hash is made in them. */
const SLACK = 80;
/** Bytes before a buffer that can be written: an object's header is hashed with it. */
const FRONT = 32;
/** The largest buffer. */
export const BUFFER_MAX = 0x7fff0000;

/** One instance: the exports, and its memory's bytes. */
export class Engine {
  readonly wasm: VerifierExports;
  #bytes: Uint8Array;
  #words: Uint32Array;
  /** 20 bytes for an id on its way. */
  readonly oid: number;

  /**
   * @param module a build of `asm/verifier.ts`
   * @param limit cap of its memory in bytes
   * @throws DocteurError `OutOfMemory`
   */
  constructor(module: WasmModule, limit: number) {
    this.wasm = new WebAssembly.Instance(module).exports as unknown as VerifierExports;
    this.wasm.init(limit);
    this.oid = this.wasm.alloc(SLACK);
    if (this.oid === 0)
      throw new DocteurError("OutOfMemory", "the memory limit is too small for anything", {
        hint: MORE_MEMORY,
      });
    this.#bytes = new Uint8Array(this.wasm.memory.buffer);
    this.#words = new Uint32Array(this.wasm.memory.buffer);
  }

  /** The memory, valid until the next allocation. */
  get bytes(): Uint8Array {
    this.#renew();
    return this.#bytes;
  }

  /** The memory by words of four bytes, valid until the next allocation. */
  get words(): Uint32Array {
    this.#renew();
    return this.#words;
  }

  #renew(): void {
    // Growing detaches the buffer, and asking the memory for it takes longer than all else here.
    if (this.#bytes.length > 0) return;
    this.#bytes = new Uint8Array(this.wasm.memory.buffer);
    this.#words = new Uint32Array(this.wasm.memory.buffer);
  }

  /** A buffer, with `FRONT` bytes before it and `SLACK` behind; or 0. */
  alloc(size: number): number {
    // Wasm's numbers have a sign in JavaScript: pointers from 2 GiB on come as negative ones.
    const ptr = size > BUFFER_MAX ? 0 : this.wasm.alloc(FRONT + size + SLACK) >>> 0;
    return ptr === 0 ? 0 : ptr + FRONT;
  }

  /** Gives back what `alloc` returned; 0 is ignored. */
  free(ptr: number): void {
    if (ptr !== 0) this.wasm.free(ptr - FRONT);
  }
}

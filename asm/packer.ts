/**
 * The packer's exports: what `src/make/pack` has done in Wasm, for one worker. It imports nothing; every function takes
 * plain numbers and pointers into its memory.
 */
import { adler32 } from "./checksum/adler32";
import { sha1Final, sha1Init, sha1Update } from "./checksum/sha1";
import { setDeflateEffort, SMALL } from "./deflate/effort";
import { setThorough } from "./delta/effort";
import { heapAlloc, heapFree, heapInit } from "./base/heap";

/**
 * Sets the effort of the calls that follow.
 * @param effort of asm/deflate/effort.ts
 */
export function setEffort(effort: u32): void {
  setDeflateEffort(effort);
  setThorough(effort == SMALL);
}

export { adler32, sha1Final, sha1Init, sha1Update };
export { deflatePart, deflatePartBound } from "./deflate/part";
export { deflateBound, zlibDeflate } from "./deflate/zlib";
export { deltaEncode, deltaIndex, deltaIndexFree, deltaMeasure } from "./delta/encode";
export { deflatedLenSampled } from "./delta/estimate";
export { contentSketch } from "./delta/sketch";
export { heapAlloc as alloc, heapFree as free, heapInit as init };

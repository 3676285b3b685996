/**
 * The packer's exports: what `src/make/pack` has done in Wasm, for one worker. It imports nothing; every function takes
 * plain numbers and pointers into its memory.
 */
import { adler32 } from "./checksum/adler32";
import { sha1Final, sha1Init, sha1Update } from "./checksum/sha1";
import { heapAlloc, heapFree, heapInit } from "./heap";

export { adler32, sha1Final, sha1Init, sha1Update };
export { deflatePart, deflatePartBound } from "./deflate/part";
export { deflateBound, zlibDeflate } from "./deflate/zlib";
export { deltaEncode, deltaIndex, deltaIndexFree, deltaMeasure } from "./pack/delta";
export { deflatedLenSampled } from "./pack/estimate";
export { contentSketch } from "./pack/sketch";
export { heapAlloc as alloc, heapFree as free, heapInit as init };

/** The encoder's entry for its tests. */
export { setDeflateEffort } from "../../asm/deflate/effort";
export { setPosition } from "../../asm/deflate/encoder";
export { buildCodes, buildLengths } from "../../asm/deflate/huffman";
export { stepsTaken } from "../../asm/deflate/matches";
export { deflatePart, deflatePartBound, deflatePrepare } from "../../asm/deflate/part";
export { deflateBound, zlibDeflate } from "../../asm/deflate/zlib";
export { heapAlloc, heapFree, heapInit, heapSetCap, heapUsed } from "../../asm/base/heap";

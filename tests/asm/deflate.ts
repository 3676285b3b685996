/** The encoder's entry for its tests. */
export { setPosition } from "../../asm/deflate/encoder";
export { buildCodes, buildLengths } from "../../asm/deflate/huffman";
export { stepsTaken } from "../../asm/deflate/matches";
export {
  deflateBegin,
  deflateBound,
  deflatePiece,
  deflatePrepare,
  deflateRelease,
  deflateTotalIn,
  deflateTotalOut,
  PIECE_MAX,
  zlibDeflate,
} from "../../asm/deflate/zlib";
export { heapAlloc, heapFree, heapInit, heapSetCap, heapUsed } from "../../asm/heap";

/** The encoder's entry for its tests. */
export {
  deflateBegin,
  deflateBound,
  deflatePiece,
  deflatePrepare,
  deflateRelease,
  deflateTotalIn,
  deflateTotalOut,
  zlibDeflate,
} from "../../asm/deflate/zlib";
export { setPosition } from "../../asm/deflate/encoder";
export { heapAlloc, heapFree, heapInit, heapUsed } from "../../asm/heap";

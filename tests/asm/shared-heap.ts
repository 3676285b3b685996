/** The allocator of a guest of the kit, whose memory others grow, too, for its test. */
export {
  heapAlloc,
  heapAllocHigh,
  heapFree,
  heapInit,
  heapReserve,
  heapSize,
  heapSizeOf,
  heapUsed,
} from "../../asm/base/heap";

/** The allocator's entry for its test. */
export { heapAlloc, heapAllocHigh, heapFree, heapInit, heapSizeOf, heapUsed } from "../../asm/base/heap";

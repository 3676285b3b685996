/** The allocator's entry for its test. */
export { heapAlloc, heapFree, heapInit, heapShrink, heapSizeOf, heapUsed } from "../../asm/heap";

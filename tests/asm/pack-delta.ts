/** The delta encoder's entry for its tests: with the core's decoder, and the heap. */
export { heapAlloc, heapFree, heapInit, heapUsed } from "../../asm/base/heap";
export { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize, DELTA_SLACK } from "../../asm/git/delta";
export { DELTA_MEASURED_LEN, deltaEncode, deltaIndex, deltaIndexFree, deltaMeasure, deltaSteps } from "../../asm/delta/encode";
export { setThorough } from "../../asm/delta/effort";
export { contentSketch, FEATURE_COUNT } from "../../asm/delta/sketch";
export { deflatedLen, deflatedLenSampled } from "../../asm/delta/estimate";

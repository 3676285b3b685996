/** The delta encoder's entry for its tests: with the core's decoder, and the heap. */
export { heapAlloc, heapFree, heapInit, heapUsed } from "../../asm/heap";
export { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize, DELTA_SLACK } from "../../asm/git/delta";
export { deltaIndex, deltaIndexFree } from "../../asm/pack/base-index";
export { DELTA_MEASURED_LEN, deltaEncode, deltaMeasure, deltaSteps } from "../../asm/pack/delta";
export { contentSketch, FEATURE_COUNT } from "../../asm/pack/sketch";
export { deflatedLen, deflatedLenSampled } from "../../asm/pack/estimate";

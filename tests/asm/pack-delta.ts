/** The delta encoder's entry for its tests: with the core's decoder, and the heap. */
export { heapAlloc, heapFree, heapInit, heapUsed } from "../../asm/heap";
export { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize, DELTA_SLACK } from "../../asm/git/delta";
export {
  DELTA_MEASURED_LEN,
  deltaEncode,
  deltaIndex,
  deltaIndexFree,
  deltaMeasure,
  deltaSteps,
} from "../../asm/pack/delta";
export { contentSketch, FEATURE_COUNT } from "../../asm/pack/sketch";
export { deflatedLen, deflatedLenSampled } from "../../asm/pack/estimate";

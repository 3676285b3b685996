/** The deltas' entry for their fuzzer. Its memory is the caller's: nothing here allocates. */
export { DELTA_SLACK, deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize } from "../../asm/git/delta";

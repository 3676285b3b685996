/** The code that Node runs: a probe's release build with SIMD. */
import { probeVariants } from "../support/wasm.js";

// biome-ignore lint/suspicious/noExplicitAny: what a probe exports is its user's to know.
export function releaseProbe(name: string): any {
  for (const { simd, debug, exports } of probeVariants(name)) if (simd && !debug) return exports;
  throw new Error(`${name} has no release build`);
}

/** The core's four builds, for tests that must hold on all of them. */
import { compileCore, type OpenOptions } from "../../src/index.js";

/** A build of the core, and its name in test titles. */
export interface CoreVariant {
  label: string;
  module: WebAssembly.Module;
}

/** Every mount mode. */
export const MODES: readonly NonNullable<OpenOptions["mode"]>[] = ["light", "fast", "analyze"];

/** {debug, release} × {baseline, SIMD}. */
export async function coreVariants(): Promise<CoreVariant[]> {
  const variants: CoreVariant[] = [];
  for (const debug of [false, true])
    for (const simd of [false, true])
      variants.push({
        label: `${debug ? "debug" : "release"} ${simd ? "SIMD" : "baseline"}`,
        module: await compileCore(simd, debug),
      });
  return variants;
}

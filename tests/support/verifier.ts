/** The verifier's four builds, for tests that must hold on all of them. */
import { readFileSync } from "node:fs";
import { compileVerifier } from "../../src/verify/compile-verifier.js";

/** A build of the verifier. */
export interface VerifierVariant {
  label: string;
  debug: boolean;
  simd: boolean;
  module: WebAssembly.Module;
}

/**
 * {debug, release} × {baseline, SIMD}.
 * @param probe a file of `tests/asm` that exports what the verifier does, instead of it
 */
export async function verifierVariants(probe?: string): Promise<VerifierVariant[]> {
  const variants: VerifierVariant[] = [];
  for (const debug of [true, false])
    for (const simd of [false, true]) {
      const build = `${debug ? ".debug" : ""}${simd ? ".simd" : ""}`;
      const module =
        probe === undefined
          ? await compileVerifier(simd, debug)
          : new WebAssembly.Module(readFileSync(new URL(`../asm/${probe}${build}.wasm`, import.meta.url)));
      variants.push({
        label: `${debug ? "debug" : "release"} ${simd ? "SIMD" : "baseline"}`,
        debug,
        simd,
        module,
      });
    }
  return variants;
}

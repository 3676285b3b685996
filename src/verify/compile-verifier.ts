/** The verifier's Wasm, compiled. */
import { build } from "#wasm/verifier";
import { compile } from "../wasm/compile.js";
import type { WasmModule } from "../wasm/types.js";

/** Compiles the verifier; parameters and errors as of `compileCore`. */
export function compileVerifier(simd?: boolean, debug?: boolean): Promise<WasmModule> {
  return compile(build, { simd, debug });
}

/** The packer's Wasm, compiled. */
import { build } from "#wasm/packer";
import { compile } from "../../wasm/compile.js";
import type { WasmModule } from "../../wasm/types.js";

/** Compiles the packer; parameters and errors as of `compileCore`. */
export function compilePacker(simd?: boolean, debug?: boolean): Promise<WasmModule> {
  return compile(build, { simd, debug });
}

/** The core's Wasm, compiled. */
import { build } from "#wasm/core";
import { compile, compileSync } from "../wasm/compile.js";
import type { WasmModule } from "../wasm/types.js";

/**
 * Compiles the core, once a process.
 * @param simd which build; by default the one that the engine takes. Browsers have the SIMD build only
 * @param debug the debug build, which only a development tree has
 * @throws DocteurError `Io` if the build is not there, or if the engine may not compile it
 */
export function compileCore(simd?: boolean, debug?: boolean): Promise<WasmModule> {
  return compile(build, { simd, debug });
}

/** Compiles the core at once. @throws DocteurError as `compileCore` does */
export function compileCoreSync(): WasmModule {
  return compileSync(build);
}

/**
 * Instantiates the core in Node, by AssemblyScript's loader: an `abort` of a debug build becomes an error that says
 * where. Browsers do without: release builds never abort, and the loader is 5 KB of script.
 */
import { instantiateSync } from "@assemblyscript/loader";
import type { WasmModule } from "../wasm/types.js";

/** @returns its exports @throws what the engine throws */
export function instantiate(module: WasmModule, imports: WebAssembly.Imports): WebAssembly.Exports {
  return instantiateSync(module, imports).exports as WebAssembly.Exports;
}

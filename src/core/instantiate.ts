/** Instantiates the core where there is no Node. This is `#instantiate` there: see `node-instantiate.ts`. */
import type { WasmModule } from "../wasm/types.js";

/** @returns its exports @throws what the engine throws */
export function instantiate(module: WasmModule, imports: WebAssembly.Imports): WebAssembly.Exports {
  return new WebAssembly.Instance(module, imports).exports;
}

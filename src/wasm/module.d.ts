/** An imported `.wasm` file: its compiled module, if the host or its bundler imports Wasm so. */
declare const module: typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;
export default module;

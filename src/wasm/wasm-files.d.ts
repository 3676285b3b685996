/** An imported `.wasm` file, where the host gives its compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

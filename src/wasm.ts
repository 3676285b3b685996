/** Finds and compiles this package's Wasm: the SIMD builds where the engine takes them, the baseline elsewhere. */

/**
 * A module of eight bytes and one function that uses `v128`: what `WebAssembly.validate` says of it tells of
 * SIMD.
 */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Whether this engine runs Wasm SIMD (128-bit). */
export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE);
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

async function readModule(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Compiles one of the builds of a module that stand beside this package, once a process. */
function compile(stem: string, simd: boolean, debug: boolean): Promise<WebAssembly.Module> {
  const name = `${stem}${debug ? ".debug" : ""}${simd ? ".simd" : ""}.wasm`;
  let module = compiled.get(name);
  if (module === undefined) {
    module = readModule(new URL(`../${name}`, import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
    module.catch(() => compiled.delete(name));
    compiled.set(name, module);
  }
  return module;
}

/**
 * Compiles the core.
 * @param simd which build; by default what the engine takes
 * @param debug the debug build, which only a development tree has
 */
export function compileCore(simd = hasSimd(), debug = false): Promise<WebAssembly.Module> {
  return compile("core", simd, debug);
}

/** Compiles the packer; parameters as for the core. */
export function compilePacker(simd = hasSimd(), debug = false): Promise<WebAssembly.Module> {
  return compile("packer", simd, debug);
}

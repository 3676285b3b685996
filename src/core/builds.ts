/** Finds and compiles this package's Wasm: the SIMD builds where the engine takes them, the baseline elsewhere. */
import { DocteurError } from "../errors.js";

/**
 * A module of eight bytes and one function that uses `v128`: `WebAssembly.validate` accepts it if the engine
 * has SIMD.
 */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Whether this engine runs Wasm SIMD (128-bit). */
export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE);
}

/**
 * The places of the builds, baseline and SIMD. They are written out, because bundlers take along only the files that an
 * expression of this form names. They are functions, because a script that is not a module has no such place.
 */
const BUILDS = {
  core: [
    () => new URL("../../core.wasm", import.meta.url),
    () => new URL("../../core.simd.wasm", import.meta.url),
  ],
  packer: [
    () => new URL("../../packer.wasm", import.meta.url),
    () => new URL("../../packer.simd.wasm", import.meta.url),
  ],
  verifier: [
    () => new URL("../../verifier.wasm", import.meta.url),
    () => new URL("../../verifier.simd.wasm", import.meta.url),
  ],
} as const;

/** The core's place. @param simd which build; by default the one that the engine takes */
export function coreUrl(simd = hasSimd()): URL {
  return BUILDS.core[simd ? 1 : 0]();
}

type Stem = keyof typeof BUILDS;

const compiled = new Map<string, Promise<WebAssembly.Module>>();

async function readModule(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") {
    const { readWhole } = await import("../devices/node-files.js");
    return readWhole(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load(stem: Stem, name: string, simd: boolean, debug: boolean): Promise<WebAssembly.Module> {
  let place = name;
  try {
    const release = BUILDS[stem][simd ? 1 : 0]();
    const url = debug ? new URL(name, release) : release;
    place = url.href;
    return await WebAssembly.compile(await readModule(url));
  } catch (cause) {
    throw new DocteurError("Io", `cannot load ${place}: ${(cause as Error).message}`, {
      cause,
      hint: `serve the package's dist/${name} there, or compile it and give it as the option "module"`,
    });
  }
}

/** Compiles one of the builds of a module that stand beside this package, once a process. */
function compile(stem: Stem, simd: boolean, debug: boolean): Promise<WebAssembly.Module> {
  const name = `${stem}${debug ? ".debug" : ""}${simd ? ".simd" : ""}.wasm`;
  let module = compiled.get(name);
  if (module === undefined) {
    module = load(stem, name, simd, debug);
    module.catch(() => compiled.delete(name));
    compiled.set(name, module);
  }
  return module;
}

/**
 * Compiles the core.
 * @param simd which build; by default the one that the engine takes
 * @param debug the debug build, which only a development tree has
 * @throws DocteurError `Io` if it is not beside this module, as in a bundle that left it behind
 */
export function compileCore(simd = hasSimd(), debug = false): Promise<WebAssembly.Module> {
  return compile("core", simd, debug);
}

/** Compiles the packer; parameters as for the core. */
export function compilePacker(simd = hasSimd(), debug = false): Promise<WebAssembly.Module> {
  return compile("packer", simd, debug);
}

/** Compiles the verifier; parameters as for the core. */
export function compileVerifier(simd = hasSimd(), debug = false): Promise<WebAssembly.Module> {
  return compile("verifier", simd, debug);
}

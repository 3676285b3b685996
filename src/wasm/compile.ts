/** Compiles this package's Wasm: the SIMD builds where the engine takes them, the baseline elsewhere. */
import { DocteurError } from "../errors.js";
import { hasSimd } from "./simd.js";

/** Where the builds of a module come from: package.json, "imports", has an object of these for each kind of host. */
export interface WasmBuild {
  readonly name: string;
  /** The SIMD build: its bytes, or compiled. */
  simd(): Uint8Array<ArrayBuffer> | WebAssembly.Module;
  /** Reads another build by its file's name, if there are files. */
  file?(name: string): Uint8Array<ArrayBuffer>;
}

/** Which build is meant. */
export interface Choice {
  /** By default the one that the engine takes. */
  simd?: boolean | undefined;
  /** The debug build, which only a development tree has. */
  debug?: boolean | undefined;
}

type Found = Uint8Array<ArrayBuffer> | WebAssembly.Module;

function isModule(found: Found): found is WebAssembly.Module {
  return !(found instanceof Uint8Array);
}

/** @throws DocteurError `Io` */
function find({ name, simd, file }: WasmBuild, isSimd: boolean, isDebug: boolean): Found {
  const named = `${name}${isDebug ? ".debug" : ""}${isSimd ? ".simd" : ""}.wasm`;
  try {
    if (isSimd && !isDebug) return simd();
    if (file !== undefined) return file(named);
  } catch (cause) {
    throw new DocteurError("Io", `cannot load ${named}: ${(cause as Error).message}`, {
      cause,
      hint: adviceOf(named),
    });
  }
  throw new DocteurError("Io", `this script does not carry ${named}`, { hint: adviceOf(named) });
}

function adviceOf(name: string): string {
  return `compile docteur/${name}, and give it as the option "module"`;
}

/** An engine that may not compile bytes says so with an error of its own. */
function refused(name: string, cause: unknown): DocteurError {
  return new DocteurError("Io", `cannot compile ${name}.simd.wasm: ${(cause as Error).message}`, {
    cause,
    hint:
      `import docteur/${name}.simd.wasm as a module, and give it as the option "module"; ` +
      "a page needs 'wasm-unsafe-eval' in its Content-Security-Policy",
  });
}

const compiled = new Map<string, WebAssembly.Module | Promise<WebAssembly.Module>>();

/** The key of a build, for `compiled`. */
function keyOf({ name }: WasmBuild, isSimd: boolean, isDebug: boolean): string {
  return `${name}${isDebug ? ".debug" : ""}${isSimd ? ".simd" : ""}`;
}

/**
 * Compiles a build of a module, once a process.
 * @throws DocteurError `Io` if it is not there, or if the engine may not compile it
 */
export async function compile(
  build: WasmBuild,
  { simd = hasSimd(), debug = false }: Choice = {},
): Promise<WebAssembly.Module> {
  const key = keyOf(build, simd, debug);
  let module = compiled.get(key);
  if (module === undefined) {
    const found = find(build, simd, debug);
    module = isModule(found)
      ? found
      : WebAssembly.compile(found).catch((cause) => {
          compiled.delete(key);
          throw refused(build.name, cause);
        });
    compiled.set(key, module);
  }
  return module;
}

/** Compiles a module at once, as `compile` does. A page's main thread may refuse to. */
export function compileSync(build: WasmBuild): WebAssembly.Module {
  const simd = hasSimd();
  const key = keyOf(build, simd, false);
  const known = compiled.get(key);
  if (known !== undefined && !(known instanceof Promise)) return known;
  const found = find(build, simd, false);
  try {
    const module = isModule(found) ? found : new WebAssembly.Module(found);
    compiled.set(key, module);
    return module;
  } catch (cause) {
    throw refused(build.name, cause);
  }
}

/** Loads the Wasm probes of `tests/asm`, in each of their four builds. */
import { readFileSync } from "node:fs";

/** One build of a probe. */
export interface ProbeVariant {
  label: string;
  /** The build has SIMD. */
  simd: boolean;
  /** The build is the debug one, several times slower. */
  debug: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: what a probe exports is the test's to know.
  exports: any;
}

/**
 * Instantiates a probe afresh, one build after another.
 * @param name of the file in `tests/asm`, without `.ts`
 * @param imports what the probe imports, if anything
 */
export function* probeVariants(name: string, imports: WebAssembly.Imports = {}): Generator<ProbeVariant> {
  for (const debug of [true, false]) {
    for (const simd of [false, true]) {
      const file = `../asm/${name}${debug ? ".debug" : ""}${simd ? ".simd" : ""}.wasm`;
      const module = new WebAssembly.Module(readFileSync(new URL(file, import.meta.url)));
      const label = `${name}, ${debug ? "debug" : "release"}, ${simd ? "SIMD" : "baseline"}`;
      yield { label, simd, debug, exports: new WebAssembly.Instance(module, imports).exports };
    }
  }
}

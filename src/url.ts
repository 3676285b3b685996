/**
 * `docteur/url`: `open` that loads the core from a file beside this module, for pages that want it cached by itself.
 * Bundlers that know `new URL(…, import.meta.url)` copy the file.
 * @module docteur/url
 */
import type { ImageSource } from "./devices/open.js";
import { DocteurError } from "./errors.js";
import { type OpenOptions, openWith } from "./opening.js";
import type { Volume } from "./volume.js";
import { hasSimd } from "./wasm/simd.js";
import type { WasmModule } from "./wasm/types.js";

let loading: Promise<WasmModule> | undefined;

async function load(url: URL): Promise<WasmModule> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    // Servers that know no type for Wasm are many: it is not compiled while it comes.
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new DocteurError("Io", `cannot load ${url.href}: ${(cause as Error).message}`, {
      cause,
      hint: 'serve docteur/core.simd.wasm there, or compile it and give it as the option "module"',
    });
  }
}

/** Loads the core, once. */
async function loadCore(): Promise<WasmModule> {
  loading ??= load(
    hasSimd() ? new URL("../core.simd.wasm", import.meta.url) : new URL("../core.wasm", import.meta.url),
  );
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

/**
 * Opens an image, as `open` of `docteur` does.
 * @throws DocteurError besides, `Io` if the core's file cannot be loaded
 */
export function open(source: ImageSource, options?: OpenOptions): Promise<Volume> {
  return openWith(loadCore, source, options);
}

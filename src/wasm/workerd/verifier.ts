/** The verifier in workerd, which compiles Wasm when a worker is deployed, and no bytes later on. */

import module from "../../../verifier.simd.wasm";
import type { WasmBuild } from "../compile.js";

export const build: WasmBuild = { name: "verifier", simd: () => module };

/** The core in workerd, which compiles Wasm when a worker is deployed, and no bytes later on. */

import module from "../../../core.simd.wasm";
import type { WasmBuild } from "../compile.js";

export const build: WasmBuild = { name: "core", simd: () => module };

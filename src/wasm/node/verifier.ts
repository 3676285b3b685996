/** The verifier in Node: in this script, and in files the builds without SIMD and for debugging. */
import type { WasmBuild } from "../compile.js";
import { text } from "../inlined/verifier.js";
import { bytesOf, readBuild } from "./bytes.js";

export const build: WasmBuild = {
  name: "verifier",
  simd: () => bytesOf(text),
  file: (name) => readBuild(new URL("../../../verifier.wasm", import.meta.url), name),
};

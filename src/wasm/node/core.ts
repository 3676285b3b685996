/** The core in Node: in this script, and in files the builds without SIMD and for debugging. */
import type { WasmBuild } from "../compile.js";
import { text } from "../inlined/core.js";
import { bytesOf, readBuild } from "./bytes.js";

export const build: WasmBuild = {
  name: "core",
  simd: () => bytesOf(text),
  file: (name) => readBuild(new URL("../../../core.wasm", import.meta.url), name),
};

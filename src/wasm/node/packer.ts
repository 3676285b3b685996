/** The packer in Node: in this script, and in files the builds without SIMD and for debugging. */
import type { WasmBuild } from "../compile.js";
import { text } from "../inlined/packer.js";
import { bytesOf, readBuild } from "./bytes.js";

export const build: WasmBuild = {
  name: "packer",
  simd: () => bytesOf(text),
  file: (name) => readBuild(new URL("../../../packer.wasm", import.meta.url), name),
};

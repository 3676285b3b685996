/** The core's SIMD build, inside this script: it is there wherever the script is. The build of this package writes it. */
import type { WasmBuild } from "../compile.js";
import { bytesOf } from "./text.js";

declare const DOCTEUR_CORE: string;

export const text: string = DOCTEUR_CORE;

export const build: WasmBuild = { name: "core", simd: () => bytesOf(text) };

/** The verifier's SIMD build, inside this script: it is there wherever the script is. The build of this package writes it. */
import type { WasmBuild } from "../compile.js";
import { bytesOf } from "./text.js";

declare const DOCTEUR_VERIFIER: string;

export const text: string = DOCTEUR_VERIFIER;

export const build: WasmBuild = { name: "verifier", simd: () => bytesOf(text) };

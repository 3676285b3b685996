/** The packer's SIMD build, inside this script: it is there wherever the script is. The build of this package writes it. */
import type { WasmBuild } from "../compile.js";
import { bytesOf } from "./text.js";

declare const DOCTEUR_PACKER: string;

export const text: string = DOCTEUR_PACKER;

export const build: WasmBuild = { name: "packer", simd: () => bytesOf(text) };

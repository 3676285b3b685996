/**
 * The program in one file: `docteur`, or `solo5-wasm` where it is called by that name. It starts itself again as the
 * program that ends git, with that script's URL as its first argument.
 */
import { basename } from "node:path";

const GUARD = new URL("../../src/git-program/guard.js", import.meta.url).href;

if (process.argv[2] === GUARD) {
  process.argv.splice(2, 1);
  void import("../../src/git-program/guard.js");
} else if (basename(process.argv0).startsWith("solo5-wasm")) void import("../solo5-wasm.js");
else void import("../docteur.js");

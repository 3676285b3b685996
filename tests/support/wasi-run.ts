/** Runs a WASI command under `node:wasi`: `wasi-run FOLDER NAME MODULE [ARGS]`, the folder preopened by that name. */
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [folder = "", name = "", module = "", ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: ["guest.wasm", ...args],
  preopens: { [name]: folder },
  returnOnExit: true,
});
const { instance } = await WebAssembly.instantiate(
  readFileSync(module),
  wasi.getImportObject() as WebAssembly.Imports,
);
process.exitCode = wasi.start(instance);

/** `npm start`: an image of this repository's HEAD, and its README served out of it by the guest. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const image = at("dist/docteur.img");

/** Runs one of this package's programs and ends with its status if it fails. */
function run(program: string, args: string[]): void {
  const { status, error } = spawnSync(process.execPath, [at(program), ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined) console.error(`start: ${error.message}`);
  if (status !== 0) process.exit(status ?? 8);
}

mkdirSync(at("dist"), { recursive: true });
console.error("docteur make . dist/docteur.img");
run("dist/tools/docteur.js", ["make", at("."), image]);
console.error("solo5-wasm --block:docteur=dist/docteur.img dist/guest/simple.wasm --filename /README.md");
run("dist/tools/solo5-wasm.js", [
  `--block:docteur=${image}`,
  at("dist/guest/simple.wasm"),
  "--filename",
  "/README.md",
]);

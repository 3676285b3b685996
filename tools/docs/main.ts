/**
 * `npm run docs`: builds the documentation's site, packs it into an image, and serves it. `--build` serves nothing.
 * Other arguments are those of `docteur serve`.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT } from "../cli/exit.js";
import { writeSite } from "./site.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SITE = join(ROOT, "dist/docs");
const IMAGE = join(ROOT, "dist/docs.img");

/** Runs a command of docteur, and ends with its status if it fails. */
function docteur(...args: string[]): void {
  console.error(`docteur ${args.join(" ").replaceAll(ROOT, "")}`);
  const program = join(dirname(fileURLToPath(import.meta.url)), "../docteur.js");
  const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" });
  if (error !== undefined) console.error(`docs: ${error.message}`);
  if (status !== 0) process.exit(status ?? 8);
}

const args = process.argv.slice(2);
rmSync(SITE, { recursive: true, force: true });
console.error("building dist/docs, which takes some twenty seconds");
if (!(await writeSite(ROOT, SITE))) process.exit(EXIT.io);
docteur("make", SITE, IMAGE);
if (!args.includes("--build")) docteur("serve", ...args, IMAGE);

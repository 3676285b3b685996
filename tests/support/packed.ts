/** The package as users install it: `npm pack`, made once for each state of the built files. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CACHE = join(ROOT, "dist/packed");

/** A digest of the names, sizes and times of all that goes into the package. */
function stateOf(): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  };
  for (const folder of ["dist/src", "dist/tools", "dist/guest", "docs"])
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).sort())
      if (!name.endsWith(".d.ts")) add(join(folder, name));
  for (const name of ["package.json", "dist/core.simd.wasm", "README.md"]) add(name);
  return hash.digest("hex").slice(0, 16);
}

/** Packs, and unpacks into a folder. The files are those that are built: nothing is built but declarations. */
function pack(folder: string): void {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    cwd: ROOT,
  });
  const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const name = execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", join(folder, name), "-C", folder]);
}

/** Packages of earlier states that are kept: other tests may still use the latest. */
const KEPT = 3;

/** Removes the packages of earlier states but the latest, and what tests that were killed left. */
function prune(): void {
  const byAge = readdirSync(CACHE)
    .map((name) => ({
      path: join(CACHE, name),
      age: statSync(join(CACHE, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.age - a.age);
  for (const { path } of byAge.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}

/** The folder of the unpacked package, and its archive's path. */
export function packedPackage(): { folder: string; archive: string } {
  const made = join(CACHE, stateOf());
  if (!existsSync(made)) {
    mkdirSync(CACHE, { recursive: true });
    prune();
    const folder = mkdtempSync(join(CACHE, "new-"));
    pack(folder);
    try {
      renameSync(folder, made);
    } catch {
      // Another test was faster.
      rmSync(folder, { recursive: true });
    }
  }
  const archive = readdirSync(made).find((name) => name.endsWith(".tgz"))!;
  return { folder: join(made, "package"), archive: join(made, archive) };
}

/**
 * Installs the packed package and what it depends on, as npm does: as files, not as a link, which bundlers treat
 * otherwise.
 * @param folder the project's; it gets `node_modules/docteur`
 */
export function installPacked(folder: string): void {
  const modules = join(folder, "node_modules");
  rmSync(join(modules, "docteur"), { recursive: true, force: true });
  cpSync(packedPackage().folder, join(modules, "docteur"), { recursive: true });
  for (const name of runtimeDependencies())
    cpSync(join(ROOT, "node_modules", name), join(modules, name), { recursive: true });
}

/** What the package depends on at run time, and what that depends on in turn. */
function runtimeDependencies(): Set<string> {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    for (const name of Object.keys((manifest as { dependencies?: object }).dependencies ?? {})) {
      if (found.has(name)) continue;
      found.add(name);
      visit(join(ROOT, "node_modules", name));
    }
  };
  visit(ROOT);
  return found;
}

/** Packages of the folders in tests/embed, which `npm ci` of this package does not install. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { unlessRequired } from "./required.js";

/** Folders of tests/embed that have a package.json, and are words of `DOCTEUR_TEST_REQUIRE`. */
export type EmbedFolder = "libraries";

function manifestOf(folder: EmbedFolder): string {
  return fileURLToPath(new URL(`../../../tests/embed/${folder}/package.json`, import.meta.url));
}

/** Why the packages of a folder cannot be used here, or undefined. */
export function whyNoPackages(folder: EmbedFolder): string | undefined {
  const installed = manifestOf(folder).replace("package.json", "node_modules");
  const reason = `npm ci --prefix tests/embed/${folder} was not run`;
  return unlessRequired(folder, existsSync(installed) ? undefined : reason);
}

/** The path of a package's module or file, such as `pyodide/pyodide.mjs`. */
export function pathFrom(folder: EmbedFolder, name: string): string {
  return createRequire(manifestOf(folder)).resolve(name);
}

/** Imports a package of a folder. */
export async function importFrom<T>(folder: EmbedFolder, name: string): Promise<T> {
  return (await import(pathToFileURL(pathFrom(folder, name)).href)) as T;
}

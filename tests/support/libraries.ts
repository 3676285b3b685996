/** Packages of `tests/embed/libraries`: `npm ci` there installs them, which takes more than most tests are worth. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { distPath } from "./programs.js";
import { unlessRequired } from "./required.js";

const FROM = distPath("../tests/embed/libraries/package.json");
const { resolve } = createRequire(FROM);

/** The path of a file of a package, such as `pyodide/package.json`; undefined where it is not installed. */
export function libraryPath(name: string): string | undefined {
  try {
    return resolve(name);
  } catch {
    return undefined;
  }
}

/** Imports a package. It must be there. */
export async function importLibrary<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(resolve(name)).href)) as T;
}

/** Why a test of these packages is skipped; false where it is not. */
export function withoutLibraries(...names: string[]): string | false {
  const missing = names.filter((name) => libraryPath(name) === undefined);
  const reason =
    missing.length === 0 ? undefined : `${missing.join(", ")}: npm ci --prefix tests/embed/libraries`;
  return unlessRequired("libraries", reason) ?? false;
}

/**
 * The package's own files: those beside its scripts, which find them by `import.meta.url`. The program in one file
 * (`tools/binary`) replaces this module by one that reads them out of itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @throws Error of the file system */
export function readOwn(url: URL): Buffer {
  return readFileSync(url);
}

export function hasOwn(url: URL): boolean {
  return existsSync(url);
}

/** The directory of the URL, or undefined where the package is not in directories. */
export function ownFolder(url: URL): string | undefined {
  return fileURLToPath(url);
}

/**
 * The arguments for `process.execPath` that start a program of the package.
 * @param script of the program; that of this process by default
 */
export function ownProgram(script?: URL): string[] {
  return [script === undefined ? process.argv[1]! : fileURLToPath(script)];
}

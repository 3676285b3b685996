/** The package's own files inside the program: `src/node/own-files.ts` there. Their URLs have a scheme of their own. */
import { getRawAsset } from "node:sea";

/** The scheme of the URLs that the build gives to modules, instead of `import.meta.url`. */
const SCHEME = "docteur:";

/** A file's name among the program's assets: its path in the package. */
function nameOf(url: URL): string {
  if (url.protocol !== SCHEME) throw new Error(`${url} is not inside the program`);
  return url.pathname.replace(/^\/+/, "");
}

/** @throws Error if there is no such file */
export function readOwn(url: URL): Buffer {
  // A copy: the program itself is mapped read-only.
  return Buffer.from(new Uint8Array(getRawAsset(nameOf(url)) as ArrayBuffer));
}

export function hasOwn(url: URL): boolean {
  try {
    getRawAsset(nameOf(url));
    return true;
  } catch {
    return false;
  }
}

export function ownFolder(_url: URL): undefined {}

export function ownProgram(script?: URL): string[] {
  return script === undefined ? [] : [script.href];
}

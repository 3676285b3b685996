/**
 * The host's files, for modules that run without them, too: these import it when a path asks for it. Bundles for browsers
 * have `no-files.ts` in its place (package.json, "browser").
 */
import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DocteurError } from "../errors.js";

export { FileDevice } from "./file.js";
export { FolderStore } from "./folder-store.js";

/** The path that a `file:` URL stands for. @throws DocteurError `InvalidArgument` for one that stands for none */
export function pathOfUrl(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new DocteurError("InvalidArgument", `cannot open ${url.href}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** @throws what the system says */
export async function readWhole(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(url));
}

/** Bytes of a file; undefined for what is none: block devices have their size elsewhere. */
export async function fileSize(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : undefined;
}

/**
 * The host's files: `#files` with Node. Other hosts have `no-files.ts` (package.json, "imports").
 */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DocteurError } from "../errors.js";
import type { PageStore } from "./remote/kept-pages.js";

export { FileDevice } from "./file.js";

/** Whether paths and `file:` URLs can be opened. */
export const hasFiles: boolean = true;

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

/** Pages in a folder. @param most bytes that its files may take */
export async function openFolderStore(folder: string, most: number): Promise<PageStore> {
  const { FolderStore } = await import("./folder-store.js");
  return new FolderStore(folder, most);
}

/** Bytes of a file; undefined for what is none: block devices have their size elsewhere. */
export async function fileSize(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : undefined;
}

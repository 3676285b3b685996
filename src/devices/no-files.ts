/** `#files` without Node: there are no files (package.json, "imports"). */
import { DocteurError } from "../errors.js";

/** Whether paths and `file:` URLs can be opened. */
export const hasFiles: boolean = false;

function refuse(what: string): never {
  throw new DocteurError("InvalidArgument", `cannot open ${what}: there are no files here`, {
    hint:
      "open the image by an http: or https: URL, its bytes, or a Blob; a bundle that runs in Node must be built for it " +
      '(resolve the condition "node")',
  });
}

export const pathOfUrl = (url: URL): never => refuse(url.href);

export async function fileSize(path: string): Promise<never> {
  refuse(path);
}

/** Never made: `fileSize` is asked first. */
export class FileDevice {
  constructor(path: string) {
    refuse(path);
  }
}

/** Browsers keep pages in their Cache Storage. */
export async function openFolderStore(folder: string, _most: number): Promise<never> {
  refuse(folder);
}

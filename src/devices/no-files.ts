/** What stands for `files.ts` where there are no files: in browsers. */
import { DocteurError } from "../errors.js";

function refuse(what: string): never {
  throw new DocteurError("InvalidArgument", `cannot open ${what}: there are no files here`, {
    hint: "open the image by an http: or https: URL, its bytes, or a Blob",
  });
}

export const pathOfUrl = (url: URL): never => refuse(url.href);

export async function readWhole(url: URL): Promise<never> {
  refuse(url.href);
}

export async function fileSize(path: string): Promise<never> {
  refuse(path);
}

/** Never made: `fileSize` is asked first. */
export class FileDevice {
  constructor(path: string) {
    refuse(path);
  }
}

/** Never made either: browsers keep pages in their Cache Storage. */
export class FolderStore {
  constructor(folder: string, _most: number) {
    refuse(folder);
  }
}

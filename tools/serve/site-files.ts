/**
 * Files of this machine in the shape of a volume, so that the handler of `docteur/http` serves them as it serves an
 * image: with ranges, conditions and ETags. The browser page and the images that it reads are served by this.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { ServedVolume } from "../../src/http/index.js";
import { type Commit, DocteurError, type Entry, type Path } from "../../src/index.js";
import { readOwn } from "../../src/node/own-files.js";

/** A file that is served: in memory, or open. */
export interface SiteFile {
  /** What tells this content from others. */
  tag: string;
  size: number;
  /** @param length bytes, all of them in the file */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes that a stream reads at once. */
const CHUNK = 1 << 18;

const PAGE_FILES = ["index.html", "page.js", "style.css", "worker.js"];

/** A file in memory. */
export function memoryFile(content: Uint8Array): SiteFile {
  const tag = createHash("sha1").update(content).digest("hex");
  return {
    tag,
    size: content.length,
    read: async (offset, length) => content.slice(offset, offset + length),
  };
}

/** An open file. @throws DocteurError `Io` from `read`, if the file has become shorter */
export function openedFile(handle: FileHandle, tag: string, size: number): SiteFile {
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new DocteurError("Io", "the image became shorter");
      done += bytesRead;
    }
    return bytes;
  };
  return { tag, size, read };
}

/** The files of the browser page, by their names. */
export function pageFiles(): Map<string, SiteFile> {
  const folder = new URL("../../page/", import.meta.url);
  return new Map(PAGE_FILES.map((name) => [name, memoryFile(readOwn(new URL(name, folder)))]));
}

const decoder = new TextDecoder();

/** Files by their names, all in one directory, as a volume. */
export function siteOfFiles(files: ReadonlyMap<string, SiteFile>, commit: Commit): ServedVolume {
  const nameOf = (path: Path): string =>
    (typeof path === "string" ? path : decoder.decode(path)).replace(/^\/+/, "");
  const find = (path: Path): SiteFile => {
    const file = files.get(nameOf(path));
    if (file !== undefined) return file;
    throw new DocteurError("NotFound", `${nameOf(path)} not found`);
  };
  const entryOf = (name: string, kind: Entry["kind"], mode: number, oid: string): Entry => {
    const nameBytes = Buffer.from(name);
    return { name, nameBytes, path: `/${name}`, pathBytes: Buffer.from(`/${name}`), kind, mode, oid };
  };
  return {
    commit,
    stat: async (path) => {
      if (nameOf(path) === "") return entryOf("", "directory", 0o040000, "");
      const { size, tag } = find(path);
      return { ...entryOf(nameOf(path), "file", 0o100644, tag), size };
    },
    getPartial: async (path, offset, length) => {
      const file = find(path);
      return file.read(offset, Math.max(0, Math.min(length, file.size - offset)));
    },
    stream: (path, { offset = 0, length = Number.MAX_SAFE_INTEGER } = {}) => {
      const file = find(path);
      const end = Math.min(file.size, offset + length);
      let at = offset;
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const bytes = await file.read(at, Math.min(CHUNK, end - at));
            at += bytes.length;
            controller.enqueue(bytes);
            if (at === end) controller.close();
          },
        },
        { highWaterMark: 0 },
      );
    },
    // Nothing of this is listed.
    async *entries() {},
  };
}

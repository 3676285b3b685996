/** Writes a compressed tar archive of files: equal files and times give equal bytes. */
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { padding, tarEnd, tarHeader } from "../../src/extract/tar.js";

/** The members of a folder, as they follow each other in the archive. */
async function* members(folder: string, seconds: number): AsyncGenerator<Buffer> {
  let length = 0;
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) {
    const file = join(folder, name);
    const stats = lstatSync(file);
    const path = stats.isDirectory() ? `${name}/` : name;
    const size = stats.isFile() ? stats.size : 0;
    const head = stats.isSymbolicLink()
      ? tarHeader({ kind: "symlink", path, size, target: readlinkSync(file), seconds })
      : tarHeader({ kind: kindOf(stats), path, size, seconds });
    yield head;
    if (size > 0) yield* createReadStream(file) as AsyncIterable<Buffer>;
    yield padding(size);
    length += head.length + size + padding(size).length;
  }
  yield tarEnd(length);
}

function kindOf(stats: ReturnType<typeof lstatSync> & object): "directory" | "executable" | "file" {
  if (stats.isDirectory()) return "directory";
  return (Number(stats.mode) & 0o111) === 0 ? "file" : "executable";
}

/**
 * @param folder whose files and directories are the members
 * @param seconds since 1970: the time of all members
 */
export async function writeArchive(folder: string, archive: string, seconds: number): Promise<void> {
  await pipeline(Readable.from(members(folder, seconds)), createGzip(), createWriteStream(archive));
}

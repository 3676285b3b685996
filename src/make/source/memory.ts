/** Files in memory as a source. */
import { DocteurError, type ErrorCode } from "../../errors.js";
import { byteString, shown } from "../../git/byte-string.js";
import { checkLimits, checkName } from "../../git/names.js";
import { MODE, type Mode } from "../../git/objects.js";
import type { Path } from "../../volume.js";
import { SourceBlobs } from "./blobs.js";
import { type Listing, type SourceEntry, SourceFolder } from "./listing.js";

/** Bytes: a string's are its UTF-8, a view's those that it shows. They must not change until the image is made. */
export type FileContent = string | ArrayBuffer | ArrayBufferView;

/** What a path leads to: a file, a symbolic link, or a directory, which needs to be named only if it is to be empty. */
export type MemoryFile =
  | FileContent
  | { content: FileContent; executable?: boolean | undefined }
  | { link: FileContent }
  | { directory: true };

/**
 * Files by their paths: an object, a `Map`, or pairs. Paths go from the image's root, with or without a slash in front, with
 * `/` between names: strings, or bytes where a name is not UTF-8.
 */
export type MemoryFiles = Readonly<Record<string, MemoryFile>> | Iterable<readonly [Path, MemoryFile]>;

const utf8 = new TextEncoder();

function fail(code: ErrorCode, path: string, why: string, hint?: string): never {
  throw new DocteurError(code, `"${shown(path)}" cannot be in an image: ${why}`, { path: shown(path), hint });
}

/** Undefined for what is no content. Realms have each their own `ArrayBuffer`: its class is no test. */
function bytesOf(content: unknown): Uint8Array | undefined {
  if (typeof content === "string") return utf8.encode(content);
  if (ArrayBuffer.isView(content))
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return Object.prototype.toString.call(content) === "[object ArrayBuffer]"
    ? new Uint8Array(content as ArrayBuffer)
    : undefined;
}

/** A path as a byte string. */
function pathOf(path: unknown): string {
  if (typeof path === "string") return byteString(path);
  const bytes = bytesOf(path);
  if (bytes === undefined) throw new DocteurError("InvalidArgument", `not a path: ${String(path)}`);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A file or a symbolic link. */
interface Leaf {
  mode: Exclude<Mode, "40000">;
  content: Uint8Array;
}

/** A directory: what its names lead to. */
type Folder = Map<string, Folder | Leaf>;

/** @returns undefined for a directory */
function leafOf(path: string, file: MemoryFile): Leaf | undefined {
  const plain = bytesOf(file);
  if (plain !== undefined) return { mode: MODE.file, content: plain };
  const { content, executable, link, directory } = (file ?? {}) as Record<string, unknown>;
  const given = [content, link, directory].filter((part) => part !== undefined).length;
  const bytes = bytesOf(content ?? link);
  if (given === 1 && directory === true) return undefined;
  if (given !== 1 || bytes === undefined)
    fail(
      "InvalidArgument",
      path,
      "it is not a file's content, nor a link, nor a directory",
      'one of: a string, bytes, { content }, { content, executable: true }, { link: "target" }, { directory: true }',
    );
  if (link === undefined) return { mode: executable === true ? MODE.executable : MODE.file, content: bytes };
  if (bytes.length === 0 || bytes.includes(0))
    fail("BadSource", path, "a symbolic link leads to no such path");
  return { mode: MODE.symlink, content: bytes };
}

/** The names of a path, each one that a file can have. */
function namesOf(path: string, mode: Mode): string[] {
  const relative = path.startsWith("/") ? path.slice(1) : path;
  const names = relative.split("/");
  checkLimits(relative, relative.length, names.length);
  for (const [at, name] of names.entries()) {
    if (name === "") fail("BadSource", path, "a name in its path is empty");
    if (name === "." || name === "..") fail("BadSource", path, `no file is named "${name}"`);
    if (name.includes("\0")) fail("BadSource", path, "a name in its path has a zero byte");
    checkName(name, at === names.length - 1 ? mode : MODE.directory, relative);
  }
  return names;
}

/** The directory of that path, made if it is not there. */
function folderAt(root: Folder, names: readonly string[], path: string): Folder {
  let folder = root;
  for (const name of names) {
    let found = folder.get(name);
    if (found === undefined) {
      found = new Map();
      folder.set(name, found);
    } else if (!(found instanceof Map)) {
      fail("BadSource", path, "what is a file by another path is a directory by this one");
    }
    folder = found;
  }
  return folder;
}

function place(root: Folder, path: string, file: MemoryFile): void {
  const leaf = leafOf(path, file);
  const names = namesOf(path, leaf?.mode ?? MODE.directory);
  if (leaf === undefined) {
    folderAt(root, names, path);
    return;
  }
  const name = names.pop()!;
  const folder = folderAt(root, names, path);
  const found = folder.get(name);
  if (found instanceof Map) fail("BadSource", path, "it is a file, and a directory by another path");
  if (found !== undefined) fail("BadSource", path, "it is there twice");
  folder.set(name, leaf);
}

function sourceFolder(folder: Folder, blobs: SourceBlobs): SourceFolder {
  const entries: SourceEntry[] = [];
  for (const [name, found] of folder) {
    if (found instanceof Map) {
      entries.push({ name, mode: MODE.directory, folder: sourceFolder(found, blobs) });
    } else {
      entries.push({ name, mode: found.mode, blob: blobs.add(found.content.length, found.content) });
    }
  }
  return new SourceFolder(entries);
}

/**
 * Lists files in memory. Their order has no part in what an image of them holds.
 * @throws DocteurError `BadSource` for what no image can hold, `InvalidArgument` for what is no path, file or the like
 */
export function listMemory(files: MemoryFiles): Listing {
  if (typeof files !== "object" || files === null)
    throw new DocteurError("InvalidArgument", `not files by their paths: ${String(files)}`);
  const root: Folder = new Map();
  for (const pair of Symbol.iterator in files ? files : Object.entries(files)) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new DocteurError("InvalidArgument", "files are listed in pairs, each of a path and a file");
    place(root, pathOf(pair[0]), pair[1]);
  }
  const blobs = new SourceBlobs();
  return { root: sourceFolder(root, blobs), blobs, newest: undefined, skipped: [] };
}

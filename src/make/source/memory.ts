/** Files in memory as a source. */

import type { Path } from "../../arguments.js";
import { DocteurError, type ErrorCode } from "../../errors.js";
import { byteString, shown, shownStart } from "../../git/byte-string.js";
import { checkLimits, checkName } from "../../git/names.js";
import { MODE, MODES, type Mode } from "../../git/objects.js";
import { SourceBlobs } from "./blobs.js";
import { type Listing, SkippedPaths, type SourceVisitor } from "./listing.js";
import { FOLDER, NotAFolder, PathTree } from "./path-tree.js";

/**
 * Bytes. A string stands for its UTF-8, a view for the bytes that it shows. They must not change until the
 * image is made.
 */
export type FileContent = string | ArrayBuffer | ArrayBufferView;

/** The entry at a path: a file, a symbolic link, or a directory, which must be named only if it is empty. */
export type MemoryFile =
  | FileContent
  | { content: FileContent; executable?: boolean | undefined }
  | { link: FileContent }
  | { directory: true };

/**
 * Files by their paths: an object, a `Map`, or pairs. Paths start at the image's root, with or without a
 * slash in front, with `/` between names. They are strings, or bytes if a name is not UTF-8.
 */
export type MemoryFiles = Readonly<Record<string, MemoryFile>> | Iterable<readonly [Path, MemoryFile]>;

const utf8 = new TextEncoder();

function fail(code: ErrorCode, path: string, why: string, hint?: string): never {
  throw new DocteurError(code, `${shownStart(path, path.length)} cannot be in an image: ${why}`, {
    path: shown(path),
    hint,
  });
}

/** A lone half of a surrogate pair, which has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** @throws DocteurError `InvalidArgument` if text has no UTF-8 form */
function checkText(text: string, what: string): void {
  const at = text.search(LONE_SURROGATE);
  if (at >= 0)
    throw new DocteurError("InvalidArgument", `${what} has half of a surrogate pair, at character ${at}`, {
      hint: "text is written as UTF-8, which has no such thing: give bytes",
    });
}

/**
 * Undefined for values that are not contents. Each realm has its own `ArrayBuffer`, so `instanceof` is not a
 * valid test.
 */
function bytesOf(content: unknown): Uint8Array | undefined {
  if (typeof content === "string") {
    checkText(content, "a file's content");
    return utf8.encode(content);
  }
  if (ArrayBuffer.isView(content))
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return Object.prototype.toString.call(content) === "[object ArrayBuffer]"
    ? new Uint8Array(content as ArrayBuffer)
    : undefined;
}

/** A path as a byte string. */
function pathOf(path: unknown): string {
  if (typeof path === "string") {
    checkText(path, "a path");
    return byteString(path);
  }
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

/** A path without a slash in front. Each of its names must be valid for a file. */
function placeOf(path: string, mode: Mode): string {
  const relative = path.startsWith("/") ? path.slice(1) : path;
  const names = relative.split("/");
  checkLimits(relative, relative.length, names.length);
  for (const [at, name] of names.entries()) {
    if (name === "") fail("BadSource", path, "a name in its path is empty");
    if (name === "." || name === "..") fail("BadSource", path, `no file is named "${name}"`);
    if (name.includes("\0")) fail("BadSource", path, "a name in its path has a zero byte");
    checkName(name, at === names.length - 1 ? mode : MODE.directory, relative);
  }
  return relative;
}

/** The files added so far. */
class MemoryLister {
  readonly #tree = new PathTree();
  /** For each file its content in the listing, and the index of its mode. */
  readonly #blobs = new SourceBlobs();
  readonly #modes: number[] = [];

  take(path: string, file: MemoryFile): void {
    const leaf = leafOf(path, file);
    const place = placeOf(path, leaf?.mode ?? MODE.directory);
    const found = this.#tree.find(place);
    if (leaf === undefined ? found !== undefined && found !== FOLDER : found === FOLDER)
      fail("BadSource", path, `"${shown(place)}" is a file by one path, and a directory by another`);
    if (leaf !== undefined && found !== undefined) fail("BadSource", path, "it is there twice");
    try {
      if (leaf === undefined) this.#tree.addFolder(place);
      else {
        this.#tree.set(place, this.#blobs.add(leaf.content));
        this.#modes.push(MODES.indexOf(leaf.mode));
      }
    } catch (error) {
      if (!(error instanceof NotAFolder)) throw error;
      fail("BadSource", path, `"${shown(error.path)}" is a file by one path, and a directory by another`);
    }
  }

  listing(): Listing {
    const tree = this.#tree;
    tree.seal();
    const modeOf = (blob: number): Leaf["mode"] => MODES[this.#modes[blob]!] as Leaf["mode"];
    const walk = (visitor: SourceVisitor): void =>
      tree.walk({
        enter: (name) => visitor.enter(name),
        leaf: (name, blob) => visitor.leaf(name, modeOf(blob), blob),
        leave: () => visitor.leave(),
      });
    const folderCount = (): number => tree.folderCount();
    return {
      tree: { folderCount, walk },
      blobs: this.#blobs,
      newest: undefined,
      skipped: new SkippedPaths(),
      strippedCount: 0,
    };
  }
}

/**
 * Lists files in memory. Their order does not change an image of them.
 * @throws DocteurError `BadSource` for entries that no image can hold, `InvalidArgument` for values of a
 *   wrong type or form
 */
export function listMemory(files: MemoryFiles): Listing {
  if (typeof files !== "object" || files === null)
    throw new DocteurError("InvalidArgument", `not files by their paths: ${String(files)}`);
  const lister = new MemoryLister();
  for (const pair of Symbol.iterator in files ? files : Object.entries(files)) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new DocteurError("InvalidArgument", "files are listed in pairs, each of a path and a file");
    lister.take(pathOf(pair[0]), pair[1]);
  }
  return lister.listing();
}

/** `readdir` and `opendir`: directories, and everything below them. */
import { isDirectory } from "../posix/attributes.js";
import { PosixError } from "../posix/errno.js";
import type { Found } from "../posix/lookup.js";
import type { Steps } from "../posix/steps.js";
import type { Entry } from "../volume/entry.js";
import { optionsOf, placeOf } from "./arguments.js";
import { asBuffer, encoded, encodingOf } from "./encoding.js";
import { translated } from "./errors.js";
import { byteString, bytesOf, join } from "./paths.js";
import type { Reads } from "./reads.js";
import { Dirent } from "./stats.js";
import type { Bytes } from "./types.js";

/** Bytes that the results of one call may take, as in `list`: an image can have more entries than memory. */
const RESULTS_MAX = 1 << 30;
/** Bytes that a result takes besides its text. */
const RESULT_BYTES = 320;

/** A directory, and its path below the one that was asked for: a byte string, empty for that one itself. */
export interface Folder {
  found: Found;
  below: string;
}

/** How entries are given. */
export interface Form {
  encoding: string;
  isRecursive: boolean;
  /** The path that the caller gave, for the paths of directories in `Dirent`. */
  given: string | Uint8Array;
}

/** The form that options ask for. */
export function formOf(given: unknown, path: unknown): Form {
  const options = optionsOf(given);
  return {
    encoding: encodingOf(options.encoding) ?? "utf8",
    isRecursive: Boolean(options.recursive),
    given: typeof path === "string" || path instanceof Uint8Array ? path : placeOf(path).text,
  };
}

/** Finds a directory. @param syscall `scandir` or `opendir` */
export function* findFolder(reads: Reads, syscall: string, path: unknown): Steps<Folder> {
  const place = placeOf(path);
  const found = yield* reads.find(syscall, place);
  if (!isDirectory(found.entry)) throw translated(new PosixError("ENOTDIR"), { syscall, path: place.text });
  return { found, below: "" };
}

/** The directory that is an entry of another one; undefined for other entries, links too. */
export function folderIn({ found, below }: Folder, entry: Entry): Folder | undefined {
  if (!isDirectory(entry)) return undefined;
  const name = byteString(entry.nameBytes);
  const path = bytesOf(`${byteString(found.path)}/${name}`);
  return { found: { path, entry }, below: below === "" ? name : `${below}/${name}` };
}

/** The path of a directory in `Dirent`: the caller's, and the names below it. */
function parentPath({ below }: Folder, { given, encoding }: Form): string | Bytes {
  const text = typeof given === "string" ? undefined : byteString(given);
  if (below === "") return text === undefined ? (given as string) : asBuffer(given as Uint8Array);
  if (text !== undefined) return asBuffer(bytesOf(join(text, below)));
  return join(given as string, encoded(bytesOf(below), encoding === "buffer" ? "utf8" : encoding) as string);
}

/** An entry as `Dirent`. */
export function direntOf(folder: Folder, entry: Entry, form: Form): Dirent {
  return new Dirent(encoded(entry.nameBytes, form.encoding), parentPath(folder, form), entry);
}

/** An entry as its path below the directory that was asked for. */
function nameOf({ below }: Folder, { nameBytes }: Entry, { encoding }: Form): string | Bytes {
  return encoded(below === "" ? nameBytes : bytesOf(`${below}/${byteString(nameBytes)}`), encoding);
}

/**
 * The entries of a directory, sorted by their bytes; with `recursive`, directory after directory, without those behind
 * links.
 */
export function* readdir(reads: Reads, path: unknown, given?: unknown): Steps<(string | Bytes | Dirent)[]> {
  const form = formOf(given, path);
  const { withFileTypes } = optionsOf(given);
  const give = withFileTypes ? direntOf : nameOf;
  const results: (string | Bytes | Dirent)[] = [];
  const call = { syscall: "scandir", path: placeOf(path).text };
  const folders = [yield* findFolder(reads, "scandir", path)];
  let cost = 0;
  for (const folder of folders) {
    for (const entry of yield* reads.page(call, folder.found)) {
      cost += RESULT_BYTES + folder.below.length + 4 * entry.nameBytes.length;
      if (cost > RESULTS_MAX) throw translated(new PosixError("ENOMEM"), call);
      results.push(give(folder, entry, form));
      const below = form.isRecursive ? folderIn(folder, entry) : undefined;
      if (below !== undefined) folders.push(below);
    }
  }
  return results;
}

/**
 * The operations of `fs` that write. They end as on a file system that is mounted read-only: what Linux finds out first, such
 * as a missing directory, is the error; otherwise it is EROFS.
 */
import { isDirectory } from "../posix/attributes.js";
import { type Errno, errnoOf, PosixError } from "../posix/errno.js";
import { type AnyVolume, lookup, lookupParent } from "../posix/lookup.js";
import type { Steps } from "../posix/steps.js";
import { optionsOf, type Place, placeOf } from "./arguments.js";
import { O } from "./constants.js";
import { type Call, nodeError, systemError } from "./errors.js";
import { join, resolvedNames } from "./paths.js";
import { calling, type Reads } from "./reads.js";

/** The error of `fs` for a directory where it wants a file: not one of a system call. */
function directoryError(syscall: string, path: string, why: string): Error {
  const text = `Path is a directory: ${syscall} returned EISDIR (${why}) ${path}`;
  const error = nodeError(Error, "ERR_FS_EISDIR", text);
  error.name = "SystemError";
  const errno = 21;
  const info = { code: "EISDIR", message: why, path, syscall, errno };
  return Object.assign(error, { errno, syscall, path, info });
}

/** A path without slashes at its end. */
function withoutSlashes(path: Uint8Array): Uint8Array {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end--;
  return path.subarray(0, end);
}

/** Whether a path leads to something, itself or behind a link. */
function* isThere(volume: AnyVolume, { bytes }: Place, follow: boolean): Steps<boolean> {
  try {
    yield* lookup(volume, bytes, follow);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Writes, all of which fail. */
export class Writes {
  readonly #reads: Reads;
  readonly #volume: AnyVolume;

  constructor(reads: Reads) {
    this.#reads = reads;
    this.#volume = reads.volume;
  }

  /** A change of something that is there. */
  *#change(syscall: string, path: unknown, follow: boolean): Steps<never> {
    const place = placeOf(path);
    yield* this.#reads.find(syscall, place, follow);
    throw systemError("EROFS", { syscall, path: place.text });
  }

  /** A change of the directories that hold these paths. */
  *#inFolders(call: Call, ...places: readonly Place[]): Steps<never> {
    for (const { bytes } of places) yield* calling(call, lookupParent(this.#volume, bytes));
    throw systemError("EROFS", call);
  }

  /** A new entry at a path. */
  *#create(call: Call, place: Place): Steps<never> {
    yield* calling(call, lookupParent(this.#volume, place.bytes));
    const last = { ...place, bytes: withoutSlashes(place.bytes) };
    if (yield* calling(call, isThere(this.#volume, last, false))) throw systemError("EEXIST", call);
    throw systemError("EROFS", call);
  }

  chmod = (path: unknown): Steps<never> => this.#change("chmod", path, true);
  chown = (path: unknown): Steps<never> => this.#change("chown", path, true);
  lchown = (path: unknown): Steps<never> => this.#change("lchown", path, false);
  utimes = (path: unknown): Steps<never> => this.#change("utime", path, true);
  lutimes = (path: unknown): Steps<never> => this.#change("lutime", path, false);

  *#open(path: unknown, flags: number): Steps<never> {
    yield* this.#reads.open(path, flags);
    throw systemError("EROFS", { syscall: "open", path: placeOf(path).text });
  }

  truncate = (path: unknown): Steps<never> => this.#open(path, O.O_RDWR);

  *writeFile(pathOrFd: unknown): Steps<never> {
    if (typeof pathOrFd === "number") return yield* this.#writeTo("write", "EBADF", pathOrFd);
    return yield* this.#open(pathOrFd, O.O_WRONLY | O.O_CREAT | O.O_TRUNC);
  }

  *unlink(path: unknown): Steps<never> {
    const place = placeOf(path);
    return yield* this.#inFolders({ syscall: "unlink", path: place.text }, place);
  }

  *rmdir(path: unknown): Steps<never> {
    const place = placeOf(path);
    return yield* this.#inFolders({ syscall: "rmdir", path: place.text }, place);
  }

  *rename(from: unknown, to: unknown): Steps<never> {
    const [source, target] = [placeOf(from, "oldPath"), placeOf(to, "newPath")];
    return yield* this.#inFolders(
      { syscall: "rename", path: source.text, dest: target.text },
      source,
      target,
    );
  }

  *mkdtemp(prefix: unknown): Steps<never> {
    const { text, bytes } = placeOf(prefix, "prefix");
    const path = `${text}XXXXXX`;
    const place = { text: path, bytes: new Uint8Array([...bytes, ...new TextEncoder().encode("XXXXXX")]) };
    return yield* this.#inFolders({ syscall: "mkdtemp", path }, place);
  }

  *link(from: unknown, to: unknown): Steps<never> {
    const [source, target] = [placeOf(from, "existingPath"), placeOf(to, "newPath")];
    const call = { syscall: "link", path: source.text, dest: target.text };
    yield* calling(call, lookup(this.#volume, source.bytes, false));
    return yield* this.#create(call, target);
  }

  *symlink(target: unknown, path: unknown): Steps<never> {
    const place = placeOf(path);
    const call = { syscall: "symlink", path: placeOf(target, "target").text, dest: place.text };
    return yield* this.#create(call, place);
  }

  /** A directory. With `recursive`, one that is there is no error. */
  *mkdir(path: unknown, given?: unknown): Steps<undefined> {
    const place = placeOf(path);
    const call = { syscall: "mkdir", path: place.text };
    const { recursive } = typeof given === "object" && given !== null ? optionsOf(given) : {};
    if (!recursive) return yield* this.#create(call, place);
    if (!(yield* calling(call, isThere(this.#volume, place, true)))) throw systemError("EROFS", call);
    const { entry } = yield* calling(call, lookup(this.#volume, place.bytes, true));
    if (!isDirectory(entry)) throw systemError("EEXIST", call);
    return undefined;
  }

  *copyFile(from: unknown, to: unknown): Steps<never> {
    const [source, target] = [placeOf(from, "src"), placeOf(to, "dest")];
    const call = { syscall: "copyfile", path: source.text, dest: target.text };
    yield* calling(call, lookup(this.#volume, source.bytes, true));
    return yield* calling(call, this.#written(target));
  }

  /** Opens a file to write it whole. */
  *#written({ bytes }: Place): Steps<never> {
    const volume = this.#volume;
    try {
      const { entry } = yield* lookup(volume, bytes, true);
      if (isDirectory(entry)) throw new PosixError("EISDIR");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      yield* lookupParent(volume, bytes);
    }
    throw new PosixError("EROFS");
  }

  /** `cp` within the file system. What lies in an image is copied out of it by `readdir` and `readFile`. */
  *cp(from: unknown, to: unknown, given?: unknown): Steps<never> {
    const [source, target] = [placeOf(from, "src"), placeOf(to, "dest")];
    const { recursive } = optionsOf(given);
    const { entry } = yield* this.#reads.find("lstat", source, false);
    if (entry.kind === "symlink") {
      const link = (yield* this.#reads.readlink(from)) as string;
      return yield* this.symlink(`/${resolvedNames(join(source.text, ".."), link).join("/")}`, to);
    }
    if (!isDirectory(entry)) return yield* this.copyFile(from, to);
    if (!recursive) throw directoryError("cp", source.text, `${source.text} is a directory (not copied)`);
    throw systemError("EROFS", { syscall: "mkdir", path: target.text });
  }

  *rm(path: unknown, given?: unknown): Steps<undefined> {
    const place = placeOf(path);
    const { force, recursive } = optionsOf(given);
    const volume = this.#volume;
    if (force && !(yield* calling({ syscall: "lstat", path: place.text }, isThere(volume, place, false))))
      return undefined;
    const { entry } = yield* this.#reads.find("lstat", place, false);
    if (!isDirectory(entry)) return yield* this.unlink(path);
    if (!recursive) throw directoryError("rm", place.text, "is a directory");
    return yield* this.rmdir(path);
  }

  /** A write to an open file. Files are open for reading alone. */
  *#writeTo(syscall: string, code: Errno, fd: unknown): Steps<never> {
    yield* this.#reads.file(syscall, fd as number);
    throw systemError(code, { syscall });
  }

  write = (fd: unknown): Steps<never> => this.#writeTo("write", "EBADF", fd);
  ftruncate = (fd: unknown): Steps<never> => this.#writeTo("ftruncate", "EINVAL", fd);
  fchmod = (fd: unknown): Steps<never> => this.#writeTo("fchmod", "EROFS", fd);
  fchown = (fd: unknown): Steps<never> => this.#writeTo("fchown", "EROFS", fd);
  futimes = (fd: unknown): Steps<never> => this.#writeTo("futime", "EROFS", fd);

  /** There is nothing to write back. */
  *fsync(fd: unknown): Steps<undefined> {
    yield* this.#reads.file("fsync", fd as number);
    return undefined;
  }

  *fdatasync(fd: unknown): Steps<undefined> {
    yield* this.#reads.file("fdatasync", fd as number);
    return undefined;
  }
}

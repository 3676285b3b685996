/** The operations of `fs` that read, each written once for every form of call. */
import { isDirectory } from "../posix/attributes.js";
import { PosixError } from "../posix/errno.js";
import { type AnyVolume, type Found, lookup, lookupParent, targetOf } from "../posix/lookup.js";
import { answer, type Steps } from "../posix/steps.js";
import type { Entry } from "../volume/entry.js";
import {
  fdOf,
  flagsOf,
  type Options,
  optionsOf,
  type Place,
  placeOf,
  throwIfAborted,
  wholeOf,
} from "./arguments.js";
import { ACCESS, O } from "./constants.js";
import { encoded, encodingOf } from "./encoding.js";
import { type Call, translated } from "./errors.js";
import { type OpenFile, OpenFiles } from "./open-files.js";
import { byteString, bytesOf, resolvedNames } from "./paths.js";
import { type BigIntStats, type Stats, statFsOf, statsOf } from "./stats.js";
import type { Bytes } from "./types.js";

/** Links that `realpath` replaces by their targets, as many as are followed in a lookup. */
const LINKS_MAX = 40;
const SLASH = 0x2f;
const ACCMODE = O.O_WRONLY | O.O_RDWR;

/** Runs the steps of a call. @throws Node's errors in place of the volume's */
export function* calling<T>(call: Call, steps: Steps<T>, signal?: AbortSignal): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    throw translated(error, call, signal);
  }
}

/** Reads over one volume. */
export class Reads {
  readonly volume: AnyVolume;
  readonly files = new OpenFiles();

  constructor(volume: AnyVolume) {
    this.volume = volume;
  }

  /** Finds what a path leads to, on behalf of a system call. */
  find(syscall: string, { bytes, text }: Place, follow = true): Steps<Found> {
    return calling({ syscall, path: text }, lookup(this.volume, bytes, follow));
  }

  *access(path: unknown, mode: unknown = ACCESS.F_OK): Steps<undefined> {
    const place = placeOf(path);
    const asked = wholeOf(mode, "mode", 0, 7);
    const { volume } = this;
    const check = function* (): Steps<undefined> {
      const { entry } = yield* lookup(volume, place.bytes, true);
      if (asked & ACCESS.W_OK) throw new PosixError("EROFS");
      if (asked & ACCESS.X_OK && entry.kind === "file") throw new PosixError("EACCES");
      return undefined;
    };
    return yield* calling({ syscall: "access", path: place.text }, check());
  }

  *stat(path: unknown, given?: unknown): Steps<Stats | BigIntStats> {
    const options = optionsOf(given);
    const { entry } = yield* this.find("stat", placeOf(path));
    return statsOf(this.volume, entry, options.bigint);
  }

  *lstat(path: unknown, given?: unknown): Steps<Stats | BigIntStats> {
    const options = optionsOf(given);
    const { entry } = yield* this.find("lstat", placeOf(path), false);
    return statsOf(this.volume, entry, options.bigint);
  }

  *fstat(fd: unknown, given?: unknown): Steps<Stats | BigIntStats> {
    const options = optionsOf(given);
    return statsOf(this.volume, (yield* this.file("fstat", fdOf(fd))).entry, options.bigint);
  }

  *statfs(path: unknown, given?: unknown): Steps<Record<string, number | bigint>> {
    const options = optionsOf(given);
    yield* this.find("statfs", placeOf(path));
    return statFsOf(this.volume, options.bigint);
  }

  *readlink(path: unknown, given?: unknown): Steps<string | Bytes> {
    const { encoding } = optionsOf(given);
    const place = placeOf(path);
    const { volume } = this;
    const read = function* (): Steps<Uint8Array> {
      const found = yield* lookup(volume, place.bytes, false);
      if (found.entry.kind !== "symlink") throw new PosixError("EINVAL");
      return yield* targetOf(volume, found);
    };
    const target = yield* calling({ syscall: "readlink", path: place.text }, read());
    return encoded(target, encodingOf(encoding) ?? "utf8");
  }

  /** The path without links and dots, as the kernel finds it: `fs.realpath.native` and `fs.promises.realpath`. */
  *realpathNative(path: unknown, given?: unknown): Steps<string | Bytes> {
    const { encoding } = optionsOf(given);
    const found = yield* this.find("realpath", placeOf(path));
    return encoded(found.path.length === 0 ? bytesOf("/") : found.path, encodingOf(encoding) ?? "utf8");
  }

  /**
   * The path without links, as `fs.realpath` finds it: `..` removes the name before it, even where that is a link. Errors
   * are those of the first `lstat` or `stat` that fails.
   */
  *realpath(path: unknown, given?: unknown): Steps<string | Bytes> {
    const { encoding } = optionsOf(given);
    let ahead = resolvedNames(byteString(placeOf(path).bytes));
    let done: string[] = [];
    for (let links = 0; ahead.length > 0; ) {
      const base = [...done, ahead[0]!];
      const place = placeOf(bytesOf(`/${base.join("/")}`));
      const found = yield* this.find("lstat", place, false);
      if (found.entry.kind !== "symlink") {
        done = base;
        ahead = ahead.slice(1);
        continue;
      }
      yield* this.find("stat", place);
      if (++links > LINKS_MAX)
        throw translated(new PosixError("ELOOP"), { syscall: "stat", path: place.text });
      const target = byteString(yield* targetOf(this.volume, found));
      ahead = resolvedNames(
        `/${done.join("/")}`,
        target,
        ...[ahead.slice(1).join("/")].filter((rest) => rest !== ""),
      );
      done = [];
    }
    return encoded(bytesOf(`/${done.join("/")}`), encodingOf(encoding) ?? "utf8");
  }

  /** Opens a file. A flag that asks for writing ends as on a file system that is mounted read-only. */
  *open(path: unknown, flags?: unknown): Steps<OpenFile> {
    const place = placeOf(path);
    const asked = flagsOf(flags);
    const found = yield* calling({ syscall: "open", path: place.text }, this.#opened(place.bytes, asked));
    return this.files.open(found);
  }

  *#opened(path: Uint8Array, flags: number): Steps<Found> {
    if (flags & O.O_CREAT && path.at(-1) === SLASH) {
      yield* lookupParent(this.volume, path);
      throw new PosixError("EISDIR");
    }
    const isExclusive = (flags & (O.O_CREAT | O.O_EXCL)) === (O.O_CREAT | O.O_EXCL);
    let found: Found | undefined;
    try {
      found = yield* lookup(this.volume, path, (flags & O.O_NOFOLLOW) === 0 && !isExclusive);
    } catch (error) {
      if (!(flags & O.O_CREAT && error instanceof PosixError && error.code === "ENOENT")) throw error;
      yield* lookupParent(this.volume, path);
      throw new PosixError("EROFS");
    }
    const { entry } = found;
    if (isExclusive) throw new PosixError("EEXIST");
    if (entry.kind === "symlink") throw new PosixError("ELOOP");
    const writes = (flags & (ACCMODE | O.O_TRUNC | O.O_CREAT)) !== 0;
    if (isDirectory(entry) && writes) throw new PosixError("EISDIR");
    if (!isDirectory(entry) && flags & O.O_DIRECTORY) throw new PosixError("ENOTDIR");
    if ((flags & (ACCMODE | O.O_TRUNC)) !== 0) throw new PosixError("EROFS");
    return found;
  }

  /** The open file of a descriptor. */
  // biome-ignore lint/correctness/useYield: it is a step of others
  *file(syscall: string, fd: number): Steps<OpenFile> {
    try {
      return this.files.get(fd);
    } catch (error) {
      throw translated(error, { syscall });
    }
  }

  *close(fd: unknown): Steps<undefined> {
    const number = fdOf(fd);
    yield* this.file("close", number);
    this.files.close(number);
    return undefined;
  }

  /**
   * Reads a part of an open file.
   * @param position where it begins, in bytes; null for the place after the last such read
   * @returns its bytes: fewer only at the file's end
   */
  *part(fd: number, length: number, position: number | null, signal?: AbortSignal): Steps<Uint8Array> {
    const file = yield* this.file("read", fd);
    return yield* calling({ syscall: "read" }, this.#part(file, length, position, signal), signal);
  }

  *#part(file: OpenFile, length: number, position: number | null, signal?: AbortSignal): Steps<Uint8Array> {
    const { entry, path } = file;
    if (isDirectory(entry)) throw new PosixError("EISDIR");
    const start = position ?? file.position;
    const count = Math.max(0, Math.min(length, entry.size! - start));
    // Reads that begin before this one ends go on behind it.
    if (position === null) file.position += count;
    if (count === 0) return new Uint8Array(0);
    return yield* answer<Uint8Array>(
      this.volume.getPartial(path, start, count, signal === undefined ? {} : { signal }),
    );
  }

  /** A file's content from the path, or from the place that an open file is at. */
  *readFile(pathOrFd: unknown, given?: unknown): Steps<string | Bytes> {
    const options = optionsOf(given);
    const { signal } = options;
    const encoding = encodingOf(options.encoding);
    if (typeof pathOrFd === "number") return encoded(yield* this.#rest(fdOf(pathOrFd), options), encoding);
    throwIfAborted(signal);
    const { fd } = yield* this.open(pathOrFd, flagsOf(options.flag, "options.flag"));
    try {
      return encoded(yield* this.#rest(fd, options), encoding);
    } finally {
      this.files.close(fd);
    }
  }

  *#rest(fd: number, { signal }: Options): Steps<Uint8Array> {
    throwIfAborted(signal);
    return yield* this.part(fd, Number.MAX_SAFE_INTEGER, null, signal);
  }

  /** The entries of a directory that has been found, a page of them. */
  page(call: Call, { path, entry }: Found, after?: Uint8Array, limit?: number): Steps<readonly Entry[]> {
    const { volume } = this;
    const read = function* (): Steps<readonly Entry[]> {
      if (entry.kind === "submodule") return [];
      return yield* answer<Entry[]>(volume.list(path, { after, limit, oids: false }));
    };
    return calling(call, read());
  }
}

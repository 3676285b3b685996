/** Errors by the names that POSIX gives them, and the names for the library's own errors. */
import { DocteurError, type ErrorCode } from "../errors.js";

/** Numbers (Linux's, negated as by libuv) and texts (libuv's), by name. */
export const ERRNO = {
  ENOENT: [-2, "no such file or directory"],
  EIO: [-5, "i/o error"],
  EBADF: [-9, "bad file descriptor"],
  ENOMEM: [-12, "not enough memory"],
  EACCES: [-13, "permission denied"],
  EEXIST: [-17, "file already exists"],
  ENOTDIR: [-20, "not a directory"],
  EISDIR: [-21, "illegal operation on a directory"],
  EINVAL: [-22, "invalid argument"],
  EFBIG: [-27, "file too large"],
  EROFS: [-30, "read-only file system"],
  ENAMETOOLONG: [-36, "name too long"],
  ENOSYS: [-38, "function not implemented"],
  ELOOP: [-40, "too many symbolic links encountered"],
} as const satisfies Record<string, readonly [number, string]>;

/** The name of an error. */
export type Errno = keyof typeof ERRNO;

/** A failed step of a file system. Adapters give it the form that their users expect. */
export class PosixError extends Error {
  override readonly name = "PosixError";
  readonly code: Errno;

  /** @param cause the error that led to this one */
  constructor(code: Errno, cause?: unknown) {
    super(`${code}: ${ERRNO[code][1]}`, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Names for errors that say something about a path or the limits. All others are EIO. */
const NAMES: Partial<Record<ErrorCode, Errno>> = {
  NotFound: "ENOENT",
  Submodule: "ENOENT",
  ValueExpected: "EISDIR",
  DictionaryExpected: "ENOTDIR",
  SymlinkLoop: "ELOOP",
  PathTooLong: "ENAMETOOLONG",
  OutOfMemory: "ENOMEM",
  ObjectTooLarge: "EFBIG",
};

/** The POSIX name of an error of a volume; undefined for other errors, such as the reason of a signal. */
export function errnoOf(error: unknown): Errno | undefined {
  if (error instanceof PosixError) return error.code;
  return error instanceof DocteurError ? (NAMES[error.code] ?? "EIO") : undefined;
}

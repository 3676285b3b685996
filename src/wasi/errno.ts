/**
 * Errors by number. WASI preview 1 and Emscripten's C library number them alike: the order of these names is theirs
 * (`errno` of wasi_snapshot_preview1.witx, `errno.h` of Emscripten's musl).
 */
const NAMES =
  "SUCCESS E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED ECHILD " +
  "ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST EFAULT EFBIG EHOSTUNREACH EIDRM " +
  "EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG ENETDOWN " +
  "ENETRESET ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS " +
  "ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY ENXIO EOVERFLOW EOWNERDEAD EPERM EPIPE EPROTO " +
  "EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EXDEV ENOTCAPABLE";

const NUMBERS: ReadonlyMap<string, number> = new Map(NAMES.split(" ").map((name, number) => [name, number]));

/** The number of an error by its name, such as `ENOENT`; `EIO` for every name that has none. */
export function errno(name: string): number {
  return NUMBERS.get(name) ?? NUMBERS.get("EIO")!;
}

/** The number of an error that `docteur/fs` has thrown. Whatever else was thrown is a fault of ours: it is thrown on. */
export function errnoOf(error: unknown): number {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== "string") throw error;
  return errno(code);
}

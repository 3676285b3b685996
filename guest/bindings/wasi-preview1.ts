/** The functions of WASI preview 1 that the binding uses (wasi_snapshot_preview1.witx), and writing with them. */
export namespace wasi {
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "args_sizes_get")
  export declare function args_sizes_get(count: usize, size: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "args_get")
  export declare function args_get(argv: usize, buf: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "fd_prestat_get")
  export declare function fd_prestat_get(fd: u32, prestat: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "fd_prestat_dir_name")
  export declare function fd_prestat_dir_name(fd: u32, path: usize, len: u32): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "path_filestat_get")
  export declare function path_filestat_get(fd: u32, flags: u32, path: usize, len: u32, stat: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "path_open")
  export declare function path_open(
    dir: u32,
    lookup: u32,
    path: usize,
    len: u32,
    oflags: u32,
    rights: u64,
    inheriting: u64,
    fdflags: u32,
    fdOut: usize,
  ): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "fd_filestat_get")
  export declare function fd_filestat_get(fd: u32, stat: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "fd_pread")
  export declare function fd_pread(fd: u32, iovs: usize, count: u32, offset: u64, readOut: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "fd_write")
  export declare function fd_write(fd: u32, iovs: usize, count: u32, writtenOut: usize): i32;
  // @ts-ignore: decorator
  @external("wasi_snapshot_preview1", "proc_exit")
  export declare function proc_exit(status: u32): void;
}

/** errno values. */
export namespace Errno {
  export const ACCES: i32 = 2;
  export const AGAIN: i32 = 6;
  export const INTR: i32 = 27;
  export const IO: i32 = 29;
  export const ISDIR: i32 = 31;
  export const NOENT: i32 = 44;
  export const NOSPC: i32 = 51;
  export const NOTDIR: i32 = 54;
  export const PERM: i32 = 63;
  export const PIPE: i32 = 64;
  export const NOTCAPABLE: i32 = 76;
}

/** iovec: u32 address, u32 length; then the count that a call wrote. */
const io: usize = memory.data(12, 4);

/** The number of tries for a read of a file that is interrupted, or is to wait. */
const RETRIES_MAX: u32 = 1000;

/** Ends the program. A host that returns from `proc_exit` breaks its contract: only a trap is left. */
export function end(status: i32): void {
  wasi.proc_exit(status);
  unreachable();
}

/**
 * Writes all of it. A short write goes on where it stopped; a descriptor that takes nothing for now is tried again.
 * @returns 0, or the errno: `Errno.IO` where the host says that it wrote nothing, or more than there was
 */
export function writeAll(fd: u32, ptr: usize, len: u32): i32 {
  while (len) {
    store<u32>(io, ptr);
    store<u32>(io, len, 4);
    // The host may leave it as it was.
    store<u32>(io, 0, 8);
    const errno = wasi.fd_write(fd, io, 1, io + 8);
    if (errno == Errno.AGAIN || errno == Errno.INTR) continue;
    if (errno) return errno;
    const written = load<u32>(io, 8);
    if (!written || written > len) return Errno.IO;
    ptr += written;
    len -= written;
  }
  return 0;
}

/** Reads all of it. Returns false where the host fails, or the file ends before. */
export function preadAll(fd: u32, ptr: usize, len: u32, offset: u64): bool {
  let retries: u32 = 0;
  while (len) {
    store<u32>(io, ptr);
    store<u32>(io, len, 4);
    store<u32>(io, 0, 8);
    const errno = wasi.fd_pread(fd, io, 1, offset, io + 8);
    if ((errno == Errno.AGAIN || errno == Errno.INTR) && retries++ < RETRIES_MAX) continue;
    const count = load<u32>(io, 8);
    if (errno || !count || count > len) return false;
    ptr += count;
    len -= count;
    offset += count;
  }
  return true;
}

/** Finds the preopened directory of a path, as wasi-libc does: the longest one that is a prefix of the path. */
import { wasi } from "./wasi-preview1";

/** Preopened directories are the descriptors from here on. */
const FIRST_FD: u32 = 3;
/** The end of the search, which would go on forever if a host named a directory for every descriptor. */
const LAST_FD: u32 = 1026;
const DIR_MAX: u32 = 4096;
const SYMLINK_FOLLOW: u32 = 1;
/** FD_READ, FD_SEEK (fd_pread asks for both) and FD_FILESTAT_GET. */
const RIGHTS: u64 = (1 << 1) | (1 << 2) | (1 << 21);

/** u8 tag, u32 length at 4. */
const prestat: usize = memory.data(8, 4);
const dirName: usize = memory.data(4096, 1);
/** The path of the directory itself. */
const dot: usize = memory.data<u8>([0x2e]);

/** The directory, and the path inside it. */
export let resolvedFd: u32 = 0;
export let resolvedPtr: usize = 0;
export let resolvedLen: u32 = 0;

/** Bytes of leading `/` and `./`, and of a lone `.`: the working directory of a WASI program is its root. */
function rootLen(ptr: usize, len: u32): u32 {
  let skip: u32 = 0;
  while (skip < len) {
    const byte: u32 = load<u8>(ptr + skip);
    const last = skip + 1 == len;
    if (byte == 0x2f) skip++;
    else if (byte == 0x2e && (last || load<u8>(ptr + skip + 1) == 0x2f)) skip += last ? 1 : 2;
    else break;
  }
  return skip;
}

/**
 * Finds the directory; of two alike, the one that is as absolute as the path is.
 * @returns false if the path is in none
 */
export function resolve(path: usize, len: u32): bool {
  const skip = rootLen(path, len);
  const absolute = load<u8>(path) == 0x2f;
  let best: u32 = 0;
  for (let fd = FIRST_FD; fd <= LAST_FD && !wasi.fd_prestat_get(fd, prestat); fd++) {
    let dirLen = load<u32>(prestat, 4);
    if (load<u8>(prestat) || dirLen > DIR_MAX || wasi.fd_prestat_dir_name(fd, dirName, dirLen)) continue;
    // Some runtimes count a NUL.
    while (dirLen && (load<u8>(dirName + dirLen - 1) == 0 || load<u8>(dirName + dirLen - 1) == 0x2f)) dirLen--;
    // A directory named "/" has just lost its name, yet not its kind.
    const dirAbsolute = load<u8>(dirName) == 0x2f;
    const dirSkip = rootLen(dirName, dirLen);
    const prefix = dirLen - dirSkip;
    if (prefix > len - skip || memory.compare(dirName + dirSkip, path + skip, prefix)) continue;
    if (prefix && prefix < len - skip && load<u8>(path + skip + prefix) != 0x2f) continue;
    const rank: u32 = 1 + 2 * prefix + u32(absolute == dirAbsolute);
    if (rank <= best) continue;
    best = rank;
    resolvedFd = fd;
    resolvedPtr = path + skip + prefix;
    resolvedLen = len - skip - prefix;
  }
  while (resolvedLen && load<u8>(resolvedPtr) == 0x2f) {
    resolvedPtr++;
    resolvedLen--;
  }
  if (!resolvedLen) {
    resolvedPtr = dot;
    resolvedLen = 1;
  }
  return best > 0;
}

/** Opens the resolved path for reading. Returns the errno; the descriptor is at `fdOut`. */
export function openAt(fdOut: usize): i32 {
  return wasi.path_open(resolvedFd, SYMLINK_FOLLOW, resolvedPtr, resolvedLen, 0, RIGHTS, 0, 0, fdOut);
}

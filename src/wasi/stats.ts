/** Attributes of files and directories, as WASI preview 1 has them. */
import { wasi } from "@bjorn3/browser_wasi_shim";
import type { FsDirent, FsStats } from "./fs.js";

/** The kind of an entry. */
export function filetypeOf(entry: FsDirent | FsStats): number {
  if (entry.isDirectory()) return wasi.FILETYPE_DIRECTORY;
  return entry.isSymbolicLink() ? wasi.FILETYPE_SYMBOLIC_LINK : wasi.FILETYPE_REGULAR_FILE;
}

/** `filestat`, laid out as the specification has it: the shim's own puts times over the size. */
export class Filestat extends wasi.Filestat {
  constructor(stats: FsStats) {
    super(stats.ino, filetypeOf(stats), stats.size);
    this.dev = stats.dev;
    this.nlink = stats.nlink;
    this.atim = stats.atimeNs;
    this.mtim = stats.mtimeNs;
    this.ctim = stats.ctimeNs;
  }

  override write_bytes(view: DataView, at: number): void {
    view.setBigUint64(at, this.dev, true);
    view.setBigUint64(at + 8, this.ino, true);
    view.setBigUint64(at + 16, BigInt(this.filetype), true);
    view.setBigUint64(at + 24, this.nlink, true);
    view.setBigUint64(at + 32, this.size, true);
    view.setBigUint64(at + 40, this.atim, true);
    view.setBigUint64(at + 48, this.mtim, true);
    view.setBigUint64(at + 56, this.ctim, true);
  }
}

/**
 * What a program may do with a descriptor. Nothing is left out of what descriptors opened from a directory may do:
 * C libraries would drop the intention to write, and a program would learn of it at its first write.
 */
export function fdstat(filetype: number): wasi.Fdstat {
  const found = new wasi.Fdstat(filetype, 0);
  const isDirectory = filetype === wasi.FILETYPE_DIRECTORY;
  found.fs_rights_base = isDirectory ? DIRECTORY_RIGHTS : FILE_RIGHTS;
  found.fs_rights_inherited = isDirectory ? ALL_RIGHTS : 0n;
  return found;
}

const ALL_RIGHTS = (1n << 29n) - 1n;
const FILE_RIGHTS = BigInt(
  wasi.RIGHTS_FD_READ |
    wasi.RIGHTS_FD_SEEK |
    wasi.RIGHTS_FD_TELL |
    wasi.RIGHTS_FD_ADVISE |
    wasi.RIGHTS_FD_FILESTAT_GET |
    wasi.RIGHTS_POLL_FD_READWRITE,
);
const DIRECTORY_RIGHTS = BigInt(
  wasi.RIGHTS_PATH_OPEN |
    wasi.RIGHTS_FD_READDIR |
    wasi.RIGHTS_PATH_READLINK |
    wasi.RIGHTS_PATH_FILESTAT_GET |
    wasi.RIGHTS_FD_FILESTAT_GET,
);

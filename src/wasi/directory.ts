/** Directories of an image, and what programs find in them by path. */
import { Fd, type Inode, wasi } from "@bjorn3/browser_wasi_shim";
import { errnoOf } from "./errno.js";
import { ImageFile } from "./file.js";
import { type FsDirent, type FsStats, type ReadFs, systemError } from "./fs.js";
import { Filestat, fdstat, filetypeOf } from "./stats.js";

/** A flag of lookups: the last name of the path is followed where it is a link. */
const FOLLOW = 1;

/**
 * The absolute path of a path that is relative to a directory.
 * @throws an error with the code `ENOTCAPABLE` where the path leads out of the directory; `EINVAL` for a NUL
 */
function pathBelow(directory: string, path: string): string {
  if (path === "") throw systemError("ENOENT");
  if (path.includes("\0")) throw systemError("EINVAL");
  if (path.startsWith("/")) throw systemError("ENOTCAPABLE");
  let depth = 0;
  for (const name of path.split("/")) {
    if (name === "..") depth--;
    else if (name !== "" && name !== ".") depth++;
    if (depth < 0) throw systemError("ENOTCAPABLE");
  }
  return `${directory}/${path}`;
}

export class ImageDirectory extends Fd {
  readonly #fs: ReadFs;
  /** Absolute; empty for the root. */
  readonly #path: string;
  /** What `fd_readdir` goes through, from its first call on. */
  #listed: FsDirent[] | undefined;

  /** @param path an absolute path that leads to a directory */
  constructor(fs: ReadFs, path: string) {
    super();
    this.#fs = fs;
    this.#path = path.replace(/\/+$/, "");
  }

  #stat(path: string, isFollowed: boolean): FsStats {
    return isFollowed
      ? this.#fs.statSync(path, { bigint: true })
      : this.#fs.lstatSync(path, { bigint: true });
  }

  override path_filestat_get(flags: number, path: string): { ret: number; filestat: wasi.Filestat | null } {
    try {
      const stats = this.#stat(pathBelow(this.#path, path), (flags & FOLLOW) !== 0);
      return { ret: 0, filestat: new Filestat(stats) };
    } catch (error) {
      return { ret: errnoOf(error), filestat: null };
    }
  }

  override path_open(
    dirflags: number,
    path: string,
    oflags: number,
    rights: bigint,
  ): { ret: number; fd_obj: Fd | null } {
    try {
      return { ret: 0, fd_obj: this.#open(pathBelow(this.#path, path), dirflags, oflags, rights) };
    } catch (error) {
      return { ret: errnoOf(error), fd_obj: null };
    }
  }

  #open(path: string, dirflags: number, oflags: number, rights: bigint): Fd {
    const isFollowed = (dirflags & FOLLOW) !== 0;
    const isMade = (oflags & wasi.OFLAGS_CREAT) !== 0;
    const stats = isMade ? this.#statOrRefuse(path, isFollowed) : this.#stat(path, isFollowed);
    if (isMade && (oflags & wasi.OFLAGS_EXCL) !== 0) throw systemError("EEXIST");
    if (stats.isSymbolicLink()) throw systemError("ELOOP");
    const isWritten = (oflags & wasi.OFLAGS_TRUNC) !== 0 || (rights & BigInt(wasi.RIGHTS_FD_WRITE)) !== 0n;
    if (stats.isDirectory()) {
      if (isMade) throw systemError("EISDIR");
      return new ImageDirectory(this.#fs, path);
    }
    if ((oflags & wasi.OFLAGS_DIRECTORY) !== 0) throw systemError("ENOTDIR");
    if (isWritten) throw systemError("EROFS");
    return new ImageFile(this.#fs, this.#fs.openSync(path, "r"));
  }

  /** Attributes of what is there. @throws an error with the code `EROFS` where something could be made */
  #statOrRefuse(path: string, isFollowed: boolean): FsStats {
    try {
      return this.#stat(path, isFollowed);
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
      const parent = path.replace(/[^/]*\/*$/, "");
      if (!this.#stat(parent, true).isDirectory()) throw systemError("ENOTDIR");
      throw systemError("EROFS");
    }
  }

  override path_readlink(path: string): { ret: number; data: string | null } {
    try {
      return { ret: 0, data: this.#fs.readlinkSync(pathBelow(this.#path, path)) };
    } catch (error) {
      return { ret: errnoOf(error), data: null };
    }
  }

  override fd_readdir_single(cookie: bigint): { ret: number; dirent: wasi.Dirent | null } {
    try {
      // The directory is read anew when a program goes back to its start.
      if (cookie === 0n || this.#listed === undefined)
        this.#listed = this.#fs.readdirSync(`${this.#path}/`, { withFileTypes: true });
      return { ret: 0, dirent: this.#direntAt(this.#listed, cookie) };
    } catch (error) {
      return { ret: errnoOf(error), dirent: null };
    }
  }

  #direntAt(listed: readonly FsDirent[], cookie: bigint): wasi.Dirent | null {
    const next = cookie + 1n;
    const dots = [".", ".."][Number(cookie)];
    if (dots !== undefined) {
      const { ino } = this.#stat(`${this.#path}/${dots}`, true);
      return new wasi.Dirent(next, ino, dots, wasi.FILETYPE_DIRECTORY);
    }
    const entry = listed[Number(cookie) - 2];
    if (entry === undefined) return null;
    const { ino } = this.#stat(`${this.#path}/${entry.name}`, false);
    return new wasi.Dirent(next, ino, entry.name, filetypeOf(entry));
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat | null } {
    return this.path_filestat_get(FOLLOW, ".");
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat | null } {
    return { ret: 0, fdstat: fdstat(wasi.FILETYPE_DIRECTORY) };
  }

  override fd_fdstat_set_flags(): number {
    return 0;
  }

  override fd_read(): { ret: number; data: Uint8Array } {
    return { ret: wasi.ERRNO_ISDIR, data: new Uint8Array() };
  }

  override fd_pread(): { ret: number; data: Uint8Array } {
    return { ret: wasi.ERRNO_ISDIR, data: new Uint8Array() };
  }

  override fd_seek(): { ret: number; offset: bigint } {
    return { ret: wasi.ERRNO_BADF, offset: 0n };
  }

  override fd_tell(): { ret: number; offset: bigint } {
    return { ret: wasi.ERRNO_BADF, offset: 0n };
  }

  /** What a call that would change an entry answers: that it is not there, or that nothing can be changed. */
  #refuse(path: string): number {
    try {
      this.#stat(pathBelow(this.#path, path), false);
      return wasi.ERRNO_ROFS;
    } catch (error) {
      return errnoOf(error);
    }
  }

  override path_create_directory(path: string): number {
    try {
      this.#statOrRefuse(pathBelow(this.#path, path), false);
      return wasi.ERRNO_EXIST;
    } catch (error) {
      return errnoOf(error);
    }
  }

  override path_filestat_set_times(_flags: number, path: string): number {
    return this.#refuse(path);
  }

  override path_unlink_file(path: string): number {
    return this.#refuse(path);
  }

  override path_remove_directory(path: string): number {
    return this.#refuse(path);
  }

  /** The first half of a rename, in the shim. */
  override path_unlink(path: string): { ret: number; inode_obj: Inode | null } {
    return { ret: this.#refuse(path), inode_obj: null };
  }

  /** The first half of a link, in the shim. */
  override path_lookup(path: string): { ret: number; inode_obj: Inode | null } {
    return { ret: this.#refuse(path), inode_obj: null };
  }

  /** The other half: of something that another directory has given. */
  override path_link(): number {
    return wasi.ERRNO_ROFS;
  }
}

/** The root of an image, as a directory that a program finds open. */
export class PreopenedImage extends ImageDirectory {
  readonly #name: string;

  /** @param name the path at which the program finds it */
  constructor(fs: ReadFs, name: string) {
    super(fs, "/");
    this.#name = name;
  }

  override fd_prestat_get(): { ret: number; prestat: wasi.Prestat | null } {
    return { ret: 0, prestat: wasi.Prestat.dir(this.#name) };
  }
}

/**
 * A folder of the host, held open while it is listed. Its entries are found from the open folder itself,
 * through `/proc` if the system has it. So it does not matter if another process replaces a folder on
 * the path by a symbolic link meanwhile. Other systems use paths, and check before and after each use that
 * the path leads to this folder.
 *
 * Paths and names are byte strings ("latin1").
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
} from "node:fs";
import { shown } from "../../git/byte-string.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { bytesOf, changed } from "../base/file-contents.js";

/** Distinguishes a folder from others. */
export type FolderId = Pick<BigIntStats, "dev" | "ino">;

const isSame = (left: FolderId, right: FolderId): boolean => left.dev === right.dev && left.ino === right.ino;

/** Whether a byte string is the same as text: that spares a buffer, which takes more time than this look. */
function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** Errors which show that the path now leads elsewhere. */
const IS_CHANGED = ["ELOOP", "ENOENT", "ENOTDIR"];

/** The path of an open folder that stays valid after renames, if the system has one. */
function lastingPath(fd: number, found: FolderId): string | undefined {
  // `/proc/self` would be one link more to follow, for each entry.
  const path = `/proc/${process.pid}/fd/${fd}`;
  try {
    if (isSame(statSync(path, { bigint: true }), found)) return path;
  } catch {
    // Not Linux, or without /proc.
  }
  return undefined;
}

/** See the file's head. */
export class FolderHandle {
  /** For people. */
  readonly path: string;
  readonly #id: FolderId;
  readonly #followsLinks: boolean;
  readonly #fd: number | undefined;
  /** The path under which its entries are found. */
  readonly #base: string;

  /**
   * @param path the folder's path
   * @param id the folder's identity, as found in its parent
   * @param followsLinks whether the path's last name may be a symbolic link
   * @throws DocteurError `Io`, also if the path leads to another folder
   */
  constructor(path: string, id: FolderId, followsLinks: boolean) {
    this.path = path;
    this.#id = id;
    this.#followsLinks = followsLinks;
    this.#fd = this.#open();
    const lasting = this.#fd === undefined ? undefined : lastingPath(this.#fd, id);
    this.#base = lasting ?? path;
  }

  #open(): number | undefined {
    // Windows does not open folders.
    if (constants.O_DIRECTORY === undefined) return undefined;
    const noFollow = this.#followsLinks ? 0 : constants.O_NOFOLLOW;
    let fd: number;
    try {
      fd = openSync(bytesOf(this.path), constants.O_RDONLY | constants.O_DIRECTORY | noFollow);
    } catch (cause) {
      throw this.#error(this.path, cause);
    }
    if (isSame(fstatSync(fd, { bigint: true }), this.#id)) return fd;
    closeSync(fd);
    throw changed(this.path);
  }

  /** The error for a system error about a path that existed before. */
  #error(path: string, cause: unknown): Error {
    if (IS_CHANGED.includes(systemCode(cause) ?? "")) return changed(path, cause);
    return ioError("read", shown(path), cause);
  }

  /** Its names, sorted, so that messages and the order of reading do not depend on the file system's order. */
  names(): string[] {
    try {
      return readdirSync(bytesOf(this.#base), { encoding: "latin1" }).sort();
    } catch (cause) {
      throw this.#error(this.path, cause);
    }
  }

  /** The path of an entry for an immediate system call. */
  at(name: string): Buffer | string {
    const path = `${this.#base}/${name}`;
    return isAscii(path) ? path : bytesOf(path);
  }

  /** Inspects an entry, without following a symbolic link. */
  inspect(name: string): BigIntStats {
    try {
      return lstatSync(this.at(name), { bigint: true });
    } catch (cause) {
      throw this.#error(`${this.path}/${name}`, cause);
    }
  }

  /** The bytes of a symbolic link's target. @param found the link's earlier inspection */
  readLink(name: string, found: BigIntStats): Buffer {
    let target: Buffer;
    try {
      target = readlinkSync(this.at(name), { encoding: "buffer" });
    } catch (cause) {
      if (systemCode(cause) === "EINVAL") throw changed(`${this.path}/${name}`, cause);
      throw this.#error(`${this.path}/${name}`, cause);
    }
    const { dev, ino, ctimeNs } = this.inspect(name);
    if (!isSame(found, { dev, ino }) || ctimeNs !== found.ctimeNs) throw changed(`${this.path}/${name}`);
    return target;
  }

  /** If the path was used, makes sure that it still leads here. @throws DocteurError `Io` */
  settle(): void {
    if (this.#base !== this.path) return;
    let found: FolderId;
    try {
      found = (this.#followsLinks ? statSync : lstatSync)(bytesOf(this.path), { bigint: true });
    } catch (cause) {
      throw this.#error(this.path, cause);
    }
    if (!isSame(found, this.#id)) throw changed(this.path);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

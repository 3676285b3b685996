/**
 * A folder of the host, held open while it is listed. What is in it is found from the open folder itself, through
 * `/proc/self/fd` where that is: whoever swaps a folder on the path for a symbolic link meanwhile changes nothing.
 * Elsewhere paths are used, and are checked to lead to the same folder before and after.
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

/** What tells a folder from others. */
export type FolderId = Pick<BigIntStats, "dev" | "ino">;

const isSame = (left: FolderId, right: FolderId): boolean => left.dev === right.dev && left.ino === right.ino;

/** Errors that say that the path has come to lead elsewhere. */
const IS_CHANGED = ["ELOOP", "ENOENT", "ENOTDIR"];

/** The path of an open folder that no rename changes, where the system has one. */
function lastingPath(fd: number, found: FolderId): string | undefined {
  const path = `/proc/self/fd/${fd}`;
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
  /** Where its entries are found. */
  readonly #base: string;

  /**
   * @param path where the folder is
   * @param id the folder's, as its parent had it
   * @param followsLinks whether the path's last name may be a symbolic link
   * @throws DocteurError `Io`, where the path leads to another folder, too
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

  /** An error of the system about a path that was there a moment ago. */
  #error(path: string, cause: unknown): Error {
    if (IS_CHANGED.includes(systemCode(cause) ?? "")) return changed(path, cause);
    return ioError("read", shown(path), cause);
  }

  /** Its names, sorted: what is told about, and what is read first, does not depend on the file system's order. */
  names(): string[] {
    try {
      return readdirSync(bytesOf(this.#base), { encoding: "latin1" }).sort();
    } catch (cause) {
      throw this.#error(this.path, cause);
    }
  }

  /** Where an entry is found, for system calls right now. */
  at(name: string): Buffer {
    return bytesOf(`${this.#base}/${name}`);
  }

  /** What an entry is: a symbolic link itself. */
  inspect(name: string): BigIntStats {
    try {
      return lstatSync(this.at(name), { bigint: true });
    } catch (cause) {
      throw this.#error(`${this.path}/${name}`, cause);
    }
  }

  /** A symbolic link's target, as its bytes are. @param found what the link was when it was inspected */
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

  /** Makes sure, where the path was used, that it still leads here. @throws DocteurError `Io` */
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

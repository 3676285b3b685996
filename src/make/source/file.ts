/**
 * The files of a directory source. Paths are byte strings ("latin1"), one character to a byte of the name that the file
 * system has: names need not be UTF-8, and comparing such strings compares bytes.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../io-error.js";
import { MODE, type Mode } from "../objects.js";

/** Files above this are read, and deflated, in pieces. */
export const STREAMED_LEN = 4 << 20;

/** The length of a piece. It decides where deflate blocks end, hence an image's bytes: never change it lightly. */
const PIECE_LEN = 1 << 20;

/** A byte string as bytes. */
export const bytesOf = (path: string): Buffer => Buffer.from(path, "latin1");

/** A byte string for people: as UTF-8, without control characters. */
export function shown(path: string): string {
  const escaped = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return bytesOf(path)
    .toString("utf8")
    .replace(/[\x00-\x1f\x7f]/g, escaped);
}

/** The error for a file that is not what it was a moment ago. */
export function changed(path: string): DocteurError {
  return new DocteurError("Io", `${shown(path)} changed while it was read`, {
    path: shown(path),
    hint: "make the image from a copy, or a snapshot, that nobody writes to",
  });
}

/** A file of the source, open for reading. */
export class SourceFile {
  readonly #path: string;
  readonly #fd: number;
  /** Bytes, when it was opened. */
  readonly size: number;

  constructor(path: string, followLinks: boolean) {
    this.#path = path;
    // Another process may put a FIFO or a link where a file was: do not wait for the one nor follow the other.
    const flags =
      constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followLinks ? 0 : (constants.O_NOFOLLOW ?? 0));
    try {
      this.#fd = openSync(bytesOf(path), flags);
    } catch (cause) {
      throw systemCode(cause) === "ELOOP" ? changed(path) : ioError("read", shown(path), cause);
    }
    const found = fstatSync(this.#fd);
    this.size = found.size;
    if (found.isFile()) return;
    this.close();
    throw changed(path);
  }

  /** The content, in pieces of `PIECE_LEN` if it is large and whole otherwise; each piece lasts until the next. */
  *pieces(): Generator<Uint8Array, void, undefined> {
    const pieceLen = this.size > STREAMED_LEN ? PIECE_LEN : this.size;
    const buffer = Buffer.allocUnsafe(Math.max(pieceLen, 1));
    for (let at = 0; at < this.size; at += pieceLen) {
      const wanted = Math.min(pieceLen, this.size - at);
      if (this.#fill(buffer, wanted) < wanted) throw changed(this.#path);
      yield buffer.subarray(0, wanted);
    }
    if (this.#fill(buffer, 1) > 0) throw changed(this.#path);
  }

  #fill(buffer: Buffer, wanted: number): number {
    let done = 0;
    try {
      while (done < wanted) {
        const count = readSync(this.#fd, buffer, done, wanted - done, null);
        if (count === 0) break;
        done += count;
      }
    } catch (cause) {
      throw ioError("read", shown(this.#path), cause);
    }
    return done;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** What the file system says of an entry. */
export function inspect(path: string, followLinks: boolean): BigIntStats {
  try {
    return followLinks
      ? statSync(bytesOf(path), { bigint: true })
      : lstatSync(bytesOf(path), { bigint: true });
  } catch (cause) {
    const hint = "without --compat a symbolic link is kept as it is";
    const where = { path: shown(path), hint, cause };
    if (followLinks && systemCode(cause) === "ELOOP")
      throw new DocteurError(
        "BadSource",
        `${shown(path)} is a symbolic link that leads back to itself`,
        where,
      );
    if (followLinks && systemCode(cause) === "ENOENT")
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to nothing`, where);
    throw ioError("read", shown(path), cause);
  }
}

/** The mode of a tree entry, by git's rule: a file is executable if its owner may execute it. */
export function modeOf(path: string, found: BigIntStats, compat: boolean): Mode {
  if (found.isDirectory()) return MODE.directory;
  if (found.isSymbolicLink()) return MODE.symlink;
  if (found.isFile()) return !compat && (found.mode & 0o100n) !== 0n ? MODE.executable : MODE.file;
  const kind = found.isFIFO()
    ? "a FIFO"
    : found.isSocket()
      ? "a socket"
      : found.isBlockDevice() || found.isCharacterDevice()
        ? "a device"
        : "no file, directory or symbolic link";
  throw new DocteurError("BadSource", `${shown(path)} is ${kind}`, {
    path: shown(path),
    hint: "an image holds files, directories and symbolic links: move it out of the source",
  });
}

/** A symbolic link's target, as its bytes are. */
export function readLink(path: string): Buffer {
  try {
    return readlinkSync(bytesOf(path), { encoding: "buffer" });
  } catch (cause) {
    throw ioError("read", shown(path), cause);
  }
}

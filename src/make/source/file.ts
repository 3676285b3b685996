/**
 * Contents of a source, opened. Paths are byte strings ("latin1"), one character to a byte of the name that the file
 * system has: names need not be UTF-8, and comparing such strings compares bytes.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../io-error.js";
import type { Content, FileRange } from "../content.js";

/** Contents above this are read, and deflated, in pieces. */
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

/** Opens the file of a range. @returns its descriptor */
function openRange({ path, isWhole, followsLinks }: FileRange, size: number): number {
  // Another process may put a FIFO or a link where a file was: do not wait for the one nor follow the other.
  const flags =
    constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followsLinks ? 0 : (constants.O_NOFOLLOW ?? 0));
  let fd: number;
  try {
    fd = openSync(bytesOf(path), flags);
  } catch (cause) {
    throw systemCode(cause) === "ELOOP" ? changed(path) : ioError("read", shown(path), cause);
  }
  const found = fstatSync(fd);
  if (found.isFile() && (!isWhole || found.size === size)) return fd;
  closeSync(fd);
  throw changed(path);
}

/** Content, open for reading. A file that is not what it was when it was listed is noticed. */
export class SourceFile {
  readonly #content: Content;
  readonly #fd: number | undefined;
  /** Bytes. */
  readonly size: number;

  /**
   * @param size the content's length in bytes, as it was listed
   * @throws DocteurError `Io`
   */
  constructor(content: Content, size: number) {
    this.#content = content;
    this.size = size;
    this.#fd = content instanceof Uint8Array ? undefined : openRange(content, size);
  }

  /**
   * The content, in pieces of `PIECE_LEN` if it is large and whole otherwise; each piece lasts until the next.
   * @throws DocteurError `Io`
   */
  *pieces(): Generator<Uint8Array, void, undefined> {
    const content = this.#content;
    const pieceLen = this.size > STREAMED_LEN ? PIECE_LEN : this.size;
    if (content instanceof Uint8Array) {
      for (let at = 0; at < this.size; at += pieceLen) yield content.subarray(at, at + pieceLen);
      return;
    }
    const buffer = Buffer.allocUnsafe(Math.max(pieceLen, 1));
    for (let at = 0; at < this.size; at += pieceLen) {
      const wanted = Math.min(pieceLen, this.size - at);
      if (this.#fill(content, buffer, wanted, at) < wanted) throw this.changed();
      yield buffer.subarray(0, wanted);
    }
    if (content.isWhole && this.#fill(content, buffer, 1, this.size) > 0) throw this.changed();
  }

  #fill(range: FileRange, buffer: Buffer, wanted: number, at: number): number {
    let done = 0;
    try {
      while (done < wanted) {
        const count = readSync(this.#fd!, buffer, done, wanted - done, range.offset + at + done);
        if (count === 0) break;
        done += count;
      }
    } catch (cause) {
      throw ioError("read", shown(range.path), cause);
    }
    return done;
  }

  /** The error for content that is not what it was a moment ago. */
  changed(): DocteurError {
    if (this.#content instanceof Uint8Array)
      return new DocteurError("Io", "content in memory changed while it was packed");
    return changed(this.#content.path);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

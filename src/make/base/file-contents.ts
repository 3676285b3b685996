/** Contents of a source, opened. Paths are byte strings. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { type Contents, type FileRange, MemoryContent, type OpenContent } from "./content.js";

/** A byte string as bytes. */
export const bytesOf = (path: string): Buffer => Buffer.from(path, "latin1");

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
class SourceFile implements OpenContent {
  readonly #range: FileRange;
  readonly #fd: number;

  /** @throws DocteurError `Io` */
  constructor(range: FileRange, size: number) {
    this.#range = range;
    this.#fd = openRange(range, size);
  }

  /** @throws DocteurError `Io` */
  read(into: Uint8Array, at: number): void {
    const { path, offset } = this.#range;
    let done = 0;
    try {
      while (done < into.length) {
        const count = readSync(this.#fd, into, done, into.length - done, offset + at + done);
        if (count === 0) break;
        done += count;
      }
    } catch (cause) {
      throw ioError("read", shown(path), cause);
    }
    if (done < into.length) throw changed(path);
  }

  changed(): DocteurError {
    return changed(this.#range.path);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Contents in files and in memory, hashed by Node. */
export const fileContents: Contents = {
  open: (content, size) =>
    content instanceof Uint8Array ? new MemoryContent(content) : new SourceFile(content, size),
  sha1: () => createHash("sha1"),
};

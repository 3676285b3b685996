/** Opens and reads the contents of a source. Paths are byte strings. */
import * as crypto from "node:crypto";
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { type Contents, type FileRange, type FileStamp, MemoryContent, type OpenContent } from "./content.js";

/** A byte string as bytes. */
export const bytesOf = (path: string): Buffer => Buffer.from(path, "latin1");

/** The error for a file that has changed. */
export function changed(path: string, cause?: unknown): DocteurError {
  return new DocteurError("Io", `${shown(path)} changed while it was read`, {
    path: shown(path),
    cause,
    hint: "make the image from a copy, or a snapshot, that nobody writes to",
  });
}

/** Distinguishes a file from others. */
export function stampOf({ dev, ino, mtimeNs, ctimeNs }: BigIntStats, followsLinks: boolean): FileStamp {
  return { dev, ino, mtimeNs, ctimeNs, followsLinks };
}

/** Opens the file of a range. @returns its descriptor */
function openRange({ path, stamp }: FileRange): number {
  // Another process may replace the file by a FIFO or a link: do not wait for a FIFO, do not follow a link.
  const noFollow = stamp?.followsLinks === false ? (constants.O_NOFOLLOW ?? 0) : 0;
  try {
    return openSync(bytesOf(path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | noFollow);
  } catch (cause) {
    throw stamp !== undefined && ["ELOOP", "ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")
      ? changed(path, cause)
      : ioError("read", shown(path), cause);
  }
}

/** Content, open for reading. `settle` notices a file that has changed since it was listed. */
class SourceFile implements OpenContent {
  readonly #range: FileRange;
  readonly #size: number;
  readonly #fd: number;

  /** @throws DocteurError `Io` */
  constructor(range: FileRange, size: number) {
    this.#range = range;
    this.#size = size;
    this.#fd = openRange(range);
  }

  /**
   * Device and inode prove that the path still leads to the listed file. The other fields prove that no
   * process wrote to it.
   */
  settle(): void {
    const { path, stamp } = this.#range;
    if (stamp === undefined) return;
    const { dev, ino, mtimeNs, ctimeNs, size } = fstatSync(this.#fd, { bigint: true });
    const isSame =
      // As 64 bits: the system's unsigned numbers come back from a column with a sign.
      BigInt.asIntN(64, ino) === BigInt.asIntN(64, stamp.ino) &&
      BigInt.asIntN(64, dev) === BigInt.asIntN(64, stamp.dev) &&
      mtimeNs === stamp.mtimeNs &&
      ctimeNs === stamp.ctimeNs &&
      size === BigInt(this.#size);
    if (!isSame) throw changed(path);
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
      // The file may be of another kind by now.
      this.settle();
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

/** Node's hash in one call takes half the time for small contents; it is there from 20.12 and 21.7 on. */
const digest: Contents["digest"] =
  crypto.hash === undefined ? undefined : (bytes) => crypto.hash("sha1", bytes, "buffer");

/** Contents in files and in memory, hashed by Node. */
export const fileContents: Contents = {
  open: (content, size) =>
    content instanceof Uint8Array ? new MemoryContent(content) : new SourceFile(content, size),
  sha1: () => crypto.createHash("sha1"),
  digest,
};

/** Reads the bytes of an archive in any order. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { ioError } from "../../node/io-error.js";
import { changed } from "../base/file-contents.js";
import { compressionOf, HEAD_LEN } from "./compression.js";
import { spoolArchive } from "./spool.js";

/** An uncompressed archive. */
export interface Archive {
  /** Its name for people: its path, or "standard input". */
  name: string;
  /** The file that contains its content: absolute, a byte string ("latin1"). */
  path: string;
  /** Bytes. */
  size: number;
  /** Whether its compression proves that nothing is missing at its end. */
  isWhole: boolean;
  /**
   * Reads bytes, which are valid until the next call.
   * @param offset `offset + length` must not be beyond the end
   */
  read(offset: number, length: number): Buffer;
}

/** Bytes that are read at once, as most headers are near each other. */
const WINDOW_LEN = 1 << 16;

/** An archive in a file. */
export class ArchiveFile implements Archive {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly isWhole: boolean;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  /** @param path of a regular file, absolute */
  constructor(name: string, path: string, isWhole: boolean) {
    this.name = name;
    this.isWhole = isWhole;
    this.path = Buffer.from(path).toString("latin1");
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw ioError("read", name, cause);
    }
    this.size = fstatSync(this.#fd).size;
  }

  read(offset: number, length: number): Buffer {
    const at = offset - this.#start;
    if (at < 0 || at + length > this.#window.length) {
      this.#window = this.#fill(offset, Math.min(Math.max(length, WINDOW_LEN), this.size - offset));
      this.#start = offset;
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(at, at + length);
  }

  #fill(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      let count: number;
      try {
        count = readSync(this.#fd, buffer, done, length - done, offset + done);
      } catch (cause) {
        throw ioError("read", this.name, cause);
      }
      if (count === 0) throw changed(this.path);
      done += count;
    }
    return buffer;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The first bytes of a file. */
function headOf(path: string): Buffer {
  const buffer = Buffer.alloc(HEAD_LEN);
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    return buffer.subarray(0, readSync(fd, buffer, 0, HEAD_LEN, 0));
  } catch (cause) {
    throw ioError("read", path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Opens an archive. An archive that is compressed or not a regular file is first written uncompressed to a
 * file.
 * @param path absolute, or "-" for standard input
 * @param isStream whether it can be read only once, from beginning to end
 * @param spool makes a path for that file, which stays there
 * @throws DocteurError `BadSource`, `Io`; the signal's reason
 */
export async function openArchive(
  path: string,
  isStream: boolean,
  spool: () => Promise<string>,
  signal: AbortSignal | undefined,
): Promise<ArchiveFile> {
  const name = path === "-" ? "standard input" : path;
  if (!isStream && compressionOf(headOf(path)) === undefined) {
    const real = await realpath(path).catch((cause: unknown) => {
      throw ioError("read", path, cause);
    });
    return new ArchiveFile(name, real, false);
  }
  const spooled = await spool();
  const isWhole = await spoolArchive(path, name, spooled, signal);
  return new ArchiveFile(name, spooled, isWhole);
}

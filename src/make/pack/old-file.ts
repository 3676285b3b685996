/** The file of an earlier image, read through a window that knows whether another process writes to it. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { ioError } from "../../node/io-error.js";
import { type Version, versionOf } from "./version.js";

/** Bytes that are read at once: most reads follow each other. */
const WINDOW_LEN = 1 << 18;
/** Bytes of a piece of a long range. */
const PIECE_LEN = 1 << 20;

/** See the file's head. */
export class OldFile {
  readonly #name: string;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  /** @throws DocteurError `Io` */
  constructor(path: string) {
    this.#name = path;
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw ioError("read", path, cause);
    }
  }

  /** The file's present version. */
  version(): Version {
    return versionOf(fstatSync(this.#fd, { bigint: true }));
  }

  /** @returns bytes of the file, valid until the next call @throws DocteurError `Io`, also past the file's end */
  read(offset: number, length: number): Buffer {
    const at = offset - this.#windowStart;
    if (at >= 0 && at + length <= this.#window.length) return this.#window.subarray(at, at + length);
    const buffer = Buffer.allocUnsafe(Math.max(length, WINDOW_LEN));
    const done = this.#fill(buffer, offset);
    if (done < length) throw this.changed();
    this.#window = buffer.subarray(0, done);
    this.#windowStart = offset;
    return this.#window.subarray(0, length);
  }

  /** The bytes of a range, in pieces: each is valid until the next is taken. */
  *pieces(start: number, end: number): Generator<Uint8Array, void, undefined> {
    if (end - start <= WINDOW_LEN) {
      yield this.read(start, end - start);
      return;
    }
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_LEN, end - start));
    for (let at = start; at < end; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, end - at));
      if (this.#fill(piece, at) < piece.length) throw this.changed();
      yield piece;
      at += piece.length;
    }
  }

  /** Reads to the end of a buffer, or of the file. @returns the bytes read */
  #fill(buffer: Buffer, offset: number): number {
    let done = 0;
    try {
      for (let count = -1; done < buffer.length && count !== 0; done += count)
        count = readSync(this.#fd, buffer, done, buffer.length - done, offset + done);
    } catch (cause) {
      throw ioError("read", this.#name, cause);
    }
    return done;
  }

  /** The error for an image that another process writes to. */
  changed(): DocteurError {
    return new DocteurError("Io", `${this.#name} changed while it was read`, {
      path: this.#name,
      hint: "give --from an image that nobody writes to",
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

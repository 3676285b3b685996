/** `FileHandle`: an open file as `fs.promises.open` gives it. */
import { type Steps, settle } from "../posix/steps.js";
import { contentStream } from "../volume/stream.js";
import { nodeError } from "./errors.js";
import type { Callback } from "./forms.js";
import { readLines } from "./lines.js";
import { type ReadResult, type ReadvResult, read, readv } from "./read-into.js";
import type { Reads } from "./reads.js";
import type { BigIntStats, Stats } from "./stats.js";
import type { Bytes, ReadStream, StreamClasses, StreamOptions } from "./types.js";
import type { Writes } from "./writes.js";

const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);

/** The parts of a file system that handles work with. */
export interface Parts {
  reads: Reads;
  writes: Writes;
  streams: StreamClasses;
}

/** An open file. Several handles of one file are independent of each other. */
export class FileHandle {
  readonly #parts: Parts;
  readonly #listeners = new Set<() => void>();
  #fd: number;
  #isLocked = false;
  /** Work that is under way: the file is closed after it, as Node has it. */
  #busy = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /**
   * Use `open`.
   * @internal
   */
  constructor(parts: Parts, fd: number) {
    this.#parts = parts;
    this.#fd = fd;
  }

  /** Its descriptor; -1 when it is closed. */
  get fd(): number {
    return this.#fd;
  }

  /** Does work on the open file. */
  async #run<T>(syscall: string, work: (fd: number) => Steps<T>): Promise<T> {
    if (this.#fd === -1) throw Object.assign(new Error("file closed"), { code: "EBADF", syscall });
    this.#busy++;
    try {
      return await settle(work(this.#fd));
    } finally {
      if (--this.#busy === 0) this.#onIdle?.();
    }
  }

  /** Reads into a buffer, from a position in bytes, or from the place behind the last such read. */
  read(...given: unknown[]): Promise<ReadResult> {
    const { reads } = this.#parts;
    return this.#run("read", (fd) => read(reads, fd, ...given));
  }

  readv(buffers: unknown, position?: unknown): Promise<ReadvResult> {
    const { reads } = this.#parts;
    return this.#run("readv", (fd) => readv(reads, fd, buffers, position));
  }

  /** What follows the last read. */
  readFile(options?: unknown): Promise<string | Bytes> {
    const { reads } = this.#parts;
    return this.#run("readFile", (fd) => reads.readFile(fd, options));
  }

  stat(options?: unknown): Promise<Stats | BigIntStats> {
    const { reads } = this.#parts;
    return this.#run("fstat", (fd) => reads.fstat(fd, options));
  }

  /** What follows the last read, line by line. */
  readLines(options?: StreamOptions): AsyncGenerator<string, void, undefined> {
    const { start, end, encoding } = options ?? {};
    return readLines(this.#chunks(start, end), encoding);
  }

  async *#chunks(start: number | undefined, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    const { reads } = this.#parts;
    let at = start;
    let left = end - (start ?? 0) + 1;
    while (left > 0) {
      const piece = await this.#run("read", (fd) => reads.part(fd, Math.min(left, 65536), at ?? null));
      if (piece.length === 0) return;
      left -= piece.length;
      if (at !== undefined) at += piece.length;
      yield piece;
    }
  }

  /** What follows the last read, as a Web `ReadableStream` of bytes that reads nothing ahead. */
  readableWebStream(): ReadableStream<Uint8Array> {
    if (this.#fd === -1)
      throw nodeError(Error, "ERR_INVALID_STATE", "Invalid state: The FileHandle is closed");
    if (this.#isLocked)
      throw nodeError(Error, "ERR_INVALID_STATE", "Invalid state: The FileHandle is locked");
    this.#isLocked = true;
    const { reads } = this.#parts;
    return contentStream(
      async (_, length) => {
        const piece = await this.#run("read", (fd) => reads.part(fd, length, null));
        return new Uint8Array(piece);
      },
      0,
      Number.MAX_SAFE_INTEGER,
      undefined,
    );
  }

  /** A stream of Node's over the open file. It closes the file at its end, unless `autoClose` is false. */
  createReadStream(options?: StreamOptions): ReadStream {
    const { reads, streams } = this.#parts;
    return streams.read(undefined, {
      ...options,
      fd: this.#fd,
      fs: {
        open: () => undefined,
        read: (
          fd: number,
          buffer: Uint8Array,
          offset: number,
          length: number,
          position: number,
          done: Callback,
        ) => {
          settle(read(reads, fd, buffer, offset, length, position)).then(
            ({ bytesRead }) => done(null, bytesRead, buffer),
            (error: unknown) => done(error),
          );
        },
        close: (_: number, done: Callback) => {
          this.close().then(
            () => done(null),
            (error: unknown) => done(error),
          );
        },
      },
    });
  }

  /** Calls a function when the file is closed; there are no other events. */
  on(event: "close", listener: () => void): this {
    if (event === "close") this.#listeners.add(listener);
    return this;
  }

  /** Closes the file, after reads that are under way. */
  close(): Promise<void> {
    if (this.#fd === -1) return Promise.resolve();
    if (this.#closing !== undefined) return this.#closing;
    const close = (): Promise<void> => {
      const fd = this.#fd;
      this.#fd = -1;
      return settle(this.#parts.reads.close(fd)) as Promise<unknown> as Promise<void>;
    };
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    this.#closing = this.#busy === 0 ? close() : idle.then(close);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    return this.#closing;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** `EBADF`, as are all other writes: the file is open for reading. */
  write(..._: unknown[]): Promise<never> {
    return this.#run("write", (fd) => this.#parts.writes.write(fd));
  }
  writev(..._: unknown[]): Promise<never> {
    return this.#run("writev", (fd) => this.#parts.writes.write(fd));
  }
  writeFile(..._: unknown[]): Promise<never> {
    return this.#run("writeFile", (fd) => this.#parts.writes.write(fd));
  }
  appendFile(..._: unknown[]): Promise<never> {
    return this.#run("writeFile", (fd) => this.#parts.writes.write(fd));
  }
  truncate(..._: unknown[]): Promise<never> {
    return this.#run("ftruncate", (fd) => this.#parts.writes.ftruncate(fd));
  }
  /** `EROFS`, as are `chown` and `utimes`. */
  chmod(..._: unknown[]): Promise<never> {
    return this.#run("fchmod", (fd) => this.#parts.writes.fchmod(fd));
  }
  chown(..._: unknown[]): Promise<never> {
    return this.#run("fchown", (fd) => this.#parts.writes.fchown(fd));
  }
  utimes(..._: unknown[]): Promise<never> {
    return this.#run("futimes", (fd) => this.#parts.writes.futimes(fd));
  }
  /** Does nothing: there is nothing to write back. */
  sync(): Promise<undefined> {
    return this.#run("fsync", (fd) => this.#parts.writes.fsync(fd));
  }
  datasync(): Promise<undefined> {
    return this.#run("fdatasync", (fd) => this.#parts.writes.fdatasync(fd));
  }
}

/** Files that are open, by their descriptors. */
import { PosixError } from "../posix/errno.js";
import type { Found } from "../posix/lookup.js";

/** The first number of a descriptor: far from those of the process, so that a mistaken one is EBADF. */
const FIRST = 0x40000000;
const LAST = 0x7fffffff;

/** No two file systems give equal numbers: those that stand in front of several ask one after the other. */
let last = FIRST - 1;

/** An open file. */
export interface OpenFile extends Found {
  fd: number;
  /** Where the next read without a position begins, in bytes. */
  position: number;
}

/** The open files of a file system. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();

  /** Gives a file a descriptor. */
  open({ path, entry }: Found): OpenFile {
    do last = last === LAST ? FIRST : last + 1;
    while (this.#files.has(last));
    const file = { path, entry, fd: last, position: 0 };
    this.#files.set(file.fd, file);
    return file;
  }

  /** @throws PosixError `EBADF` */
  get(fd: number): OpenFile {
    const file = this.#files.get(fd);
    if (file === undefined) throw new PosixError("EBADF");
    return file;
  }

  /** @throws PosixError `EBADF` */
  close(fd: number): void {
    if (!this.#files.delete(fd)) throw new PosixError("EBADF");
  }
}

/** An open file of an image. */
import { Fd, wasi } from "@bjorn3/browser_wasi_shim";
import { errnoOf } from "./errno.js";
import type { ReadFs } from "./fs.js";
import { Filestat, fdstat } from "./stats.js";

/** Bytes that one call reads at the most; a program that asks for more gets fewer, as it may. */
const READ_MAX = 1 << 20;
const POSITION_MAX = BigInt(Number.MAX_SAFE_INTEGER);

export class ImageFile extends Fd {
  readonly #fs: ReadFs;
  readonly #fd: number;
  #position = 0n;

  /** @param fd open in `fs`; it is closed with this */
  constructor(fs: ReadFs, fd: number) {
    super();
    this.#fs = fs;
    this.#fd = fd;
  }

  #read(size: number, position: bigint): { ret: number; data: Uint8Array } {
    if (position < 0n) return { ret: wasi.ERRNO_INVAL, data: new Uint8Array() };
    if (position > POSITION_MAX) return { ret: 0, data: new Uint8Array() };
    const data = new Uint8Array(Math.min(size, READ_MAX));
    try {
      const count = this.#fs.readSync(this.#fd, data, 0, data.length, Number(position));
      return { ret: 0, data: data.subarray(0, count) };
    } catch (error) {
      return { ret: errnoOf(error), data: new Uint8Array() };
    }
  }

  override fd_read(size: number): { ret: number; data: Uint8Array } {
    const read = this.#read(size, this.#position);
    this.#position += BigInt(read.data.length);
    return read;
  }

  override fd_pread(size: number, offset: bigint): { ret: number; data: Uint8Array } {
    return this.#read(size, offset);
  }

  override fd_seek(offset: bigint, whence: number): { ret: number; offset: bigint } {
    let from: bigint;
    if (whence === wasi.WHENCE_SET) from = 0n;
    else if (whence === wasi.WHENCE_CUR) from = this.#position;
    else if (whence === wasi.WHENCE_END) {
      const { ret, filestat } = this.fd_filestat_get();
      if (filestat === null) return { ret, offset: 0n };
      from = filestat.size;
    } else return { ret: wasi.ERRNO_INVAL, offset: 0n };
    const position = from + offset;
    if (position < 0n) return { ret: wasi.ERRNO_INVAL, offset: 0n };
    this.#position = position;
    return { ret: 0, offset: position };
  }

  override fd_tell(): { ret: number; offset: bigint } {
    return { ret: 0, offset: this.#position };
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat | null } {
    try {
      return { ret: 0, filestat: new Filestat(this.#fs.fstatSync(this.#fd, { bigint: true })) };
    } catch (error) {
      return { ret: errnoOf(error), filestat: null };
    }
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat | null } {
    return { ret: 0, fdstat: fdstat(wasi.FILETYPE_REGULAR_FILE) };
  }

  override fd_fdstat_set_flags(): number {
    return 0;
  }

  override fd_close(): number {
    try {
      this.#fs.closeSync(this.#fd);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  override fd_write(): { ret: number; nwritten: number } {
    return { ret: wasi.ERRNO_BADF, nwritten: 0 };
  }

  override fd_pwrite(): { ret: number; nwritten: number } {
    return { ret: wasi.ERRNO_BADF, nwritten: 0 };
  }

  override fd_allocate(): number {
    return wasi.ERRNO_BADF;
  }

  override fd_filestat_set_size(): number {
    return wasi.ERRNO_INVAL;
  }

  override fd_filestat_set_times(): number {
    return wasi.ERRNO_ROFS;
  }
}

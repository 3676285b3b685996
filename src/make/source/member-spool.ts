/** The inflated contents of an archive's members, one after the other in a file. */
import { closeSync, openSync, writeSync } from "node:fs";

/** Bytes that are written at once. */
const BUFFER_LEN = 1 << 20;

/** See the file's head. */
export class MemberSpool {
  /** A byte string ("latin1"). */
  readonly path: string;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_LEN);
  #taken = 0;
  #written = 0;

  /**
   * @param path a new file, absolute
   * @throws system errors, as all methods do
   */
  constructor(path: string) {
    this.path = Buffer.from(path).toString("latin1");
    this.#fd = openSync(path, "wx", 0o600);
  }

  /** The number of bytes so far: the offset of the next. */
  get length(): number {
    return this.#written + this.#taken;
  }

  append(bytes: Uint8Array): void {
    if (this.#taken + bytes.length > BUFFER_LEN) this.#flush();
    if (bytes.length >= BUFFER_LEN) {
      this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#taken);
    this.#taken += bytes.length;
  }

  /** Ends the writing. The contents can be read as long as the file exists. */
  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#fd);
    }
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#taken));
    this.#taken = 0;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#written + done);
    this.#written += bytes.length;
  }
}

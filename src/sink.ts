/** Targets of images. */

/** Bytes under construction: appended to, and patched at the end. */
export interface Sink {
  /** Bytes appended so far, which is the offset of the next. */
  readonly position: number;
  /** Appends `bytes`, which may be changed as soon as the promise resolves. */
  append(bytes: Uint8Array): Promise<void>;
  /** Appends `length` zero bytes. */
  appendZeros(length: number): Promise<void>;
  /** Overwrites bytes that were appended before. */
  patch(bytes: Uint8Array, offset: number): Promise<void>;
}

/** An image in memory. */
export class MemorySink implements Sink {
  #bytes = new Uint8Array(1 << 16);
  position = 0;

  async append(bytes: Uint8Array): Promise<void> {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  async appendZeros(length: number): Promise<void> {
    this.#grow(length);
    this.position += length;
  }

  async patch(bytes: Uint8Array, offset: number): Promise<void> {
    this.#bytes.set(bytes, offset);
  }

  /** The bytes that were appended. */
  get content(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.position);
  }

  #grow(length: number): void {
    const needed = this.position + length;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

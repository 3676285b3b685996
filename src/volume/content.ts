/** Gathers content as it comes: memory is taken for bytes that are there, not for those that a header announces. */
import { DocteurError } from "../errors.js";

/**
 * Bytes that are taken at once, before any have come. Most files fit, and are not copied to grow; a header that lies
 * costs no more than that.
 */
const FIRST = 32 << 20;
/** The factor by which the memory grows when more bytes come. */
const GROWTH = 4;
const NOTHING = new Uint8Array(0);

/** Gathers pieces of content whose whole length has been announced. */
export class Content {
  readonly #path: string | undefined;
  #bytes: Uint8Array = NOTHING;
  #length = 0;

  /** @param path the content's path, for errors */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Bytes that have come. */
  get length(): number {
    return this.#length;
  }

  /**
   * Appends a copy of a piece.
   * @param announced bytes that all pieces have together, as the image says
   * @throws DocteurError `OutOfMemory`
   */
  append(piece: Uint8Array, announced: number): void {
    if (piece.length === announced) {
      this.#bytes = this.#allocate(announced, () => new Uint8Array(piece));
      this.#length = announced;
      return;
    }
    const need = this.#length + piece.length;
    if (need > this.#bytes.length)
      this.#resize(Math.min(announced, Math.max(FIRST, need, this.#length * GROWTH)));
    this.#bytes.set(piece, this.#length);
    this.#length = need;
  }

  /** All that has come. */
  finish(): Uint8Array {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  #resize(length: number): void {
    const bytes = this.#allocate(length, () => new Uint8Array(length));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  #allocate(length: number, allocate: () => Uint8Array): Uint8Array {
    try {
      return allocate();
    } catch (cause) {
      throw new DocteurError("OutOfMemory", `${this.#path ?? "an object"}: no memory for ${length} bytes`, {
        path: this.#path,
        cause,
        hint: "read it in parts, or as a stream",
      });
    }
  }
}

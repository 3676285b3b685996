/**
 * Bytes that lie elsewhere, read by ranges: what every remote device is made of. A source is a few lines;
 * `devices/remote.ts` makes a block device of it.
 */

/** Some of a source's bytes. */
export interface Piece {
  /** Bytes from the source's start. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Something of a known size that can be read from anywhere.
 * @example const source: RangeSource = { size: blob.size, read: async (offset, length) =>
 *   new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()) };
 */
export interface RangeSource {
  /** Bytes of the whole. It does not change. */
  readonly size: number;
  /**
   * Stands for the content: two sources of equal identity hold equal bytes. A persistent cache keeps pages under
   * it. Undefined where nothing vouches for that.
   */
  readonly identity?: string | undefined;
  /**
   * The digest that the whole should have, `sha256:` and 64 hexadecimal digits, where something says so. Ranges cannot
   * be compared with it: only a reader of every byte, such as `verify`, does that.
   */
  readonly digest?: string | undefined;
  /** What errors call the source: a URL, without credentials. */
  readonly name?: string | undefined;
  /** What opening the source has read already, a request each: it is not asked for again. */
  readonly prefetched?: readonly Piece[] | undefined;
  /**
   * Reads a range. Several reads may be under way at once.
   * @param offset bytes from the start
   * @param length bytes, at least 1; the range lies within `size`
   * @param signal ends the read, which then rejects. The device ends a read that takes too long by it
   * @returns exactly `length` bytes
   * @throws `TransientError` where a later try may succeed; any other error is final. A `DocteurError` reaches
   *   the user as the cause of a failed operation as it is
   */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Reads a range as `read` does, but gives its bytes as they come. A device uses it in place of `read`, where it is
   * there: the first bytes of a long range can then be used before the last ones are here.
   * @param take is given the next bytes of the range, in order; they are copied during the call
   * @returns resolves when all bytes have been given
   */
  readonly readParts?:
    | ((
        offset: number,
        length: number,
        signal: AbortSignal,
        take: (bytes: Uint8Array) => void,
      ) => Promise<void>)
    | undefined;
  /** Releases what the source holds: connections, file handles. */
  close?(): void | Promise<void>;
}

/** A failure that may pass: an overloaded server, a connection that was reset, a time-out. */
export class TransientError extends Error {
  /** Milliseconds to wait before the next try, where the other side has said so. */
  readonly retryAfter: number | undefined;

  /** @param message what failed */
  constructor(message: string, options: { cause?: unknown; retryAfter?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TransientError";
    this.retryAfter = options.retryAfter;
  }
}

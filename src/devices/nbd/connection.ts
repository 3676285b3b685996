/** The transmission phase: reads of one connection, many of them under way at once, and the replies to them. */
import { TransientError } from "../range-source.js";
import type { NbdAddress } from "./address.js";
import { type NbdExport, openExport } from "./handshake.js";
import { Pieces } from "./pieces.js";
import {
  CHUNK,
  CHUNK_IS_ERROR,
  CHUNK_IS_LAST,
  CHUNK_MAGIC,
  CHUNK_REST,
  COMMAND,
  ERRNO,
  encodeRequest,
  PASSING_ERRNOS,
  SIMPLE_REPLY_MAGIC,
  SIMPLE_REPLY_REST,
} from "./protocol.js";
import { nbdError, protocolError, Wire } from "./wire.js";

/** Requests under way at the most; servers have threads for about as many. */
export const REQUESTS_MAX = 16;
/** A request takes as many times the time-out at the most, however slowly its bytes drip. */
const TIMEOUTS_PER_REQUEST = 10;
/** Errors that one reply may tell of, and the bytes of one. */
const ERRORS_MAX = 64;
const ERROR_LEN_MAX = 8192;

/** A read that has been sent and not yet answered. */
interface Pending {
  offset: number;
  target: Uint8Array;
  pieces: Pieces;
  errors: Error[];
  timer: ReturnType<typeof setTimeout>;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** An open export. It works until it fails once, and is then to be replaced by another. */
export class NbdConnection {
  readonly export: NbdExport;
  readonly #address: NbdAddress;
  readonly #wire: Wire;
  readonly #timeout: number;
  readonly #pending = new Map<bigint, Pending>();
  /** Those that wait for a place among the pending. */
  readonly #queue: (() => void)[] = [];
  #lastCookie = 0n;
  #failure: unknown;

  private constructor(address: NbdAddress, wire: Wire, found: NbdExport, timeout: number) {
    this.#address = address;
    this.#wire = wire;
    this.export = found;
    this.#timeout = timeout;
  }

  /**
   * Connects and opens the export.
   * @param timeout milliseconds, for the whole of it, and later for any sign of life of the server's
   * @throws DocteurError, TransientError: see `openExport`; the signal's reason
   */
  static async open(address: NbdAddress, timeout: number, signal?: AbortSignal): Promise<NbdConnection> {
    signal?.throwIfAborted();
    const wire = new Wire(address);
    const stop = (): void => wire.fail(signal!.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => {
      wire.fail(new TransientError(`no connection within ${timeout / 1000} seconds`));
    }, timeout);
    try {
      const found = await openExport(wire, address);
      wire.failWhenStill(0);
      const connection = new NbdConnection(address, wire, found, timeout);
      void connection.#receive();
      return connection;
    } catch (error) {
      wire.fail(error as Error);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Reads a range with one request.
   * @param target holds zeros, and is filled; its length is at most the export's `blockMax`
   * @param signal keeps the request from being sent. A request that has been sent holds its place until the answer
   *   comes
   */
  async read(offset: number, target: Uint8Array, signal: AbortSignal): Promise<void> {
    while (this.#pending.size >= REQUESTS_MAX && this.isAlive)
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    if (signal.aborted) {
      // The place is another's.
      this.#queue.shift()?.();
      throw signal.reason;
    }
    if (!this.isAlive) throw this.#failure;
    const cookie = ++this.#lastCookie;
    await new Promise<void>((resolve, reject) => {
      if (this.#pending.size === 0) this.#wire.failWhenStill(this.#timeout);
      const limit = this.#timeout * TIMEOUTS_PER_REQUEST;
      const timer = setTimeout(() => {
        this.#wire.fail(new TransientError(`no whole answer within ${limit / 1000} seconds`));
      }, limit);
      const pieces = new Pieces(target.length);
      this.#pending.set(cookie, { offset, target, pieces, errors: [], timer, resolve, reject });
      this.#wire.write(encodeRequest(COMMAND.READ, cookie, offset, target.length));
    });
  }

  /** Takes replies until the connection ends. */
  async #receive(): Promise<void> {
    try {
      for (;;) {
        const magic = (await this.#wire.take(4)).readUInt32BE(0);
        if (magic === (this.export.isStructured ? CHUNK_MAGIC : SIMPLE_REPLY_MAGIC)) {
          if (this.export.isStructured) await this.#chunk();
          else await this.#simpleReply();
        } else throw protocolError(this.#address, "wrong magic number in a reply");
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #end(reason: unknown): void {
    this.#failure = reason;
    this.#wire.fail(reason as Error);
    for (const { timer, reject } of this.#pending.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#pending.clear();
    for (const wake of this.#queue.splice(0)) wake();
  }

  #find(cookie: bigint): Pending {
    const pending = this.#pending.get(cookie);
    if (pending === undefined) throw protocolError(this.#address, "a reply to a request that was not made");
    return pending;
  }

  async #simpleReply(): Promise<void> {
    const head = await this.#wire.take(SIMPLE_REPLY_REST);
    const cookie = head.readBigUInt64BE(4);
    const pending = this.#find(cookie);
    const errno = head.readUInt32BE(0);
    if (errno !== 0) pending.errors.push(this.#errorOf(errno, ""));
    else {
      await this.#wire.read(pending.target);
      pending.pieces.add(0, pending.target.length);
    }
    this.#settle(cookie, pending);
  }

  async #chunk(): Promise<void> {
    const head = await this.#wire.take(CHUNK_REST);
    const [flags, type] = [head.readUInt16BE(0), head.readUInt16BE(2)];
    const cookie = head.readBigUInt64BE(4);
    const length = head.readUInt32BE(12);
    const pending = this.#find(cookie);
    const isLast = (flags & CHUNK_IS_LAST) !== 0;
    if (type & CHUNK_IS_ERROR) await this.#errorChunk(pending, length);
    else if (type === CHUNK.OFFSET_DATA && length > 8) {
      const part = this.#partOf(pending, (await this.#wire.take(8)).readBigUInt64BE(0), length - 8);
      await this.#wire.read(part);
    } else if (type === CHUNK.OFFSET_HOLE && length === 12) {
      const hole = await this.#wire.take(12);
      // Its place holds zeros.
      this.#partOf(pending, hole.readBigUInt64BE(0), hole.readUInt32BE(8));
    } else if (type !== CHUNK.NONE || length !== 0 || !isLast)
      throw protocolError(this.#address, `a chunk of type ${type}, ${length} bytes`);
    if (isLast) this.#settle(cookie, pending);
  }

  /** Where a chunk's content goes, which is noted. */
  #partOf({ offset, target, pieces }: Pending, chunkOffset: bigint, length: number): Uint8Array {
    const start = Number(chunkOffset - BigInt(offset));
    if (!pieces.add(start, length))
      throw protocolError(this.#address, "a chunk that overlaps another, or was not asked for");
    return target.subarray(start, start + length);
  }

  async #errorChunk(pending: Pending, length: number): Promise<void> {
    if (length < 6 || length > ERROR_LEN_MAX || pending.errors.length === ERRORS_MAX)
      throw protocolError(this.#address, `an error of ${length} bytes`);
    const payload = await this.#wire.take(length);
    const textLen = payload.readUInt16BE(4);
    if (textLen > length - 6)
      throw protocolError(this.#address, "an error's text that is longer than the error");
    const errno = payload.readUInt32BE(0);
    if (errno === 0) throw protocolError(this.#address, "an error chunk without an error");
    pending.errors.push(this.#errorOf(errno, payload.toString("utf8", 6, 6 + textLen)));
  }

  #errorOf(errno: number, text: string): Error {
    const what = ERRNO[errno] ?? `error ${errno}`;
    const message = `the server cannot read: ${text === "" ? what : `${text} (${what})`}`;
    return PASSING_ERRNOS.has(errno) ? new TransientError(message) : nbdError(this.#address, "Io", message);
  }

  #settle(cookie: bigint, { pieces, errors, timer, resolve, reject }: Pending): void {
    if (errors.length === 0 && !pieces.isWhole)
      throw protocolError(this.#address, "a reply ends before everything has come");
    clearTimeout(timer);
    this.#pending.delete(cookie);
    if (this.#pending.size === 0) this.#wire.failWhenStill(0);
    if (errors.length === 0) resolve();
    else reject(errors[0]);
    this.#queue.shift()?.();
  }

  /** Ends the connection in good order. Reads that are under way reject. */
  close(): void {
    if (!this.isAlive) return;
    this.#wire.end(encodeRequest(COMMAND.DISC, ++this.#lastCookie, 0, 0));
    this.#end(nbdError(this.#address, "Closed", "the source is closed"));
  }
}

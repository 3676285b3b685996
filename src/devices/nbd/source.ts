/** An export of an NBD server as a source of ranges, which connects again where a connection has ended. For Node. */
import { abortable } from "../../abort.js";
import type { RangeSource } from "../range-source.js";
import { PATIENCE, retrying } from "../remote/retry.js";
import { type NbdAddress, parseNbdUrl } from "./address.js";
import { NbdConnection } from "./connection.js";
import { nbdError } from "./wire.js";

/** Options of `openNbd`. */
export interface NbdOptions {
  /**
   * Milliseconds within which a connection must stand, and within which something must come while an answer is
   * due. An answer as a whole may take ten times as long.
   */
  timeout?: number | undefined;
  /** Further tries to open. */
  retries?: number | undefined;
  /** Ends the opening. */
  signal?: AbortSignal | undefined;
}

/** Bytes of one request at the most: longer reads are several requests. */
const REQUEST_MAX = 1 << 20;

/** Waits until all have settled. @throws the reason of the first that failed */
async function allOf(parts: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(parts)) if (result.status === "rejected") throw result.reason;
}

class NbdSource implements RangeSource {
  readonly size: number;
  readonly name: string;
  readonly #address: NbdAddress;
  readonly #timeout: number;
  /** The connection in use, or the one that is being made. */
  #connection: Promise<NbdConnection>;
  /** Aborted when the source is closed. */
  readonly #closing = new AbortController();

  constructor(address: NbdAddress, timeout: number, connection: NbdConnection) {
    this.size = connection.export.size;
    this.name = address.name;
    this.#address = address;
    this.#timeout = timeout;
    this.#connection = Promise.resolve(connection);
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const connection = await abortable(this.#connected(), [signal]);
    const { blockMin, blockMax } = connection.export;
    const start = offset - (offset % blockMin);
    const end = Math.min(Math.ceil((offset + length) / blockMin) * blockMin, this.size);
    const bytes = new Uint8Array(end - start);
    const step = Math.max(blockMin, Math.min(blockMax, REQUEST_MAX - (REQUEST_MAX % blockMin)));
    const parts: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += step)
      parts.push(connection.read(start + at, bytes.subarray(at, at + step), signal));
    await abortable(allOf(parts), [signal]);
    return bytes.subarray(offset - start, offset - start + length);
  }

  /** The connection, or another where it has failed: one for all reads that need it. */
  async #connected(): Promise<NbdConnection> {
    const used = this.#connection;
    const connection = await used.catch(() => undefined);
    if (connection?.isAlive) return connection;
    this.#closing.signal.throwIfAborted();
    if (this.#connection === used) this.#connection = this.#reconnect();
    return this.#connection;
  }

  async #reconnect(): Promise<NbdConnection> {
    const connection = await NbdConnection.open(this.#address, this.#timeout, this.#closing.signal);
    if (connection.export.size === this.size) return connection;
    connection.close();
    const size = `${connection.export.size} bytes, not ${this.size}`;
    throw nbdError(this.#address, "ImageChanged", `the image has changed since it was opened: ${size}`, {
      hint: "open it again: volume.reopen()",
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(nbdError(this.#address, "Closed", "the source is closed"));
    (await this.#connection.catch(() => undefined))?.close();
  }
}

/**
 * Opens an export of an NBD server: `nbd://host:port/export`, `nbds://…` (TLS), `nbd+unix:///export?socket=PATH`.
 * Nothing vouches for the content: the source has no identity, and content that changes between two connections is found
 * by its size alone.
 * @throws DocteurError `InvalidArgument` for a malformed URL; `Network` for a server that cannot be reached or trusted or
 *   breaks the protocol; `AccessDenied`, `Io` where it refuses the export; the signal's reason
 */
export async function openNbd(url: URL, options: NbdOptions = {}): Promise<RangeSource> {
  const { timeout = PATIENCE.timeout, retries = PATIENCE.retries } = options;
  const { signal = new AbortController().signal } = options;
  const address = parseNbdUrl(url);
  const { name } = address;
  const attempt = (limit: AbortSignal): Promise<NbdConnection> => NbdConnection.open(address, timeout, limit);
  const connection = await retrying({ attempt, name, patience: { timeout, retries }, length: 0, signal });
  return new NbdSource(address, timeout, connection);
}

/** Files on HTTP servers, read by Range requests (RFC 9110, section 14). It needs `fetch` and nothing of Node's. */
import {
  type ContentRange,
  contentRange,
  difference,
  dropBody,
  readBody,
  readRange,
  readRangeParts,
  strongTag,
  type Version,
  versionOf,
} from "./http/answer.js";
import { changed, fetchError, httpError, RangesIgnored, statusError } from "./http/failures.js";
import { Transport, type TransportOptions } from "./http/transport.js";
import { type Piece, type RangeSource, TransientError } from "./range-source.js";
import type { Clock } from "./remote/clock.js";
import { PATIENCE, retrying } from "./remote/retry.js";
import { PAGE_SIZE, type RemoteOptions } from "./remote.js";

/** How a file on a server is opened. */
export interface HttpOptions extends TransportOptions, RemoteOptions {
  /**
   * Bytes up to which a file is downloaded whole, from a server that does not know ranges; by default, one page.
   */
  maxDownload?: number | undefined;
  /** Ends the opening. */
  signal?: AbortSignal | undefined;
}

/** A part of the file, with what came along. */
interface Part {
  version: Version;
  piece: Piece;
}

/** Opens a file. */
class Opening {
  readonly #transport: Transport;
  readonly #pageSize: number;
  readonly #maxDownload: number;

  constructor(transport: Transport, { pageSize = PAGE_SIZE, maxDownload = 0 }: HttpOptions) {
    this.#transport = transport;
    this.#pageSize = pageSize;
    this.#maxDownload = Math.max(maxDownload, pageSize);
  }

  /** Reads the file's head and tail, in one round trip. */
  async read(signal: AbortSignal): Promise<RangeSource> {
    const rest = new AbortController();
    const stop = (): void => rest.abort(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      // Of ranges, only those that count from the start need no leave of a server of another origin.
      const tail = this.#transport.isCrossOrigin ? undefined : this.#tail(rest.signal);
      const head = await this.#head(rest.signal);
      if (!("piece" in head)) return head;
      return await this.#combine(head, await tail);
    } finally {
      rest.abort();
      signal.removeEventListener("abort", stop);
    }
  }

  async #head(signal: AbortSignal): Promise<Part | RangeSource> {
    const { name } = this.#transport;
    const response = await this.#transport.get({ range: `bytes=0-${this.#pageSize - 1}` }, signal);
    if (response.status === 200) return this.#whole(response);
    if (response.status === 206) return this.#part(response, (range) => range.first === 0);
    dropBody(response);
    // Of an empty file there is no range.
    if (response.status === 416)
      throw httpError("Truncated", name, "the file is empty (416)", { hint: "it is not a docteur image" });
    throw statusError(name, response);
  }

  /** The last two pages, of which the last one need not be whole; undefined where the server does not give them. */
  async #tail(signal: AbortSignal): Promise<Part | undefined> {
    try {
      const response = await this.#transport.get({ range: `bytes=-${2 * this.#pageSize}` }, signal);
      if (response.status === 206) return await this.#part(response, ({ last, size }) => last + 1 === size);
      dropBody(response);
    } catch {
      // The head says what is wrong, if anything is.
    }
    return undefined;
  }

  async #part(response: Response, isFitting: (range: ContentRange) => boolean): Promise<Part> {
    const { name } = this.#transport;
    try {
      const range = contentRange(name, response);
      const { first, last, size } = range;
      const length = last - first + 1;
      if (size === undefined)
        throw httpError("Io", name, "the server does not tell the file's size (Content-Range)");
      const most = Math.min(2 * this.#pageSize, size);
      if (!isFitting(range) || length > most || length < Math.min(this.#pageSize, size))
        throw httpError("Io", name, "the server sends another range than the one that it was asked for");
      const version = versionOf(response, size);
      return { version, piece: { offset: first, bytes: await readRange(name, response, length) } };
    } catch (error) {
      dropBody(response);
      throw error;
    }
  }

  /** Takes the whole of a small file, from a server that does not know ranges. */
  async #whole(response: Response): Promise<RangeSource> {
    const { name } = this.#transport;
    const announced = Number(response.headers.get("content-length") ?? 0);
    const bytes =
      announced > this.#maxDownload ? undefined : await readBody(name, response, this.#maxDownload);
    if (bytes === undefined) {
      dropBody(response);
      throw new RangesIgnored(name);
    }
    if (response.headers.get("content-encoding") === null && bytes.length < announced)
      throw new TransientError(`the connection ended after ${bytes.length} of ${announced} bytes`);
    return {
      size: bytes.length,
      name,
      prefetched: [{ offset: 0, bytes }],
      read: async (offset, length) => bytes.subarray(offset, offset + length),
    };
  }

  async #combine(head: Part, tail: Part | undefined): Promise<RangeSource> {
    const { version, piece } = head;
    if (tail !== undefined && difference(version, tail.version) !== undefined)
      throw new TransientError("the file changed while it was opened");
    const pieces = tail === undefined ? [piece] : [piece, tail.piece];
    const identity = await identify(this.#transport.url, version, pieces);
    return new HttpSource(this.#transport, version, pieces, identity);
  }
}

/**
 * What vouches for a file's bytes: the server's strong ETag; and beside it address, size, and the bytes that are known,
 * among them the commit and, at the end, the checksums of most images.
 */
async function identify(url: URL, version: Version, pieces: readonly Piece[]): Promise<string | undefined> {
  const etag = strongTag(version.etag);
  const subtle = globalThis.crypto?.subtle;
  // Pages that are not served securely have neither digests nor a place to keep anything.
  if (etag === undefined || subtle === undefined) return undefined;
  const digest = async (bytes: Uint8Array): Promise<string> => {
    const hash = new Uint8Array(await subtle.digest("SHA-256", new Uint8Array(bytes)));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const digests = await Promise.all(pieces.map(({ bytes }) => digest(bytes)));
  const text = JSON.stringify([url.href, etag, version.lastModified, version.size, digests]);
  return `http:${await digest(new TextEncoder().encode(text))}`;
}

class HttpSource implements RangeSource {
  readonly size: number;
  readonly name: string;
  readonly identity: string | undefined;
  readonly prefetched: readonly Piece[];
  readonly #transport: Transport;
  readonly #version: Version;

  constructor(
    transport: Transport,
    version: Version,
    prefetched: readonly Piece[],
    identity: string | undefined,
  ) {
    this.#transport = transport;
    this.#version = version;
    this.size = version.size;
    this.name = transport.name;
    this.prefetched = prefetched;
    this.identity = identity;
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#get(offset, length, signal, (response) => readRange(this.name, response, length));
  }

  readParts(
    offset: number,
    length: number,
    signal: AbortSignal,
    take: (bytes: Uint8Array) => void,
  ): Promise<void> {
    return this.#get(offset, length, signal, (response) => readRangeParts(this.name, response, length, take));
  }

  /** Requests a range. @param read reads the body of the answer, whose headers have been checked */
  async #get<T>(
    offset: number,
    length: number,
    signal: AbortSignal,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const headers: Record<string, string> = { range: `bytes=${offset}-${offset + length - 1}` };
    const etag = strongTag(this.#version.etag);
    // It spares the bytes of another version. A server of another origin would have to give leave for it.
    if (etag !== undefined && !this.#transport.isCrossOrigin) headers["if-match"] = etag;
    const response = await this.#transport.get(headers, signal);
    try {
      this.#check(response, offset, length);
      return await read(response);
    } catch (error) {
      dropBody(response);
      if (signal.aborted) throw signal.reason;
      throw fetchError(this.name, error);
    }
  }

  #check(response: Response, offset: number, length: number): void {
    const { name } = this;
    const { status } = response;
    if (status === 412) throw changed(name, "it has another ETag (412)");
    if (status === 416) throw changed(name, "it is shorter (416)");
    if (status === 200) {
      const size = Number(response.headers.get("content-length") ?? this.size);
      const how = difference(this.#version, versionOf(response, size));
      if (how !== undefined) throw changed(name, how);
      throw new TransientError("the server ignores a range that it served before (200)");
    }
    if (status !== 206) throw statusError(name, response);
    const { first, last, size = this.size } = contentRange(name, response);
    const how = difference(this.#version, versionOf(response, size));
    if (how !== undefined) throw changed(name, how);
    if (first !== offset || last !== offset + length - 1)
      throw httpError("Io", name, "the server sends another range than the one that it was asked for");
  }
}

/**
 * Opens a file on a server. Its head and its tail come in the round trip that tells its size.
 * @param url `http:` or `https:`; a user and a password in it are sent as Basic authentication
 * @throws DocteurError `Network`, `AccessDenied`, `Io`; `Truncated` for an empty file. The URL in it is without
 *   credentials
 */
export async function openHttp(url: URL, options: HttpOptions = {}, clock?: Clock): Promise<RangeSource> {
  const transport = new Transport(url, options);
  const opening = new Opening(transport, options);
  const { timeout = PATIENCE.timeout, retries = PATIENCE.retries, pageSize = PAGE_SIZE } = options;
  const signal = options.signal ?? new AbortController().signal;
  return retrying({
    attempt: (limit) => opening.read(limit),
    name: transport.name,
    patience: { timeout, retries },
    length: 3 * pageSize,
    signal,
    clock,
  });
}

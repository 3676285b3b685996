/** An HTTP server of one file, on the loopback, that serves ranges well or in any of the ways that servers fail. */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that came, as far as tests look at it. */
export interface Seen {
  path: string;
  range: string | undefined;
  headers: IncomingMessage["headers"];
}

/** Takes a request in place of the server. @returns whether it has answered, or will */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, server: RangeServer) => boolean;

/** The range that a request asks for: from a byte to before another. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { first: number; end: number } | undefined {
  const [, first, last] = /^bytes=([0-9]*)-([0-9]*)$/.exec(header ?? "") ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return { first: Math.max(0, size - Number(last)), end: size };
  return { first: Number(first), end: last === "" ? size : Math.min(size, Number(last) + 1) };
}

/** One file at `/disk.img`; what else a request asks for is not found. */
export class RangeServer {
  /** Changes at will. */
  content: Uint8Array;
  etag: string | undefined = '"v1"';
  lastModified: string | undefined = "Mon, 01 Jan 2024 00:00:00 GMT";
  /** Headers of every answer. */
  extra: OutgoingHttpHeaders = {};
  /** Asked in turn, before the server answers. */
  behaviour: Behaviour | undefined;
  readonly seen: Seen[] = [];
  /** Bytes of bodies that were sent whole. */
  sent = 0;
  readonly #server = createServer((request, response) => this.#take(request, response));

  constructor(content: Uint8Array) {
    this.content = content;
  }

  /** Starts at a port of the system's choice. */
  async start(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/disk.img`;
  }

  /** Ranges that were asked for, in order. */
  get ranges(): (string | undefined)[] {
    return this.seen.map(({ range }) => range);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { range } = request.headers;
    this.seen.push({ path: request.url!, range, headers: request.headers });
    for (const [name, value] of Object.entries(this.extra)) response.setHeader(name, value!);
    if (this.behaviour?.(request, response, this)) return;
    this.serve(request, response);
  }

  /** Headers that tell the version. */
  validators(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {};
    if (this.etag !== undefined) headers.etag = this.etag;
    if (this.lastModified !== undefined) headers["last-modified"] = this.lastModified;
    return headers;
  }

  /** Answers as a server should. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const { content } = this;
    const match = request.headers["if-match"];
    if (!request.url!.startsWith("/disk.img")) response.writeHead(404).end();
    else if (match !== undefined && match !== this.etag) response.writeHead(412).end();
    else {
      const range = rangeOf(request.headers.range, content.length);
      if (range === undefined) this.#send(response, 200, content, {});
      else if (range.first >= content.length)
        response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      else {
        const { first, end } = range;
        const place = `bytes ${first}-${end - 1}/${content.length}`;
        this.#send(response, 206, content.subarray(first, end), { "content-range": place });
      }
    }
  }

  #send(response: ServerResponse, status: number, body: Uint8Array, headers: OutgoingHttpHeaders): void {
    response.writeHead(status, { ...this.validators(), ...headers, "content-length": body.length });
    response.end(body);
    this.sent += body.length;
  }
}

/** Starts a server that stops when the test ends. */
export async function startServer(
  t: { after(end: () => void): void },
  content: Uint8Array,
): Promise<RangeServer> {
  const server = await new RangeServer(content).start();
  t.after(() => server.stop());
  return server;
}

/** The server of `docteur serve`: routes, the life of connections, and its end. */
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createHandler, toNodeListener } from "../../src/http/index.js";
import { DocteurError } from "../../src/index.js";
import type { Logged } from "./access-log.js";
import { hostCheck } from "./hosts.js";
import { INDEX_POLICY, indexPage } from "./index-page.js";
import type { LiveImage, Version } from "./live-image.js";
import { Metrics } from "./metrics.js";
import { pageFiles, type SiteFile, siteOfFiles } from "./site-files.js";

/** The path, below the base, of the browser page and of what it reads. */
const PAGE = "-";

/** Milliseconds in which a request's head, and all of a request, must have come. */
const HEAD_MS = 15_000;
const REQUEST_MS = 60_000;
/** Milliseconds for which a connection may wait for its next request. */
const KEEP_ALIVE_MS = 15_000;
/**
 * Milliseconds after which a connection ends on which nothing moves: its client takes nothing of an answer. If an answer
 * waits to be sent, Node looks a second time, and it takes twice as long.
 */
const STALLED_MS = 30_000;
/** Milliseconds between two looks at connections whose time may be over. */
const CHECK_MS = 2_000;

/** Statuses by Node's codes for requests that cannot be read. */
const REFUSALS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

/** What is served, and how. */
export interface ServerOptions {
  images: readonly LiveImage[];
  host: string;
  port: number;
  /** The path of URLs under which everything lies but health and metrics; with slashes around it. */
  base: string;
  /** Whether each image lies under its name. */
  isNamed: boolean;
  withPage: boolean;
  withMetrics: boolean;
  maxConnections: number;
  /** Names by which the server may be asked. */
  allowedHosts: readonly string[];
  /** Whether a request may be answered, by its field `Authorization`; all may by default. */
  isAllowed?: ((field: string | undefined) => boolean) | undefined;
  onEnded: ((logged: Logged) => void) | undefined;
  droppedLines: () => number;
}

/** A response that counts the bytes of its content. */
class CountingResponse extends ServerResponse {
  contentBytes = 0;

  #count(chunk: unknown): void {
    if (typeof chunk === "string") this.contentBytes += Buffer.byteLength(chunk);
    else if (chunk instanceof Uint8Array) this.contentBytes += chunk.length;
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    this.#count(chunk);
    return super.write(chunk, ...rest);
  }

  override end(chunk?: unknown, ...rest: never[]): this {
    // `end` does not call `write`.
    this.#count(chunk);
    return super.end(chunk, ...rest);
  }
}

function field(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.join(", ");
}

function sendText(
  response: ServerResponse,
  method: string | undefined,
  status: number,
  text: string,
  fields: Record<string, string> = {},
): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    ...fields,
  });
  response.end(method === "HEAD" ? undefined : body);
}

/** A server that runs. */
export class ImageServer {
  readonly metrics: Metrics;
  readonly #options: ServerOptions;
  readonly #server: Server<typeof IncomingMessage, typeof CountingResponse>;
  readonly #byName = new Map<string, LiveImage>();
  readonly #isHost: (field: string | undefined) => boolean;
  readonly #page: ReadonlyMap<string, SiteFile>;
  #inFlight = 0;
  #connections = 0;
  #malformed = 0;
  #isEnding = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#page = options.withPage ? pageFiles() : new Map();
    this.#isHost = hostCheck(options.host, options.allowedHosts);
    for (const image of options.images) this.#byName.set(image.name, image);
    const server = this;
    this.metrics = new Metrics({
      images: options.images,
      get connections() {
        return server.#connections;
      },
      get inFlight() {
        return server.#inFlight;
      },
      get malformed() {
        return server.#malformed;
      },
      get droppedLines() {
        return options.droppedLines();
      },
    });
    this.#server = createServer(
      {
        ServerResponse: CountingResponse,
        headersTimeout: HEAD_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: CHECK_MS,
      },
      this.#receive,
    );
    this.#server.timeout = STALLED_MS;
    this.#server.maxConnections = options.maxConnections;
    this.#server.on("connection", (socket) => this.#connected(socket));
    this.#server.on("clientError", (error, socket) => this.#refuse(error, socket as Socket));
  }

  /** Starts to listen. @returns the port @throws DocteurError `Io` */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) => {
        const why = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message;
        const hint = cause.code === "EADDRINUSE" ? "--port 0 takes any free port" : undefined;
        reject(new DocteurError("Io", `cannot listen on ${host}, port ${port}: ${why}`, { cause, hint }));
      });
      this.#server.listen(port, host, 8192, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Ends the server: it takes no more connections, and requests under way end.
   * @param milliseconds that they have; then their connections are broken
   */
  async end(milliseconds: number, hurry: AbortSignal): Promise<void> {
    this.#isEnding = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const breakAll = (): void => this.#server.closeAllConnections();
    if (hurry.aborted) breakAll();
    hurry.addEventListener("abort", breakAll);
    const bound = setTimeout(breakAll, milliseconds);
    // A connection whose last answer has just ended is idle now.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 20);
    await closed;
    clearTimeout(bound);
    clearInterval(idle);
    for (const image of this.#options.images) image.end();
  }

  #connected(socket: Socket): void {
    this.#connections++;
    socket.once("close", () => {
      this.#connections--;
    });
  }

  /** Answers what is not HTTP, or does not come in time. */
  #refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
    // A client that has left has sent nothing wrong.
    if (code !== "ECONNRESET" && code !== "EPIPE") this.#malformed++;
    const status = REFUSALS[code ?? ""] ?? "400 Bad Request";
    if (socket.writable && socket.bytesWritten === 0)
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    // Whatever else the client sends, nobody reads.
    socket.destroySoon();
  }

  readonly #receive = (request: IncomingMessage, response: CountingResponse): void => {
    const start = performance.now();
    this.#inFlight++;
    // The address is gone once the connection is.
    const remote = request.socket.remoteAddress;
    if (this.#isEnding) response.setHeader("connection", "close");
    response.once("close", () => {
      this.#inFlight--;
      this.#ended(request, response, start, remote);
    });
    try {
      this.#route(request, response);
    } catch {
      response.destroy();
    }
  };

  #ended(
    request: IncomingMessage,
    response: CountingResponse,
    start: number,
    remote: string | undefined,
  ): void {
    const { method = "", url = "", httpVersion } = request;
    const milliseconds = performance.now() - start;
    const { statusCode: status, contentBytes } = response;
    const bodyBytes = method === "HEAD" ? 0 : contentBytes;
    this.metrics.ended({ method, status, seconds: milliseconds / 1000, bytes: bodyBytes });
    const { onEnded } = this.#options;
    onEnded?.({
      ...{ time: new Date(), remote, method, url, status, bodyBytes, milliseconds },
      protocol: `HTTP/${httpVersion}`,
      referrer: field(request, "referer"),
      agent: field(request, "user-agent"),
      isAborted: !response.writableFinished,
    });
  }

  #route(request: IncomingMessage, response: CountingResponse): void {
    const { method, url = "/" } = request;
    const isGet = method === "GET" || method === "HEAD";
    if (!this.#isHost(request.headers.host)) {
      sendText(response, method, 421, "421 Misdirected Request: this server is not asked by that name\n");
      return;
    }
    if (this.#options.isAllowed?.(request.headers.authorization) === false) {
      const fields = { "www-authenticate": 'Basic realm="docteur"' };
      sendText(response, method, 401, "401 Unauthorized\n", fields);
      return;
    }
    const end = url.search(/[?#]/);
    const path = end < 0 ? url : url.slice(0, end);
    const { base, images, isNamed, withMetrics } = this.#options;
    const isPage = path.startsWith(`${base}${PAGE}/`) && this.#page.size > 0;
    const isBelow = path.startsWith(base);
    const image = !isNamed ? images[0] : isBelow ? this.#imageAt(path.slice(base.length)) : undefined;
    if (isGet && path === "/healthz") sendText(response, method, 200, "ok\n");
    else if (isGet && path === "/metrics" && withMetrics) void this.#sendMetrics(request, response);
    else if (isPage) this.#sendPage(request, response, path);
    else if (isNamed && path === base && isGet) this.#sendIndex(request, response);
    else if (image !== undefined) this.#sendFrom(image, request, response);
    else if (isGet) sendText(response, method, 404, "404 Not Found\n");
    else sendText(response, method, 405, "405 Method Not Allowed\n", { allow: "GET, HEAD" });
  }

  /** The image that the first name of a path stands for. */
  #imageAt(path: string): LiveImage | undefined {
    const [segment] = path.split("/", 1);
    try {
      return this.#byName.get(decodeURIComponent(segment!));
    } catch {
      return undefined;
    }
  }

  #sendFrom(image: LiveImage, request: IncomingMessage, response: ServerResponse): void {
    const version = image.acquire();
    response.once("close", () => version.release());
    version.listener(request, response);
  }

  #sendIndex({ method }: IncomingMessage, response: ServerResponse): void {
    const text = indexPage(this.#options.images, this.#options.withPage);
    const fields = { "content-type": "text/html; charset=utf-8", "content-security-policy": INDEX_POLICY };
    sendText(response, method, 200, text, fields);
  }

  /** The browser page, and the bytes of the images. */
  #sendPage(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { images, isNamed, base } = this.#options;
    const isGet = request.method === "GET" || request.method === "HEAD";
    if (!isNamed && isGet && path === `${base}${PAGE}/` && images[0]!.path !== undefined) {
      const location = `./index.html#image=${encodeURIComponent(images[0]!.name)}.img`;
      sendText(response, request.method, 302, "", { location });
      return;
    }
    const versions = images.map((image): [string, Version] => [`${image.name}.img`, image.acquire()]);
    response.once("close", () => {
      for (const [, version] of versions) version.release();
    });
    const files = new Map(this.#page);
    for (const [name, { file }] of versions) if (file !== undefined) files.set(name, file);
    const site = siteOfFiles(files, versions[0]![1].volume.commit);
    const options = {
      base: `${base}${PAGE}`,
      cacheSize: 0,
      precompressed: false,
      lastModified: false,
      dotfiles: true,
    };
    toNodeListener(createHandler(site, options))(request, response);
  }

  async #sendMetrics({ method }: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const text = await this.metrics.text();
      sendText(response, method, 200, text, { "content-type": this.metrics.contentType });
    } catch {
      response.destroy();
    }
  }
}

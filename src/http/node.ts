/** Handlers in Node: listeners of node:http and node:http2, and middleware as Connect and Express have it. */
import { type Answer, isChunks } from "./answer.js";
import { type Chunks, streamOf } from "./content.js";
import { type Handler, type HandlerRequest, type Responder, responderOf } from "./handler.js";

/** The part of node:http's `IncomingMessage` that is read. */
export interface NodeRequest {
  method?: string | undefined;
  url?: string | undefined;
  /** The URL before Express cut off the path under which the middleware is mounted. */
  originalUrl?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The content of the request. */
  [Symbol.asyncIterator]?(): AsyncIterator<Uint8Array, unknown, undefined>;
}

/** The part of node:http's `ServerResponse` that is used. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  end(chunk?: string | Uint8Array): unknown;
  destroy(error?: Error): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
  off(event: "close" | "drain", listener: () => void): unknown;
}

/** A listener of a server; middleware if it is given `next`. */
export type NodeListener = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => void;

/** The statuses with which middleware leaves a request to the next one. */
const OTHERS = [404, 405];
/** The name of the host does not count: a handler looks at the path alone. */
const ORIGIN = "http://localhost";

/** The URL of a request target (RFC 9112, section 3.2). */
function urlOf(target: string): string {
  // Of "//host/path", too, all is the path.
  return target.startsWith("/") ? ORIGIN + target : target;
}

/** A request of node:http as a handler reads it. What few answers need is made when it is asked for. */
class ReceivedRequest implements HandlerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HandlerRequest["headers"];
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  #signal: AbortSignal | undefined;

  constructor(request: NodeRequest, response: NodeResponse) {
    const { method = "GET", url = "/", headers } = request;
    this.#request = request;
    this.#response = response;
    this.method = method;
    this.url = urlOf(url);
    this.headers = {
      get: (name) => {
        const value = headers[name];
        return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
      },
    };
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const response = this.#response;
    const aborted = new AbortController();
    const onClose = (): void => {
      if (!response.writableFinished) aborted.abort();
    };
    if (response.destroyed) onClose();
    else response.once("close", onClose);
    this.#signal = aborted.signal;
    return this.#signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    const chunks = this.#request[Symbol.asyncIterator]?.();
    return chunks === undefined ? null : streamOf(chunks);
  }
}

/** Waits until a response takes more, or is closed. */
function drained(response: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
    if (response.destroyed) done();
  });
}

/** Writes a body, no faster than the client reads it. */
async function send(body: Chunks, response: NodeResponse): Promise<void> {
  try {
    for (let read = await body.next(); read.done !== true; read = await body.next()) {
      if (response.destroyed) return;
      if (!response.write(read.value)) await drained(response);
    }
  } finally {
    await body.return?.();
  }
}

/** The answers of a handler that is not ours, such as one around ours. */
function viaResponse(handler: Handler): Responder {
  return async (request): Promise<Answer> => {
    const { status, headers, body } = await handler(request);
    return { status, fields: Object.fromEntries(headers), body: body && chunksOf(body) };
  };
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The address with a slash, if Express has cut off the whole path of a URL that has none. */
function mountRedirect({ url = "/", originalUrl }: NodeRequest): string | undefined {
  if (originalUrl === undefined || !/^\/(?:\?|$)/.test(url)) return undefined;
  const [, name, search] = /^[^?]*\/([^/?]+)(\?.*)?$/.exec(originalUrl) ?? [];
  return name === undefined ? undefined : `./${name}/${search ?? ""}`;
}

/**
 * Makes a listener of a handler.
 * @param handler of `createHandler`
 * @returns for `http.createServer(…)` or `app.use(…)`. As middleware, it calls `next()` where the image has nothing, and
 *   for methods other than GET, HEAD and OPTIONS
 * @example createServer(toNodeListener(createHandler(await open("site.img")))).listen(8080);
 * @example app.use("/docs", toNodeListener(createHandler(await open("docs.img"))));
 */
export function toNodeListener(handler: Handler): NodeListener {
  const responder = responderOf(handler) ?? viaResponse(handler);
  const respond = async (...[request, response, next]: Parameters<NodeListener>): Promise<void> => {
    const location = mountRedirect(request);
    if (location !== undefined) {
      response.writeHead(301, { location, "content-length": "0" });
      response.end();
      return;
    }
    const { status, fields, body } = await responder(new ReceivedRequest(request, response));
    if (next !== undefined && OTHERS.includes(status)) {
      if (isChunks(body)) await body.return?.();
      next();
      return;
    }
    response.writeHead(status, fields);
    if (!isChunks(body)) {
      response.end(body ?? undefined);
      return;
    }
    await send(body, response);
    response.end();
  };
  return (request, response, next) => {
    respond(request, response, next).catch((error: unknown) => {
      // Content that breaks off must not look whole.
      if (response.headersSent || next === undefined) response.destroy();
      else next(error);
    });
  };
}

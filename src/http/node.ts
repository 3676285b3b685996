/** Handlers in Node: listeners of node:http and node:http2, and middleware as Connect and Express have it. */
import type { Handler, HandlerRequest } from "./handler.js";

/** The part of node:http's `IncomingMessage` that is read. */
export interface NodeRequest {
  method?: string | undefined;
  url?: string | undefined;
  /** The URL before Express cut off the path under which the middleware is mounted. */
  originalUrl?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The part of node:http's `ServerResponse` that is used. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  end(chunk?: string): unknown;
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

function requestOf({ method = "GET", url = "/", headers }: NodeRequest, signal: AbortSignal): HandlerRequest {
  const get = (name: string): string | null => {
    const value = headers[name];
    return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
  };
  return { method, url: urlOf(url), headers: { get }, signal };
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
async function send(body: ReadableStream<Uint8Array>, response: NodeResponse): Promise<void> {
  const reader = body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (response.destroyed) return reader.cancel();
    if (!response.write(read.value)) await drained(response);
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
  const respond = async (...[request, response, next]: Parameters<NodeListener>): Promise<void> => {
    const location = mountRedirect(request);
    if (location !== undefined) {
      response.writeHead(301, { location, "content-length": "0" });
      response.end();
      return;
    }
    const aborted = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) aborted.abort();
    });
    const { status, headers, body } = await handler(requestOf(request, aborted.signal));
    if (next !== undefined && OTHERS.includes(status)) {
      await body?.cancel();
      next();
      return;
    }
    const fields: Record<string, string> = {};
    headers.forEach((value, name) => {
      fields[name] = value;
    });
    response.writeHead(status, fields);
    if (body !== null) await send(body, response);
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

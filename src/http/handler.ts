/**
 * Serves an image over HTTP (RFC 9110): a function from a `Request` to a `Response`, as Deno, Bun, workers, service
 * workers and Hono call it. `node.ts` makes a listener for Node of it.
 */
import { invalid, shown } from "../arguments.js";
import { DocteurError, type ErrorCode } from "../errors.js";
import { allowsRange, evaluate, type Fields } from "./conditions.js";
import { type Body, partOf, partsOf } from "./content.js";
import { allowOrigin, allowRequest, METHODS } from "./cors.js";
import { formatDate } from "./http-date.js";
import { LISTING_POLICY, listingOf } from "./listing.js";
import { type Found, isFile, locate, look, negotiate, type ServedVolume, type Variant } from "./locate.js";
import { mediaType } from "./media-types.js";
import { type HandlerOptions, type Settings, settingsOf } from "./options.js";
import { contentRange, parseRanges } from "./ranges.js";
import { decodeNames, encodeName, PATH_MAX, type RequestPath, underBase } from "./request-path.js";

/** The part of a `Request` that a handler reads. */
export interface HandlerRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: Fields;
  readonly signal?: AbortSignal | undefined;
}

/** Answers requests. It never rejects. */
export type Handler = (request: HandlerRequest) => Promise<Response>;

/** A volume, or a function that gives the one to be served, as it is when a request comes. */
export type VolumeSource = ServedVolume | (() => ServedVolume | Promise<ServedVolume>);

/** An answer on its way. */
interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

/** A request, and what it is answered from. */
interface Task {
  request: HandlerRequest;
  /** The path of the URL, with the base, and the one of the image. */
  full: RequestPath;
  path: RequestPath;
  search: string;
  volume: ServedVolume;
  settings: Settings;
}

/** Errors after which a later try may succeed. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["Io", "Network", "AccessDenied", "DeviceFailed", "Closed", "ImageChanged", "OutOfMemory"] as const),
]);

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  412: "Precondition Failed",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * An option of `Response` in workerd, which otherwise encodes a body anew if it has the field `Content-Encoding`. Others
 * ignore it.
 */
const AS_IT_IS: object = { encodeBody: "manual" };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** An answer that says its status and nothing else. */
function plain(status: number, fields: Record<string, string> = {}): Answer {
  const body = `${status} ${PHRASES[status]}\n`;
  const headers = new Headers({
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-cache",
    ...fields,
  });
  return { status, headers, body };
}

/** Seconds of the commit's date, not after now (RFC 9110, section 8.8.2.1); undefined if it says nothing. */
function lastModified({ commit }: ServedVolume, settings: Settings): number | undefined {
  const seconds = Math.floor((commit.date?.getTime() ?? 0) / 1000);
  const now = Math.floor(Date.now() / 1000);
  // Images that are to be made again byte for byte often have a date of zero.
  return settings.lastModified && seconds > 0 ? Math.min(seconds, now) : undefined;
}

/** Header fields of a file or a listing that go with status 304, too. */
function validatorFields(
  task: Task,
  etag: string,
  path: string,
): { headers: Headers; since: number | undefined } {
  const { settings, volume } = task;
  const headers = new Headers({ etag });
  const since = lastModified(volume, settings);
  const date = since === undefined ? undefined : formatDate(since);
  if (date !== undefined) headers.set("last-modified", date);
  const cacheControl = settings.cacheControl(path);
  if (cacheControl !== undefined) headers.set("cache-control", cacheControl);
  return { headers, since: date === undefined ? undefined : since };
}

/** Answers with a file that was found, whole or in part. */
async function answerFile(task: Task, found: Found): Promise<Answer> {
  const { request, volume, settings } = task;
  const { signal } = request;
  const unchosen: Variant = { ...found, coding: undefined, isNegotiated: false };
  const acceptEncoding = request.headers.get("accept-encoding");
  const variant = settings.precompressed ? await negotiate(volume, found, acceptEncoding, signal) : unchosen;
  const size = variant.entry.size!;
  const etag = `"${variant.entry.oid}"`;
  const path = decoder.decode(found.path);
  const { headers, since } = validatorFields(task, etag, path);
  if (variant.isNegotiated) headers.append("vary", "Accept-Encoding");
  headers.set("accept-ranges", "bytes");
  const status = evaluate(request.headers, { etag, lastModified: since });
  if (status === 412) return plain(412);
  if (status === 304) return { status, headers, body: null };
  const type = mediaType(path, settings);
  headers.set("content-type", type);
  if (variant.coding !== undefined) headers.set("content-encoding", variant.coding);
  const ranges = rangesOf(request, etag, size);
  if (ranges === 416) return plain(416, { "content-range": `bytes */${size}`, "accept-ranges": "bytes" });
  if (ranges === undefined) {
    headers.set("content-length", String(size));
    const isEmpty = request.method === "HEAD" || size === 0;
    const body = isEmpty ? null : await partOf(volume, variant, { first: 0, last: size - 1 }, signal);
    return { status: 200, headers, body };
  }
  const [range, second] = ranges;
  if (second === undefined) {
    headers.set("content-range", contentRange(range!, size));
    headers.set("content-length", String(range!.last - range!.first + 1));
    return { status: 206, headers, body: await partOf(volume, variant, range!, signal) };
  }
  const parts = await partsOf(volume, variant, ranges, { type, signal });
  headers.set("content-type", parts.type);
  headers.set("content-length", String(parts.length));
  return { status: 206, headers, body: parts.body };
}

/** The ranges that a request asks for: only GET has any (RFC 9110, section 14.2). */
function rangesOf(request: HandlerRequest, etag: string, size: number): ReturnType<typeof parseRanges> {
  const range = request.method === "GET" ? request.headers.get("range") : null;
  return range !== null && allowsRange(request.headers, etag) ? parseRanges(range, size) : undefined;
}

async function answerListing(task: Task, { path, entry }: Found): Promise<Answer> {
  const { request, full, volume, settings } = task;
  // Weak: another release of this package may write the page otherwise.
  const etag = `W/"${entry.oid}"`;
  const { headers, since } = validatorFields(task, etag, decoder.decode(path));
  const status = evaluate(request.headers, { etag, lastModified: since });
  if (status === 412) return plain(412);
  if (status === 304) return { status, headers, body: null };
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-security-policy", LISTING_POLICY);
  const isHead = request.method === "HEAD";
  const body = isHead ? null : await listingOf(volume, full.names, path, settings, request.signal);
  return { status: 200, headers, body };
}

/**
 * Leads to a directory's path with a slash. The address is relative, so that it leads to no other origin, and holds
 * under whatever path a proxy has this handler.
 */
function redirectToFolder({ full, search }: Pick<Task, "full" | "search">): Answer {
  const location = `./${encodeName(full.names.at(-1)!)}/${search}`;
  const headers = new Headers({ location, "content-length": "0", "cache-control": "no-cache" });
  return { status: 301, headers, body: null };
}

/** Answers that there is nothing, by the image's own page if it has one. */
async function answerNothing({ request, volume, settings }: Task): Promise<Answer> {
  const { notFound } = settings;
  const { signal } = request;
  const entry = notFound === undefined ? undefined : await look(volume, notFound, signal);
  if (notFound === undefined || entry === undefined || !isFile(entry)) return plain(404);
  const path = new TextEncoder().encode(notFound);
  const size = entry.size!;
  const headers = new Headers({
    "content-type": mediaType(notFound, settings),
    "content-length": String(size),
    "cache-control": "no-cache",
  });
  const range = { first: 0, last: size - 1 };
  const isEmpty = request.method === "HEAD" || size === 0;
  const body = isEmpty ? null : await partOf(volume, { path, entry }, range, signal);
  return { status: 404, headers, body };
}

/** The path of a request; a status if it is refused. */
function pathOf(url: URL): RequestPath | 400 | 414 {
  const { pathname } = url;
  // A byte takes three characters at most.
  if (pathname.length > 3 * PATH_MAX) return 414;
  const names = decodeNames(pathname);
  return names === undefined ? 400 : { names, isFolder: pathname.endsWith("/") };
}

async function answer(request: HandlerRequest, source: VolumeSource, settings: Settings): Promise<Answer> {
  const { method, signal } = request;
  if (method === "OPTIONS") {
    const headers = new Headers({ allow: METHODS, "content-length": "0" });
    allowRequest(headers, request.headers, settings);
    return { status: 204, headers, body: null };
  }
  if (method !== "GET" && method !== "HEAD") return plain(405, { allow: METHODS });
  if (!URL.canParse(request.url)) return plain(400);
  const url = new URL(request.url);
  const full = pathOf(url);
  if (typeof full === "number") return plain(full);
  const volume = typeof source === "function" ? await source() : source;
  const names = underBase(full.names, settings.base);
  if (names === undefined) return plain(404);
  const path = { ...full, names };
  const task: Task = { request, full, path, search: url.search, volume, settings };
  const isBare = names.length === 0 && full.names.length > 0 && !full.isFolder;
  const place = isBare ? ({ kind: "redirect" } as const) : await locate(volume, path, settings, signal);
  if (place === undefined) return answerNothing(task);
  if (place.kind === "redirect") return redirectToFolder(task);
  return place.kind === "listing" ? answerListing(task, place) : answerFile(task, place);
}

/** The answer to a request that failed. */
function answerError(error: unknown, { onError }: Settings): Answer {
  onError(error);
  return plain(error instanceof DocteurError && PASSING.has(error.code) ? 503 : 500);
}

function checkSource(source: unknown): void {
  const { stat, stream } = (source ?? {}) as Partial<ServedVolume>;
  if (typeof source === "function" || (typeof stat === "function" && typeof stream === "function")) return;
  throw invalid(
    `createHandler takes a volume or a function that gives one, not ${shown(source)}`,
    "open(…) gives a volume, once it has been awaited",
  );
}

/**
 * Makes a handler that serves an image's files.
 *
 * It answers GET, HEAD and OPTIONS (RFC 9110, section 9.3). A file's strong ETag is its git object id. Conditional
 * requests (section 13), ranges and several ranges (section 14), and encoded files beside others (section 12.5.3) are
 * answered as the standard says. Symbolic links are followed, never out of the image. Content is read as the client
 * takes it; `request.signal` ends the work.
 *
 * @param source a volume of `open`, or a function that gives one, to change what is served while it is served
 * @param options the base path, index files, listings, and header fields
 * @throws DocteurError `InvalidArgument`. The handler itself never rejects: damage is answered with status 500, a
 *   failing device with 503, and `onError` is told
 * @example Deno.serve(createHandler(await open("site.img"), { listing: true }));
 */
export function createHandler(source: VolumeSource, options?: HandlerOptions): Handler {
  checkSource(source);
  const settings = settingsOf(options);
  return async (request) => {
    let found: Answer;
    try {
      found = await answer(request, source, settings);
    } catch (error) {
      // Of an aborted request, nobody reads the answer.
      found = request.signal?.aborted ? plain(503) : answerError(error, settings);
    }
    const { status, headers, body } = found;
    if (!headers.has("x-content-type-options")) headers.set("x-content-type-options", "nosniff");
    allowOrigin(headers, request.headers, settings);
    for (const [name, value] of Object.entries(settings.headers))
      if (name.toLowerCase() === "vary") headers.append(name, value);
      else headers.set(name, value);
    return new Response(request.method === "HEAD" ? null : body, { status, headers, ...AS_IT_IS });
  };
}

/**
 * Serves an image over HTTP (RFC 9110): a function from a `Request` to a `Response`, as Deno, Bun, workers, service
 * workers and Hono call it. `node.ts` makes a listener for Node of it.
 */
import { invalid, shown } from "../arguments.js";
import { DocteurError, type ErrorCode } from "../errors.js";
import { type Answer, type AnswerFields, addToField, isChunks, plain } from "./answer.js";
import { allowsRange, evaluate, type Fields } from "./conditions.js";
import { type Chunks, partOf, partsOf, streamOf } from "./content.js";
import { allowOrigin, allowRequest, METHODS } from "./cors.js";
import { HotFiles, type HotPlace } from "./hot-files.js";
import { formatDate } from "./http-date.js";
import { LISTING_POLICY, listingOf } from "./listing.js";
import {
  type Beside,
  type Found,
  isFile,
  locate,
  look,
  lookBeside,
  negotiate,
  type ServedVolume,
} from "./locate.js";
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
  /** The content of the request; only WebDAV reads any. */
  readonly body?: ReadableStream<Uint8Array> | null | undefined;
}

/** Answers requests. It never rejects. */
export type Handler = (request: HandlerRequest) => Promise<Response>;

/** A volume, or a function that gives the one to be served, as it is when a request comes. */
export type VolumeSource = ServedVolume | (() => ServedVolume | Promise<ServedVolume>);

/** A request, and what it is answered from. */
export interface Task {
  request: HandlerRequest;
  volume: ServedVolume;
  settings: Settings;
  hot: HotFiles | undefined;
}

/** A request whose path was read. */
export interface PathTask extends Task {
  /** The path of the URL, with the base, and the one of the image. */
  full: RequestPath;
  path: RequestPath;
  search: string;
}

/** Methods beside those that every handler answers. */
export interface MoreMethods {
  /** The field `Allow`, with all methods. */
  allow: string;
  /** More fields of the answer to OPTIONS. */
  options: AnswerFields;
  /** Answers any method other than GET, HEAD and OPTIONS. */
  answer(task: PathTask): Promise<Answer>;
}

/** Errors after which a later try may succeed. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["Io", "Network", "AccessDenied", "DeviceFailed", "Closed", "ImageChanged", "OutOfMemory"] as const),
]);

/**
 * An option of `Response` in workerd, which otherwise encodes a body anew if it has the field `Content-Encoding`. Others
 * ignore it.
 */
const AS_IT_IS: object = { encodeBody: "manual" };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Seconds of the commit's date, not after now (RFC 9110, section 8.8.2.1); undefined if it says nothing. */
export function lastModified({ commit }: ServedVolume, settings: Settings): number | undefined {
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
): { fields: AnswerFields; since: number | undefined } {
  const { settings, volume } = task;
  const fields: AnswerFields = { etag };
  const since = lastModified(volume, settings);
  const date = since === undefined ? undefined : formatDate(since);
  if (date !== undefined) fields["last-modified"] = date;
  const cacheControl = settings.cacheControl(path);
  if (cacheControl !== undefined) fields["cache-control"] = cacheControl;
  return { fields, since: date === undefined ? undefined : since };
}

/** Answers with a file that was found, whole or in part. */
async function answerFile(task: Task, { found, beside, path }: HotPlace): Promise<Answer> {
  const { request, volume, settings, hot } = task;
  const variant = negotiate(found, beside, request.headers.get("accept-encoding"));
  const size = variant.entry.size!;
  const etag = `"${variant.entry.oid}"`;
  const { fields, since } = validatorFields(task, etag, path);
  if (beside.size > 0) addToField(fields, "vary", "Accept-Encoding");
  fields["accept-ranges"] = "bytes";
  const status = evaluate(request.headers, { etag, lastModified: since });
  if (status === 412) return plain(412);
  if (status === 304) return { status, fields, body: null };
  const type = mediaType(path, settings);
  fields["content-type"] = type;
  if (variant.coding !== undefined) fields["content-encoding"] = variant.coding;
  const ranges = rangesOf(request, etag, size);
  if (ranges === 416) return plain(416, { "content-range": `bytes */${size}`, "accept-ranges": "bytes" });
  const known = hot?.content(variant.entry.oid);
  if (ranges === undefined) {
    fields["content-length"] = String(size);
    const isEmpty = request.method === "HEAD" || size === 0;
    const all = { first: 0, last: size - 1 };
    const body = isEmpty ? null : (known ?? (await partOf(volume, variant, all, request.signal, hot)));
    return { status: 200, fields, body };
  }
  const [range, second] = ranges;
  if (second === undefined) {
    fields["content-range"] = contentRange(range!, size);
    fields["content-length"] = String(range!.last - range!.first + 1);
    const body =
      known?.subarray(range!.first, range!.last + 1) ??
      (await partOf(volume, variant, range!, request.signal));
    return { status: 206, fields, body };
  }
  const parts = await partsOf(volume, variant, ranges, { type, signal: request.signal });
  fields["content-type"] = parts.type;
  fields["content-length"] = String(parts.length);
  return { status: 206, fields, body: parts.body };
}

/** The ranges that a request asks for: only GET has any (RFC 9110, section 14.2). */
function rangesOf(request: HandlerRequest, etag: string, size: number): ReturnType<typeof parseRanges> {
  const range = request.method === "GET" ? request.headers.get("range") : null;
  return range !== null && allowsRange(request.headers, etag) ? parseRanges(range, size) : undefined;
}

async function answerListing(task: PathTask, { path, entry }: Found): Promise<Answer> {
  const { request, full, volume, settings } = task;
  // Weak: another release of this package may write the page otherwise.
  const etag = `W/"${entry.oid}"`;
  const { fields, since } = validatorFields(task, etag, decoder.decode(path));
  const status = evaluate(request.headers, { etag, lastModified: since });
  if (status === 412) return plain(412);
  if (status === 304) return { status, fields, body: null };
  fields["content-type"] = "text/html; charset=utf-8";
  fields["content-security-policy"] = LISTING_POLICY;
  const isHead = request.method === "HEAD";
  const body = isHead ? null : await listingOf(volume, full.names, path, settings, request.signal);
  return { status: 200, fields, body };
}

/**
 * Leads to a directory's path with a slash. The address is relative, so that it leads to no other origin, and holds
 * under whatever path a proxy has this handler.
 */
function redirectToFolder({ full, search }: Pick<PathTask, "full" | "search">): Answer {
  const location = `./${encodeName(full.names.at(-1)!)}/${search}`;
  const fields = { location, "content-length": "0", "cache-control": "no-cache" };
  return { status: 301, fields, body: null };
}

/** Answers that there is nothing, by the image's own page if it has one. */
async function answerNothing({ request, volume, settings }: Task): Promise<Answer> {
  const { notFound } = settings;
  const { signal } = request;
  const entry = notFound === undefined ? undefined : await look(volume, notFound, signal);
  if (notFound === undefined || entry === undefined || !isFile(entry)) return plain(404);
  const path = new TextEncoder().encode(notFound);
  const size = entry.size!;
  const fields = {
    "content-type": mediaType(notFound, settings),
    "content-length": String(size),
    "cache-control": "no-cache",
  };
  const range = { first: 0, last: size - 1 };
  const isEmpty = request.method === "HEAD" || size === 0;
  const body = isEmpty ? null : await partOf(volume, { path, entry }, range, signal);
  return { status: 404, fields, body };
}

/** The path of a request; a status if it is refused. */
function pathOf(url: URL): RequestPath | 400 | 414 {
  const { pathname } = url;
  // A byte takes three characters at most.
  if (pathname.length > 3 * PATH_MAX) return 414;
  const names = decodeNames(pathname);
  return names === undefined ? 400 : { names, isFolder: pathname.endsWith("/") };
}

/** The part of a URL that its path follows from: one text always stands for one path. */
function keyOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/** Answers GET and HEAD. */
async function answerGet(task: PathTask, key: string): Promise<Answer> {
  const { request, full, path, volume, settings, hot } = task;
  const { signal } = request;
  const isBare = path.names.length === 0 && full.names.length > 0 && !full.isFolder;
  const place = isBare ? ({ kind: "redirect" } as const) : await locate(volume, path, settings, signal);
  if (place === undefined) return answerNothing(task);
  if (place.kind === "redirect") return redirectToFolder(task);
  if (place.kind === "listing") return answerListing(task, place);
  const found = { path: place.path, entry: place.entry };
  const beside: Beside = settings.precompressed ? await lookBeside(volume, found, signal) : new Map();
  const file = { found, beside, path: decoder.decode(found.path) };
  hot?.keepPlace(key, file);
  return answerFile(task, file);
}

/** What a handler works with. */
interface Site {
  source: VolumeSource;
  settings: Settings;
  methods: MoreMethods | undefined;
  /** What is remembered of each image, for as long as the image is in use. */
  hot: WeakMap<ServedVolume, HotFiles>;
}

function hotFilesOf({ hot, settings }: Site, volume: ServedVolume): HotFiles | undefined {
  if (settings.cacheSize === 0) return undefined;
  let files = hot.get(volume);
  if (files === undefined) {
    files = new HotFiles(settings.cacheSize);
    hot.set(volume, files);
  }
  return files;
}

async function answer(request: HandlerRequest, site: Site): Promise<Answer> {
  const { source, settings, methods } = site;
  const { method, url: address } = request;
  const allow = methods?.allow ?? METHODS;
  if (method === "OPTIONS") {
    const fields: AnswerFields = { allow, "content-length": "0", ...methods?.options };
    allowRequest(fields, request.headers, settings);
    return { status: methods === undefined ? 204 : 200, fields, body: null };
  }
  const isGet = method === "GET" || method === "HEAD";
  if (!isGet && methods === undefined) return plain(405, { allow });
  const given = typeof source === "function" ? source() : source;
  const volume = given instanceof Promise ? await given : given;
  const hot = hotFilesOf(site, volume);
  const key = keyOf(address);
  const known = isGet ? hot?.place(key) : undefined;
  if (known !== undefined) return answerFile({ request, volume, settings, hot }, known);
  if (!URL.canParse(address)) return plain(400);
  const url = new URL(address);
  const full = pathOf(url);
  if (typeof full === "number") return plain(full);
  const names = underBase(full.names, settings.base);
  if (names === undefined) return plain(404);
  const path = { ...full, names };
  const task: PathTask = { request, full, path, search: url.search, volume, settings, hot };
  return isGet ? answerGet(task, key) : methods!.answer(task);
}

/** The answer to a request that failed. */
function answerError(error: unknown, { onError }: Settings): Answer {
  onError(error);
  return plain(error instanceof DocteurError && PASSING.has(error.code) ? 503 : 500);
}

function checkSource(name: string, source: unknown): void {
  const { stat, stream } = (source ?? {}) as Partial<ServedVolume>;
  if (typeof source === "function" || (typeof stat === "function" && typeof stream === "function")) return;
  throw invalid(
    `${name} takes a volume or a function that gives one, not ${shown(source)}`,
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
  return handlerOf("createHandler", source, options);
}

/** Content whose errors are told: the answer has begun, so that no status can tell of them. */
function watched(body: Chunks, { signal }: HandlerRequest, { onError }: Settings): Chunks {
  return {
    next: async () => {
      try {
        return await body.next();
      } catch (error) {
        if (signal?.aborted !== true) onError(error);
        throw error;
      }
    },
    return: async () => (await body.return?.()) ?? { done: true, value: undefined },
  };
}

/** How node:http gets answers without a `Response`, by handler. */
const responders = new WeakMap<Handler, Responder>();

/** Gives an answer. It never rejects. */
export type Responder = (request: HandlerRequest) => Promise<Answer>;

/** The responder of a handler; undefined for a function that none of ours has made. */
export function responderOf(handler: Handler): Responder | undefined {
  return responders.get(handler);
}

/** Makes a handler, which answers more methods if they are given. @param name the function that is called */
export function handlerOf(
  name: string,
  source: VolumeSource,
  options: HandlerOptions | undefined,
  methods?: MoreMethods,
): Handler {
  checkSource(name, source);
  const settings = settingsOf(options, name);
  const site: Site = { source, settings, methods, hot: new WeakMap() };
  const respond: Responder = async (request) => {
    let found: Answer;
    try {
      found = await answer(request, site);
    } catch (error) {
      // Of an aborted request, nobody reads the answer.
      found = request.signal?.aborted ? plain(503) : answerError(error, settings);
    }
    const { fields } = found;
    fields["x-content-type-options"] ??= "nosniff";
    allowOrigin(fields, request.headers, settings);
    for (const [field, value] of settings.headers)
      if (field === "vary") addToField(fields, field, value);
      else fields[field] = value;
    if (request.method === "HEAD") found.body = null;
    else if (isChunks(found.body)) found.body = watched(found.body, request, settings);
    return found;
  };
  const handler: Handler = async (request) => {
    const { status, fields, body } = await respond(request);
    const content = isChunks(body) ? streamOf(body) : body;
    return new Response(content, { status, headers: fields, ...AS_IT_IS });
  };
  responders.set(handler, respond);
  return handler;
}

/** PROPFIND (RFC 4918, section 9.1): the properties of a file, of a directory, or of all that is in it. */
import { type Answer, plain } from "../http/answer.js";
import { begun, encodedText } from "../http/content.js";
import { lastModified, type PathTask } from "../http/handler.js";
import { formatDate } from "../http/http-date.js";
import { isFile, isHidden, look } from "../http/locate.js";
import { mediaType } from "../http/media-types.js";
import { encodeName, joinNames } from "../http/request-path.js";
import type { Entry } from "../index.js";
import { Answerer, type Resource, type Surroundings } from "./properties.js";
import { BadBody, BODY_MAX, parseBody, type Query } from "./request-body.js";

const HEAD = '<?xml version="1.0" encoding="utf-8"?>\n';
const XML_TYPE = "application/xml; charset=utf-8";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The answer to Depth: infinity, with the condition that says why (section 9.1.1). */
function refuseInfinity(): Answer {
  const body = `${HEAD}<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n`;
  const fields = {
    "content-type": XML_TYPE,
    "content-length": String(body.length),
    "cache-control": "no-cache",
  };
  return { status: 403, fields, body };
}

/** Reads a body. @returns undefined if it is longer than any may be */
async function readBody(body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  const reader = body.getReader();
  const bytes = new Uint8Array(BODY_MAX);
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    // The rest is not read. To cancel it would break the connection before the answer is sent.
    if (length + read.value.length > BODY_MAX) return undefined;
    bytes.set(read.value, length);
    length += read.value.length;
  }
  return bytes.subarray(0, length);
}

/** What a request asks for; a status if it is refused. */
async function queryOf({ headers, body }: PathTask["request"]): Promise<Query | 400 | 413> {
  if (Number(headers.get("content-length") ?? 0) > BODY_MAX) return 413;
  const bytes = body == null ? new Uint8Array(0) : await readBody(body);
  if (bytes === undefined) return 413;
  try {
    return parseBody(bytes);
  } catch (error) {
    if (error instanceof BadBody) return 400;
    throw error;
  }
}

/** The entry that a client sees in place of one of a directory; undefined for one that it does not see. */
async function seen(task: PathTask, entry: Entry): Promise<Entry | undefined> {
  if (isHidden(entry.nameBytes, task.settings)) return undefined;
  if (entry.kind !== "symlink") return isSeen(entry) ? entry : undefined;
  const target = await look(task.volume, entry.pathBytes, task.request.signal);
  return target !== undefined && isSeen(target) ? target : undefined;
}

function isSeen(entry: Entry): boolean {
  return isFile(entry) || entry.kind === "directory";
}

/** The `response` elements of a directory's entries, one at a time. */
async function* responsesIn(
  task: PathTask,
  path: Uint8Array,
  href: string,
  answerer: Answerer,
): AsyncGenerator<string, void, undefined> {
  const { volume, request } = task;
  for await (const entry of volume.entries(path, { follow: true, sizes: true, signal: request.signal })) {
    const target = await seen(task, entry);
    if (target === undefined) continue;
    const slash = target.kind === "directory" ? "/" : "";
    yield answerer.response({
      entry: target,
      href: `${href}${encodeName(entry.nameBytes)}${slash}`,
      name: entry.name,
    });
  }
}

function surroundingsOf({ volume, settings }: PathTask): Surroundings {
  const seconds = lastModified(volume, settings);
  const field = seconds === undefined ? undefined : formatDate(seconds);
  return {
    typeOf: (path) => mediaType(path, settings),
    modified:
      field === undefined
        ? undefined
        : { field, time: new Date(seconds! * 1000).toISOString().replace(".000", "") },
  };
}

/** Answers a PROPFIND. What it answers is sent as the directory is read. */
export async function propfind(task: PathTask): Promise<Answer> {
  const { request, volume, settings, full, path } = task;
  const depth = (request.headers.get("depth") ?? "infinity").trim().toLowerCase();
  if (depth !== "0" && depth !== "1" && depth !== "infinity") return plain(400);
  const query = await queryOf(request);
  if (typeof query === "number") return plain(query);
  if (depth === "infinity") return refuseInfinity();
  const { names } = path;
  const at = joinNames(names);
  const isVisible = !names.some((name) => isHidden(name, settings));
  const entry = isVisible ? await look(volume, at, request.signal) : undefined;
  if (entry === undefined || !isSeen(entry) || (full.isFolder && isFile(entry))) return plain(404);
  const isFolder = entry.kind === "directory";
  const encoded = full.names.map((name) => `/${encodeName(name)}`).join("");
  const href = isFolder ? `${encoded}/` : encoded;
  const top: Resource = { entry, href, name: decoder.decode(names.at(-1) ?? new Uint8Array(0)) };
  const answerer = new Answerer(query, surroundingsOf(task));
  const pieces = async function* (): AsyncGenerator<string, void, undefined> {
    yield `${HEAD}<D:multistatus xmlns:D="DAV:">\n${answerer.response(top)}`;
    if (isFolder && depth === "1") yield* responsesIn(task, at, href, answerer);
    yield "</D:multistatus>\n";
  };
  const fields: Record<string, string> = { "content-type": XML_TYPE, "cache-control": "no-cache" };
  // A directory's URL ends in a slash. Clients may leave it out (section 5.2).
  if (isFolder && !full.isFolder && full.names.length > 0) fields["content-location"] = href;
  return { status: 207, fields, body: await begun(encodedText(pieces())) };
}

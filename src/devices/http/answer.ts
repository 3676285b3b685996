/** Answers of HTTP servers: what part of which version they hold, and their bodies, no byte more or less. */
import { TransientError } from "../range-source.js";
import { fetchError, httpError } from "./failures.js";

/** What tells one version of a file from another. */
export interface Version {
  etag: string | undefined;
  lastModified: string | undefined;
  /** Bytes of the whole. */
  size: number;
}

/** A part of a file, as `Content-Range` has it. */
export interface ContentRange {
  first: number;
  last: number;
  /** Bytes of the whole; undefined where the server does not know. */
  size: number | undefined;
}

/** An ETag that vouches for every byte (RFC 9110, section 8.8.3); undefined for any other. */
export function strongTag(etag: string | undefined): string | undefined {
  return etag?.startsWith('"') && etag.endsWith('"') && etag.length > 2 ? etag : undefined;
}

/** The version that an answer is of. @param size bytes of the whole */
export function versionOf(response: Response, size: number): Version {
  const { headers } = response;
  return {
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
    size,
  };
}

/** How two versions differ, in words for people; undefined where they do not. */
export function difference(before: Version, now: Version): string | undefined {
  if (now.size !== before.size) return `${now.size} bytes, not ${before.size}`;
  if (now.etag !== before.etag) return "it has another ETag";
  // Machines that share a strong ETag may differ in the date.
  if (strongTag(before.etag) === undefined && now.lastModified !== before.lastModified)
    return "it has another date (Last-Modified)";
  return undefined;
}

/** @throws DocteurError `Io` for a body that is compressed, multiple, or not said to be a range */
export function contentRange(name: string, response: Response): ContentRange {
  const { headers } = response;
  const encoding = headers.get("content-encoding")?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== "" && encoding !== "identity")
    throw httpError("Io", name, "the server compresses the image on its way (Content-Encoding)", {
      hint: "switch compression off for this file: ranges of compressed bytes are of no use",
    });
  const text = headers.get("content-range");
  if (text === null)
    throw httpError("Io", name, "the server answers a range without Content-Range", {
      hint: "to pages of other origins it must send Access-Control-Expose-Headers: Content-Range, ETag",
    });
  const [, first, last, size] =
    /^bytes ([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16}|\*)$/.exec(text.trim()) ?? [];
  const range = { first: Number(first), last: Number(last), size: size === "*" ? undefined : Number(size) };
  if (size === undefined || range.last < range.first || range.last >= (range.size ?? Number.MAX_SAFE_INTEGER))
    throw httpError("Io", name, "the server sends a malformed Content-Range");
  return range;
}

/** Gives up a body that nobody reads, so that its connection is free. */
export function dropBody(response: Response): void {
  // A body that has failed, or that somebody reads, cannot be cancelled, and need not be.
  response.body?.cancel().catch(() => undefined);
}

/**
 * Reads a body, part by part.
 * @param most bytes
 * @param take is given each part
 * @returns how many bytes it has; undefined where they are more than `most`: the rest is not read
 * @throws what `fetchError` makes of a body that breaks off
 */
async function eachPart(
  name: string,
  response: Response,
  most: number,
  take: (part: Uint8Array) => void,
): Promise<number | undefined> {
  let length = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return length;
      length += value.length;
      if (length > most) {
        reader?.cancel().catch(() => undefined);
        return undefined;
      }
      take(value);
    }
  } catch (error) {
    throw fetchError(name, error);
  }
}

/**
 * Reads a body.
 * @param most bytes
 * @returns its bytes; undefined where they are more than `most`: the rest is not read
 * @throws what `fetchError` makes of a body that breaks off
 */
export async function readBody(
  name: string,
  response: Response,
  most: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  const length = await eachPart(name, response, most, (part) => parts.push(part));
  if (length === undefined) return undefined;
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Reads the body of a range, part by part.
 * @param length the bytes that it must have
 * @param take is given each part
 * @throws TransientError where it ends early; DocteurError `Io` where it goes on
 */
export async function readRangeParts(
  name: string,
  response: Response,
  length: number,
  take: (part: Uint8Array) => void,
): Promise<void> {
  checkLength(name, await eachPart(name, response, length, take), length);
}

/**
 * Reads the body of a range.
 * @param length the bytes that it must have
 * @throws TransientError where it ends early; DocteurError `Io` where it goes on
 */
export async function readRange(name: string, response: Response, length: number): Promise<Uint8Array> {
  const bytes = await readBody(name, response, length);
  checkLength(name, bytes?.length, length);
  return bytes!;
}

/** @param got bytes that a body has; undefined where they are more than `length` */
function checkLength(name: string, got: number | undefined, length: number): void {
  if (got === undefined)
    throw httpError("Io", name, `the server sends more than the ${length} bytes that it announces`);
  if (got < length) throw new TransientError(`the connection ended after ${got} of ${length} bytes`);
}

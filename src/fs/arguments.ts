/** Arguments of Node's `fs`, and its errors for wrong ones. */

import { O } from "./constants.js";
import { encodingOf } from "./encoding.js";
import { abortError, invalidType, invalidValue, nodeError, outOfRange } from "./errors.js";

/** A path in bytes, and as errors show it. */
export interface Place {
  bytes: Uint8Array;
  text: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

interface UrlLike {
  href: string;
  protocol: string;
  hostname: string;
  pathname: string;
}

function isUrl(value: unknown): value is UrlLike {
  const { href, protocol, auth, path } = (value ?? {}) as Record<string, unknown>;
  return Boolean(href) && Boolean(protocol) && auth === undefined && path === undefined;
}

/** The path of a `file:` URL, by the rules of POSIX systems. */
function pathOfUrl({ protocol, hostname, pathname }: UrlLike): string {
  if (protocol !== "file:")
    throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
  if (hostname !== "") {
    const message = 'File URL host must be "localhost" or empty on linux';
    throw nodeError(TypeError, "ERR_INVALID_FILE_URL_HOST", message);
  }
  if (/%2f/i.test(pathname)) {
    const message = "File URL path must not include encoded / characters";
    throw nodeError(TypeError, "ERR_INVALID_FILE_URL_PATH", message);
  }
  return decodeURIComponent(pathname);
}

/** A path of any form. @throws Node's errors */
export function placeOf(given: unknown, name = "path"): Place {
  const path = isUrl(given) ? pathOfUrl(given) : given;
  const isString = typeof path === "string";
  if (!isString && !(path instanceof Uint8Array))
    throw invalidType(name, "of type string or an instance of Buffer or URL", path);
  const bytes = isString ? encoder.encode(path) : new Uint8Array(path);
  if (bytes.includes(0))
    throw invalidValue(name, "must be a string, Uint8Array, or URL without null bytes", path);
  return { bytes, text: isString ? path : decoder.decode(bytes) };
}

/** Options of any operation. */
export interface Options {
  encoding?: unknown;
  flag?: unknown;
  signal?: AbortSignal | undefined;
  [name: string]: unknown;
}

/** Options, or an encoding in their place. @throws Node's errors */
export function optionsOf(given: unknown): Options {
  if (given === undefined || given === null || typeof given === "function") return {};
  const options = typeof given === "string" ? { encoding: given } : given;
  if (typeof options !== "object")
    throw invalidType("options", "of type string or an instance of Object", options);
  const choice = options as Options;
  encodingOf(choice.encoding);
  const { signal } = choice;
  if (signal !== undefined && (typeof signal !== "object" || signal === null || !("aborted" in signal)))
    throw invalidType("options.signal", "an instance of AbortSignal", signal);
  return choice;
}

/** @throws an `AbortError` if the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** The whole number in a range. @throws Node's errors */
export function wholeOf(value: unknown, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
  return value;
}

/** A descriptor's number. */
export function fdOf(value: unknown): number {
  return wholeOf(value, "fd", 0, 0x7fffffff);
}

/** The flags of `open`, by their strings. */
const FLAGS: Readonly<Record<string, number>> = {
  r: O.O_RDONLY,
  rs: O.O_RDONLY | O.O_SYNC,
  sr: O.O_RDONLY | O.O_SYNC,
  "r+": O.O_RDWR,
  "rs+": O.O_RDWR | O.O_SYNC,
  "sr+": O.O_RDWR | O.O_SYNC,
  w: O.O_TRUNC | O.O_CREAT | O.O_WRONLY,
  wx: O.O_TRUNC | O.O_CREAT | O.O_WRONLY | O.O_EXCL,
  xw: O.O_TRUNC | O.O_CREAT | O.O_WRONLY | O.O_EXCL,
  "w+": O.O_TRUNC | O.O_CREAT | O.O_RDWR,
  "wx+": O.O_TRUNC | O.O_CREAT | O.O_RDWR | O.O_EXCL,
  "xw+": O.O_TRUNC | O.O_CREAT | O.O_RDWR | O.O_EXCL,
  a: O.O_APPEND | O.O_CREAT | O.O_WRONLY,
  ax: O.O_APPEND | O.O_CREAT | O.O_WRONLY | O.O_EXCL,
  xa: O.O_APPEND | O.O_CREAT | O.O_WRONLY | O.O_EXCL,
  as: O.O_APPEND | O.O_CREAT | O.O_WRONLY | O.O_SYNC,
  sa: O.O_APPEND | O.O_CREAT | O.O_WRONLY | O.O_SYNC,
  "a+": O.O_APPEND | O.O_CREAT | O.O_RDWR,
  "ax+": O.O_APPEND | O.O_CREAT | O.O_RDWR | O.O_EXCL,
  "xa+": O.O_APPEND | O.O_CREAT | O.O_RDWR | O.O_EXCL,
  "as+": O.O_APPEND | O.O_CREAT | O.O_RDWR | O.O_SYNC,
  "sa+": O.O_APPEND | O.O_CREAT | O.O_RDWR | O.O_SYNC,
};

/** The number that flags stand for. @throws Node's errors */
export function flagsOf(flags: unknown, name = "flags"): number {
  if (flags === undefined || flags === null) return O.O_RDONLY;
  if (typeof flags === "number") return wholeOf(flags, name, -0x80000000, 0x7fffffff);
  const known = typeof flags === "string" && Object.hasOwn(FLAGS, flags) ? FLAGS[flags] : undefined;
  if (known === undefined) throw invalidValue(name, "is invalid", flags);
  return known;
}

/** Memory that is read into: any view. @throws Node's errors */
export function viewOf(value: unknown, name = "buffer"): Uint8Array {
  if (!ArrayBuffer.isView(value))
    throw invalidType(name, "an instance of Buffer, TypedArray, or DataView", value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

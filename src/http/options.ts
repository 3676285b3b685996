/** Options of `createHandler`, and their checks. */
import {
  type Checks,
  checkOptions,
  invalid,
  isBoolean,
  isFunction,
  isOneOf,
  isString,
  isWhole,
  shown,
} from "../arguments.js";
import { decodeNames, type Names } from "./request-path.js";

/** How an image is served. */
export interface HandlerOptions {
  /** The path of URLs under which the image lies. Default: `/`. */
  base?: string | undefined;
  /** The file that stands for its directory. Default: `index.html`. False: none. */
  index?: string | false | undefined;
  /** Endings that a URL may leave out: `/about` is `about.html`. Default: `["html"]`. */
  extensions?: readonly string[] | undefined;
  /**
   * Lists directories that have no index file. `"names"` leaves sizes out: each size takes a read of the file's
   * header, which costs requests if the image is on a server. Default: false, such directories are not found.
   */
  listing?: boolean | "names" | undefined;
  /** Serves and lists names that begin with a dot. Default: false, except `.well-known`. */
  dotfiles?: boolean | undefined;
  /**
   * Serves `NAME.br`, `NAME.zst` or `NAME.gz` in place of NAME to clients that accept the encoding. Default: true.
   */
  precompressed?: boolean | undefined;
  /**
   * The `Cache-Control` field of files and listings, or a function that gives it for a path of the image. Default:
   * `no-cache`, clients ask each time whether their copy is current. False: none.
   */
  cacheControl?: string | false | ((path: string) => string | undefined) | undefined;
  /** Sends the commit's date as `Last-Modified`. Default: true, if the date is after 1970-01-01. */
  lastModified?: boolean | undefined;
  /** The file that is sent, with status 404, if there is nothing at a path. Default: `/404.html`. False: none. */
  notFound?: string | false | undefined;
  /** Origins whose scripts may read the answers: true for all. Default: none. */
  cors?: boolean | string | readonly string[] | undefined;
  /** Media types by a name's ending, before those of `mrmime`; by `""` of names without an ending. */
  types?: Readonly<Record<string, string>> | undefined;
  /** The charset of `text/*`. Default: `utf-8`. False: none. */
  charset?: string | false | undefined;
  /** More header fields of every answer, such as `Content-Security-Policy`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Bytes of memory, for each volume, in which the handler remembers small files and the paths that led to them.
   * Default: 16 MiB. 0: it remembers nothing.
   */
  cacheSize?: number | undefined;
  /**
   * Told of errors that are answered with status 500 or 503, or break content off: damage of the image, failures of its
   * device.
   */
  onError?: ((error: unknown) => void) | undefined;
}

const isStringOrFalse = (value: unknown): string | undefined =>
  value === false || typeof value === "string" ? undefined : "a string or false";

const isStrings = (value: unknown): string | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? undefined : "an array of strings";

const isRecord = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string")
    ? undefined
    : "an object of strings";

const either =
  (...checks: Checks[string][]) =>
  (value: unknown): string | undefined => {
    const expected = checks.map((check) => check(value));
    return expected.includes(undefined) ? undefined : expected.join(" or ");
  };

const HANDLER: Checks & Record<keyof HandlerOptions, Checks[string]> = {
  base: isString,
  index: isStringOrFalse,
  extensions: isStrings,
  listing: either(isBoolean, isOneOf("names")),
  dotfiles: isBoolean,
  precompressed: isBoolean,
  cacheControl: either(isStringOrFalse, isFunction),
  lastModified: isBoolean,
  notFound: isStringOrFalse,
  cors: either(isBoolean, isString, isStrings),
  types: isRecord,
  charset: isStringOrFalse,
  headers: isRecord,
  cacheSize: isWhole(0),
  onError: isFunction,
};

/** Options as the handler uses them. */
export interface Settings {
  base: Names;
  index: Uint8Array | undefined;
  /** With their dots. */
  extensions: readonly Uint8Array[];
  listing: boolean | "names";
  dotfiles: boolean;
  precompressed: boolean;
  cacheControl: (path: string) => string | undefined;
  lastModified: boolean;
  notFound: string | undefined;
  /** Origins; true for all. */
  cors: true | ReadonlySet<string> | undefined;
  types: ReadonlyMap<string, string>;
  charset: string | undefined;
  /** Names in small letters. */
  headers: readonly (readonly [name: string, value: string])[];
  cacheSize: number;
  onError: (error: unknown) => void;
}

const encoder = new TextEncoder();

/** @throws DocteurError `InvalidArgument` for a name or a value that no header field can have */
function checkHeaders(fields: Readonly<Record<string, string>>): void {
  try {
    new Headers(fields);
  } catch (cause) {
    throw invalid(`createHandler: not a header field: ${(cause as Error).message}`, undefined, cause);
  }
}

function baseOf(base: string): Names {
  const names = decodeNames(base);
  if (names === undefined) throw invalid(`createHandler: base: ${shown(base)} is not a path of a URL`);
  return names;
}

function originsOf(cors: HandlerOptions["cors"]): Settings["cors"] {
  if (cors === true || cors === "*") return true;
  if (cors === false || cors === undefined) return undefined;
  return new Set(typeof cors === "string" ? [cors] : cors);
}

/** Bytes that a handler remembers by default. */
const CACHE_SIZE = 16 << 20;

/** Checks options and fills in defaults. @param name the function that is called @throws DocteurError `InvalidArgument` */
export function settingsOf(given: HandlerOptions | undefined, name = "createHandler"): Settings {
  const options = checkOptions(name, given, HANDLER);
  const { cacheControl = "no-cache", charset = "utf-8", notFound = "/404.html", types = {} } = options;
  const { index = "index.html", extensions = ["html"], headers = {}, onError = () => undefined } = options;
  const cacheFields = typeof cacheControl === "string" ? { "cache-control": cacheControl } : {};
  checkHeaders({ ...headers, ...cacheFields });
  for (const type of Object.values(types)) checkHeaders({ "content-type": type });
  if (charset !== false) checkHeaders({ "content-type": charset });
  const lower = Object.entries(types).map(([ending, type]) => [
    ending.replace(/^\./, "").toLowerCase(),
    type,
  ]);
  return {
    base: baseOf(options.base ?? "/"),
    index: index === false ? undefined : encoder.encode(index),
    extensions: extensions.map((ending) => encoder.encode(`.${ending.replace(/^\./, "")}`)),
    listing: options.listing ?? false,
    dotfiles: options.dotfiles ?? false,
    precompressed: options.precompressed ?? true,
    cacheControl: typeof cacheControl === "function" ? cacheControl : () => cacheControl || undefined,
    lastModified: options.lastModified ?? true,
    notFound: notFound === false ? undefined : notFound,
    cors: originsOf(options.cors),
    types: new Map(lower as [string, string][]),
    charset: charset === false ? undefined : charset,
    headers: Object.entries(headers).map(([field, value]) => [field.toLowerCase(), value]),
    cacheSize: options.cacheSize ?? CACHE_SIZE,
    onError,
  };
}

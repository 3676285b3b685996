/**
 * From the path of a URL to names in the image (RFC 3986, sections 2.1 and 3.3). Names are bytes; percent-encoded
 * ones need not be UTF-8.
 */

/** The names of a path, in order. */
export type Names = readonly Uint8Array[];

/** The path of a request. */
export interface RequestPath {
  names: Names;
  /** Whether the path ends in a slash. */
  isFolder: boolean;
}

/** The most bytes of a path in an image (`Limit.PATH` in asm/base/limits.ts). */
export const PATH_MAX = 4096;

const encoder = new TextEncoder();
const SLASH = 0x2f;
const PERCENT = 0x25;

/** The value of a hexadecimal digit, or NaN. */
function digit(byte: number | undefined): number {
  return byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16);
}

/** The bytes of a segment; undefined if its percent-encoding is malformed. */
function decodeSegment(segment: string): Uint8Array | undefined {
  const raw = encoder.encode(segment);
  if (!segment.includes("%")) return raw;
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    let byte = raw[at]!;
    if (byte === PERCENT) {
      byte = digit(raw[at + 1]) * 16 + digit(raw[at + 2]);
      if (Number.isNaN(byte)) return undefined;
      at += 2;
    }
    raw[length++] = byte;
  }
  return raw.subarray(0, length);
}

/** Whether a name can be in an image: not `.`, `..`, or with a slash or NUL. */
function isName(name: Uint8Array): boolean {
  const isDots = name.length <= 2 && name.every((byte) => byte === 0x2e);
  return !isDots && !name.includes(0) && !name.includes(SLASH);
}

/**
 * The names of a URL's path. Several slashes count as one.
 * @param path as `URL.pathname` gives it: `.` and `..` are resolved, backslashes are slashes
 * @returns undefined if its percent-encoding is malformed, or a name is one that no image holds
 */
export function decodeNames(path: string): Names | undefined {
  const names: Uint8Array[] = [];
  for (const segment of path.split("/")) {
    if (segment === "") continue;
    const name = decodeSegment(segment);
    if (name === undefined || !isName(name)) return undefined;
    names.push(name);
  }
  return names;
}

/** Whether two names are equal. */
function isSame(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return left.length === right?.length && left.every((byte, index) => byte === right[index]);
}

/** The names after those of the base; undefined if the path is not under it. */
export function underBase(names: Names, base: Names): Names | undefined {
  return base.every((name, index) => isSame(name, names[index])) ? names.slice(base.length) : undefined;
}

/** An absolute path of the image. */
export function joinNames(names: Names, ...more: Names): Uint8Array {
  const all = [...names, ...more];
  const bytes = new Uint8Array(
    Math.max(
      1,
      all.reduce((length, name) => length + name.length + 1, 0),
    ),
  );
  bytes[0] = SLASH;
  let at = 0;
  for (const name of all) {
    bytes[at++] = SLASH;
    bytes.set(name, at);
    at += name.length;
  }
  return bytes;
}

/** A name with something at its end. */
export function withEnding(name: Uint8Array, ending: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(name.length + ending.length);
  bytes.set(name);
  bytes.set(ending, name.length);
  return bytes;
}

/** Bytes that stand for themselves in a segment (RFC 3986, section 2.3). */
const UNRESERVED = /[A-Za-z0-9._~-]/;

/** A name as a segment of a URL's path: every byte that is not unreserved is percent-encoded. */
export function encodeName(name: Uint8Array): string {
  return Array.from(name, (byte) => {
    const character = String.fromCharCode(byte);
    return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

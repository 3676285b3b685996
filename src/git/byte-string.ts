/**
 * Byte strings: names and paths as they are in a file system or an archive, one character ("latin1") for each
 * byte. They need not be UTF-8. Comparing such strings compares bytes.
 */

import { quotePath, quotePathAlways } from "../text/quoted-path.js";

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text as a byte string, in UTF-8. */
export function byteString(text: string): string {
  let bytes = "";
  for (const byte of utf8Encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

function bytesOf(byteString: string): Uint8Array {
  return Uint8Array.from(byteString, (char) => char.charCodeAt(0));
}

/** A byte string as text. Bytes that are not UTF-8 become U+FFFD. */
export function textOf(bytes: string): string {
  return utf8Decoder.decode(bytesOf(bytes));
}

/** A byte string for people, as `quotePath` shows its bytes. */
export function shown(bytes: string): string {
  return quotePath(bytesOf(bytes));
}

/** A path's byte string as fields of JSON: as text, and in git's quotes if it is not UTF-8. */
export function pathFields(bytes: string): { path: string; quoted?: string } {
  const path = textOf(bytes);
  return byteString(path) === bytes ? { path } : { path, quoted: shown(bytes) };
}

/** The beginning of a byte string for people, always in double quotes: at most `length` bytes, a character of UTF-8 whole. */
export function shownStart(bytes: string, length: number): string {
  let end = Math.min(length, bytes.length);
  while (end < bytes.length && end > length - 3 && /[\x80-\xbf]/.test(bytes[end]!)) end--;
  return quotePathAlways(bytesOf(bytes.slice(0, end)));
}

/**
 * Names and paths, which are bytes, as text that can be read and typed. A path of ordinary characters stays
 * as it is; any other is written as git writes it, in double quotes with the escapes of C: `"caf\351.txt"`.
 * Source: git's `quote.c` (`quote_c_style`, `unquote_c_style`), with `core.quotePath=false`.
 */
import { replaceHidden } from "./printable.js";

/** The escapes of C that are not octal, by the byte they stand for. */
const ESCAPES: Record<number, string> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

const BYTES = new Map(Object.entries(ESCAPES).map(([byte, text]) => [text[1]!, Number(byte)]));

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function escapeByte(byte: number): string {
  return ESCAPES[byte] ?? `\\${byte.toString(8).padStart(3, "0")}`;
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, escapeByte).join("");
}

/** The text of bytes; undefined if they are not UTF-8. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The length of the character that begins at `start`, in bytes; 0 if the bytes are not UTF-8. */
function characterLength(bytes: Uint8Array, start: number): number {
  const lead = bytes[start]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const isWhole = start + length <= bytes.length;
  return isWhole && decodeUtf8(bytes.subarray(start, start + length)) !== undefined ? length : 0;
}

/** The text of bytes, quotes and backslashes escaped; each byte that is not UTF-8 is an octal escape. */
function escapeInvalid(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    const end = at + Math.max(length, 1);
    const character = bytes.subarray(at, end);
    const isSpecial = length === 0 || bytes[at] === 0x22 || bytes[at] === 0x5c;
    text += isSpecial ? escapeBytes(character) : decoder.decode(character);
    at = end;
  }
  return text;
}

/** Whether a path is shown without quotes. */
function isPlain(text: string): boolean {
  return text !== "" && !/["\\]|^\s*::/.test(text) && replaceHidden(text, () => "") === text;
}

/**
 * A path for people. It is in double quotes if it holds a byte that is not UTF-8, a hidden character (see
 * `printable`), a quote or a backslash, if it is empty, or if it begins like a workflow command.
 * @param bytes a name or a path; a string stands for its UTF-8
 * @returns text that `parsePath` reads as these bytes
 */
export function quotePath(bytes: Uint8Array | string): string {
  const raw = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
  const text = decodeUtf8(raw);
  if (text !== undefined && isPlain(text)) return text;
  return `"${replaceHidden(escapeInvalid(raw), (char) => escapeBytes(encoder.encode(char)))}"`;
}

/** A path for people that always stands in double quotes, as in the middle of a sentence. */
export function quotePathAlways(bytes: Uint8Array | string): string {
  const shown = quotePath(bytes);
  return shown.startsWith('"') ? shown : `"${shown}"`;
}

const ESCAPE = /\\(?:([0-3][0-7]{2})|([abtnvfr"\\]))|[^"\\]+/gy;

/** The bytes between the quotes; undefined if an escape is not one of C's. */
function unquote(inner: string): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [part, octal, letter] of inner.matchAll(ESCAPE)) {
    end += part.length;
    if (octal !== undefined) parts.push(Uint8Array.of(Number.parseInt(octal, 8)));
    else if (letter !== undefined) parts.push(Uint8Array.of(BYTES.get(letter)!));
    else parts.push(encoder.encode(part));
  }
  return end === inner.length ? Uint8Array.from(parts.flatMap((bytes) => [...bytes])) : undefined;
}

/**
 * The bytes of a path that a person typed: as `quotePath` shows it, or in git's quotes with any of their
 * escapes. A path that begins with a double quote is always read as a quoted one.
 * @returns undefined if it begins with a quote and is not a quoted path
 */
export function parsePath(text: string): Uint8Array | undefined {
  if (!text.startsWith('"')) return encoder.encode(text);
  return text.length >= 2 && text.endsWith('"') ? unquote(text.slice(1, -1)) : undefined;
}

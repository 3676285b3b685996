/** Bytes as Node's `fs` gives them: a `Buffer` where the runtime has one, else a `Uint8Array`; or a string. */
import { invalidValue } from "./errors.js";
import type { Bytes } from "./types.js";

/** Names of encodings, and the ones that they are other names for. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: "utf8",
  "utf-8": "utf8",
  hex: "hex",
  base64: "base64",
  base64url: "base64url",
  latin1: "latin1",
  binary: "latin1",
  ascii: "ascii",
  ucs2: "utf16le",
  "ucs-2": "utf16le",
  utf16le: "utf16le",
  "utf-16le": "utf16le",
};

/** What of `Buffer` is used here. */
interface BufferType {
  from(
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ): Uint8Array & { toString(encoding: string): string };
}

const NodeBuffer = (globalThis as { Buffer?: BufferType }).Buffer;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/** A view on bytes in the runtime's own type. */
export function asBuffer(bytes: Uint8Array): Bytes {
  const view = NodeBuffer?.from(bytes.buffer, bytes.byteOffset, bytes.length) ?? bytes;
  return view as unknown as Bytes;
}

/** @returns a name that `decode` takes, "buffer", or undefined where none is given @throws `ERR_INVALID_ARG_VALUE` */
export function encodingOf(given: unknown): string | undefined {
  if (given === undefined || given === null || given === "") return undefined;
  if (given === "buffer") return "buffer";
  const known = typeof given === "string" ? ENCODINGS[given.toLowerCase()] : undefined;
  if (known === undefined) throw invalidValue("encoding", "is invalid encoding", given);
  return known;
}

function charCodes(bytes: Uint8Array, mask: number): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte & mask);
  return text;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function base64(bytes: Uint8Array): string {
  return btoa(charCodes(bytes, 0xff));
}

/** Decoders for runtimes without `Buffer`; they give what `Buffer` gives. */
export const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  utf8: (bytes) => utf8.decode(bytes),
  utf16le: (bytes) => utf16Text(bytes),
  latin1: (bytes) => charCodes(bytes, 0xff),
  ascii: (bytes) => charCodes(bytes, 0x7f),
  hex,
  base64,
  base64url: (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
};

/** Units as they are, lone surrogates too; an odd last byte is dropped. */
function utf16Text(bytes: Uint8Array): string {
  const even = bytes.subarray(0, bytes.length & ~1);
  const text = utf16.decode(even);
  if (!text.includes("\ufffd")) return text;
  let exact = "";
  for (let at = 0; at < even.length; at += 2) exact += String.fromCharCode(even[at]! | (even[at + 1]! << 8));
  return exact;
}

/** Bytes as text. UTF-8 keeps a byte order mark, and has U+FFFD for what is not UTF-8. */
export function decode(bytes: Uint8Array, encoding: string): string {
  if (encoding === "utf8") return utf8.decode(bytes);
  if (NodeBuffer === undefined) return DECODERS[encoding]!(bytes);
  return NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
}

/** Bytes in the form that an option asks for. @param encoding undefined or "buffer" for a `Buffer` */
export function encoded(bytes: Uint8Array, encoding: string | undefined): Bytes | string {
  return encoding === undefined || encoding === "buffer" ? asBuffer(bytes) : decode(bytes, encoding);
}

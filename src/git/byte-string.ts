/**
 * Byte strings: names and paths as a file system or an archive has them, one character ("latin1") to a byte, which need not
 * be UTF-8. Comparing such strings compares bytes.
 */

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text as a byte string, in UTF-8. */
export function byteString(text: string): string {
  let bytes = "";
  for (const byte of utf8Encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** A byte string as text; what is no UTF-8 is U+FFFD. */
export function textOf(bytes: string): string {
  return utf8Decoder.decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

/** A byte string for people: as text, without control characters. */
export function shown(bytes: string): string {
  const escaped = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return textOf(bytes).replace(/[\x00-\x1f\x7f]/g, escaped);
}

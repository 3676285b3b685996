/** What may be shown to a terminal: names inside an image may hold what would command it. */

/** C0 controls and DEL; and C1 controls, which UTF-8 makes two bytes of and some terminals obey. */
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** A text in one line: controls are escapes. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/**
 * Bytes of a name, perhaps no UTF-8: each byte of a control is a question mark.
 * @param isText whether they may be lines, and have tabs
 */
export function hideControls(bytes: Uint8Array, isText = false): Buffer {
  const isC0 = (byte: number): boolean => byte < 0x20 && !(isText && (byte === 0x0a || byte === 0x09));
  const isC1 = (at: number): boolean => bytes[at] === 0xc2 && bytes[at + 1]! >= 0x80 && bytes[at + 1]! < 0xa0;
  return Buffer.from(
    bytes.map((byte, at) => (isC0(byte) || byte === 0x7f || isC1(at) || isC1(at - 1) ? 0x3f : byte)),
  );
}

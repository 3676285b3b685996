/** Text as OCaml writes it: docteur 0.0.7 prints names so. */

const ESCAPES: Record<number, string> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** A string literal of OCaml's: what docteur prints names as. Bytes beyond ASCII are decimal escapes. */
export function quoteOcaml(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const printable = byte >= 32 && byte < 127;
    text += ESCAPES[byte] ?? (printable ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`);
  }
  return `"${text}"`;
}

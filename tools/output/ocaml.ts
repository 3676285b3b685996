/** Text as OCaml writes it: docteur 0.0.7 prints names in this form. */

const ESCAPES: Record<number, string> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** An OCaml string literal, as docteur prints names. Bytes beyond ASCII are decimal escapes. */
function quoteOcaml(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const printable = byte >= 32 && byte < 127;
    text += ESCAPES[byte] ?? (printable ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`);
  }
  return `"${text}"`;
}

/**
 * A person as docteur prints one: the name as a literal, without one space at its end, and all from the first `<` to
 * the last `>`.
 * @param line a commit's, behind "author "
 */
export function ocamlPerson(line: Uint8Array): Uint8Array {
  const open = line.indexOf(0x3c);
  const close = line.lastIndexOf(0x3e);
  const nameEnd = open < 0 ? line.length : line[open - 1] === 0x20 ? open - 1 : open;
  const email = open >= 0 && close > open ? line.subarray(open + 1, close) : new Uint8Array(0);
  return Buffer.concat([Buffer.from(`${quoteOcaml(line.subarray(0, nameEnd))} <`), email, Buffer.from(">")]);
}

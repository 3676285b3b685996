/** A patch in the colours that git gives it. */
import { isColoured, paint, type Style } from "../cli/style.js";

const HUNK = /^@@ .*? @@/;

function styleOf(line: string): Style | undefined {
  if (line.startsWith("+")) return "green";
  return line.startsWith("-") ? "red" : undefined;
}

/**
 * Colours a patch of one file: its head is bold, and the lines of hunks are as they were changed.
 * @param patch bytes of whole lines
 */
export function colouredPatch(patch: Uint8Array): Uint8Array {
  if (!isColoured()) return patch;
  let isHead = true;
  const lines = Buffer.from(patch).toString("latin1").split("\n");
  const shown = lines.map((line) => {
    const [place] = HUNK.exec(line) ?? [];
    if (place !== undefined) {
      isHead = false;
      return paint("cyan", place) + line.slice(place.length);
    }
    const style = isHead ? "bold" : styleOf(line);
    return style === undefined ? line : paint(style, line);
  });
  return Buffer.from(shown.join("\n"), "latin1");
}

/** Paths inside an image as people type them. */
import { readFileSync } from "node:fs";
import { parsePath } from "../../src/text/quoted-path.js";
import { usageError } from "./arguments.js";

const REPLACEMENT = "\ufffd";

/**
 * The bytes of an argument that is not UTF-8: Node replaces some of them, and Linux remembers them all.
 * @param word the argument as Node gives it
 * @returns undefined where they cannot be told
 */
function rawArgument(word: string): Uint8Array | undefined {
  let line: Buffer;
  try {
    line = readFileSync("/proc/self/cmdline");
  } catch {
    return undefined;
  }
  const found = new Map<string, Uint8Array>();
  for (let start = 0; start < line.length; ) {
    const nul = line.indexOf(0, start);
    const end = nul < 0 ? line.length : nul;
    const bytes = line.subarray(start, end);
    if (bytes.toString() === word) found.set(bytes.toString("latin1"), bytes);
    start = end + 1;
  }
  return found.size === 1 ? found.values().next().value : undefined;
}

/**
 * The bytes of a path that was given as an argument: as it is, or in git's quotes, as `docteur ls` prints names that are
 * not plain text.
 * @throws DocteurError `Usage`
 */
export function pathArgument(word: string): Uint8Array {
  const bytes = parsePath(word);
  if (bytes === undefined)
    throw usageError(
      `not a quoted path: ${word}`,
      "docteur ls prints quoted paths; for a name that begins with a quote, put ./ in front",
    );
  return word.includes(REPLACEMENT) && !word.startsWith('"') ? (rawArgument(word) ?? bytes) : bytes;
}

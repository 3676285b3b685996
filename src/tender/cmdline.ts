/** A guest's command line: its arguments as one string, which MirageOS' rules split again. */
import { DocteurError } from "../errors.js";

/** The most bytes of a command line. */
export const CMDLINE_MAX = 8192;

/** ASCII white space separates arguments; a quote or a backslash has a meaning of its own. */
const NEEDS_QUOTES = /^$|[ \t\n\v\f\r"\\]/;

/**
 * Joins a guest's arguments by spaces. Arguments that need it get double quotes and backslash escapes.
 * @returns UTF-8, at most `CMDLINE_MAX` bytes
 * @throws DocteurError `InvalidArgument` if it would be longer, or an argument holds a NUL
 */
export function encodeCommandLine(args: readonly string[]): Uint8Array {
  if (args.some((arg) => arg.includes("\0")))
    throw new DocteurError("InvalidArgument", "Guest command line holds a NUL");
  const quote = (arg: string): string =>
    NEEDS_QUOTES.test(arg) ? `"${arg.replaceAll(/["\\]/g, "\\$&")}"` : arg;
  const bytes = new TextEncoder().encode(args.map(quote).join(" "));
  if (bytes.length > CMDLINE_MAX)
    throw new DocteurError("InvalidArgument", `Guest command line too long (max=${CMDLINE_MAX} bytes)`);
  return bytes;
}

/** Media types by the endings of names. */
import { mimes } from "mrmime";
import type { Settings } from "./options.js";

/** The type of content that nothing is known of (RFC 9110, section 8.3). */
const UNKNOWN = "application/octet-stream";

/** Types that browsers look for and `mrmime` lacks. */
const MORE: Readonly<Record<string, string>> = { flac: "audio/flac", ico: "image/vnd.microsoft.icon" };

/** A name's ending, in small letters, without its dot. The dot of `.name` begins no ending. */
function endingOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** A name of an image can be `x.constructor`: what objects inherit is not a type. */
function own(table: Readonly<Record<string, string>>, ending: string): string | undefined {
  return Object.hasOwn(table, ending) ? table[ending] : undefined;
}

/** The field `Content-Type` of a file. */
export function mediaType(path: string, { types, charset }: Pick<Settings, "types" | "charset">): string {
  const ending = endingOf(path);
  const given = types.get(ending);
  if (given !== undefined) return given;
  const type = own(mimes, ending) ?? own(MORE, ending) ?? UNKNOWN;
  return charset !== undefined && type.startsWith("text/") ? `${type}; charset=${charset}` : type;
}

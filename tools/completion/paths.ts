/** Paths inside an image that a shell offers. */
import type { Volume } from "../../src/index.js";
import { printable } from "../../src/text/printable.js";

/** The paths that are offered at most: a person looks at them. */
const CANDIDATES_MAX = 10_000;

/** Whether a name can be typed as it is: it is UTF-8, and nothing in it is hidden. */
function isTypable(name: string, bytes: Uint8Array): boolean {
  return Buffer.from(name).equals(bytes) && printable(name) === name;
}

/**
 * The entries of the directory that a prefix names whose names begin with the rest of the prefix. A directory ends in a
 * slash.
 * @param prefix the begin of a path, as a person has typed it: with or without a slash in front
 * @throws DocteurError if there is no such directory
 */
export async function* candidates(volume: Volume, prefix: string): AsyncGenerator<string, void, undefined> {
  const end = prefix.lastIndexOf("/") + 1;
  const [folder, start] = [prefix.slice(0, end), prefix.slice(end)];
  let count = 0;
  for await (const { name, nameBytes, kind } of volume.entries(`/${folder}`, { follow: true, oids: false })) {
    if (!name.startsWith(start) || !isTypable(name, nameBytes)) continue;
    // Names with a dot in front are offered to those who type the dot, and quotes in front are git's.
    if (name.startsWith(".") && !start.startsWith(".")) continue;
    const path = `${folder}${name}`;
    yield `${path.startsWith('"') ? "./" : ""}${path}${kind === "directory" ? "/" : ""}`;
    if (++count >= CANDIDATES_MAX) return;
  }
}

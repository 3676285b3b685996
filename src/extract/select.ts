/** The entries of an image that paths and patterns select. */
import type { Path } from "../arguments.js";
import { textBytes } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { globMatcher } from "../fs/glob.js";
import { byteString, bytesOf, resolvedNames } from "../fs/paths.js";
import { shown } from "../git/byte-string.js";
import type { Entry } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import { checkName } from "./names.js";

/** A pattern, and whether an entry has fitted it. */
interface Pattern {
  text: string;
  fits: (path: string) => boolean;
  isUsed: boolean;
}

/** An entry, its path in the image as a byte string: without a slash in front, empty for the root. */
export interface Selected {
  path: string;
  entry: Entry;
}

const MAGIC = /[*?[\]{}]|[+@!]\(/;
const encoder = new TextEncoder();

/** The paths and the patterns among the arguments. A path that is in the image is not a pattern. */
async function readArguments(
  volume: Volume,
  given: readonly Path[],
  signal: AbortSignal | undefined,
): Promise<{ paths: string[]; patterns: Pattern[] }> {
  const paths = new Set<string>();
  const patterns: Pattern[] = [];
  for (const argument of given) {
    const bytes = textBytes("the path", argument);
    try {
      await volume.stat(bytes, { signal });
      paths.add(resolvedNames(byteString(bytes)).join("/"));
    } catch (error) {
      const isMissing = error instanceof DocteurError && error.code === "NotFound";
      const text = new TextDecoder().decode(bytes);
      if (!isMissing || !MAGIC.test(text)) throw error;
      patterns.push({ text, fits: globMatcher(resolvedNames(text).join("/")), isUsed: false });
    }
  }
  // A path within another one is selected with it.
  const isWithin = (path: string, other: string): boolean => other === "" || path.startsWith(`${other}/`);
  const outermost = [...paths].filter(
    (path) => ![...paths].some((other) => path !== other && isWithin(path, other)),
  );
  return { paths: outermost.sort(), patterns };
}

/** The directory that all results of some patterns are in, by the names in front that stand for themselves. */
function commonFolder(patterns: readonly Pattern[]): string {
  const fixed = patterns.map(({ text }) => {
    const names = resolvedNames(text);
    return names.slice(
      0,
      names.findIndex((name) => MAGIC.test(name) || name.includes("\\")),
    );
  });
  const [first, ...others] = fixed as [string[], ...string[][]];
  const count = first.findIndex((name, index) => others.some((names) => names[index] !== name));
  return byteString(encoder.encode(first.slice(0, count < 0 ? undefined : count).join("/")));
}

/**
 * Everything at and below a path, each directory before its entries.
 * @throws DocteurError `BadTree` for names that stand for something else
 */
async function* everythingAt(
  volume: Volume,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Selected, void, undefined> {
  const bytes = bytesOf(`/${path}`);
  const top = await volume.stat(bytes, { signal });
  if (path !== "") yield selectedOf(top);
  if (top.kind !== "directory") return;
  for await (const entry of volume.walk(bytes, { signal })) yield selectedOf(entry);
}

function selectedOf(entry: Entry): Selected {
  const path = byteString(entry.pathBytes).slice(1);
  checkName(byteString(entry.nameBytes), entry.kind, path);
  return { path, entry };
}

/**
 * Selects entries. The names above a selected path are looked up as they are, and are checked like all others.
 * @param given paths, with everything below them, and patterns; by default everything
 * @returns the entries, each once, a directory before its entries
 * @throws DocteurError `NotFound` for a path or a pattern that leads to nothing; `BadTree`
 */
export async function* select(
  volume: Volume,
  given: readonly Path[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Selected, void, undefined> {
  const { paths, patterns } =
    given.length === 0 ? { paths: [""], patterns: [] } : await readArguments(volume, given, signal);
  for (const path of paths) yield* everythingAt(volume, path, signal);
  if (patterns.length === 0) return;
  const isTaken = (path: string): boolean =>
    paths.some((taken) => taken === "" || path === taken || path.startsWith(`${taken}/`));
  let within: string | undefined;
  const folder = commonFolder(patterns);
  const isThere = (await volume.exists(bytesOf(`/${folder}`), { signal })) === "dictionary";
  if (isThere)
    for await (const found of everythingAt(volume, folder, signal)) {
      const { path, entry } = found;
      const isBelow = within !== undefined && path.startsWith(within);
      let isSelected = isBelow;
      for (const pattern of patterns) {
        if (isBelow && pattern.isUsed) continue;
        if (!pattern.fits(entry.path.slice(1))) continue;
        pattern.isUsed = true;
        isSelected = true;
      }
      if (isSelected && !isBelow && entry.kind === "directory") within = `${path}/`;
      if (isSelected && !isTaken(path)) yield found;
    }
  const unused = patterns.find(({ isUsed }) => !isUsed);
  if (unused !== undefined) throw nothing(unused.text);
}

function nothing(text: string): DocteurError {
  const path = shown(byteString(encoder.encode(text)));
  return new DocteurError("NotFound", `nothing in the image fits ${path}`, {
    path,
    hint: "** matches directories of any depth, and * matches no dot at the start of a name",
  });
}

/** Finds what the path of a URL stands for: a file, the index file of a directory, a directory, or nothing. */
import { DocteurError, type ErrorCode } from "../errors.js";
import type { Entry, Volume } from "../index.js";
import { acceptedCodings, CODINGS, type Coding } from "./encodings.js";
import type { Settings } from "./options.js";
import { joinNames, type Names, PATH_MAX, type RequestPath, withEnding } from "./request-path.js";

/** The part of a volume that is served. */
export type ServedVolume = Pick<Volume, "commit" | "stat" | "getPartial" | "stream" | "entries">;

/** A file to be sent. */
export interface Found {
  /** The file's path in the image. */
  path: Uint8Array;
  entry: Entry;
}

/** What a path stands for; undefined if it stands for nothing. */
export type Place =
  | ({ kind: "file" } & Found)
  | ({ kind: "listing" } & Found)
  /** A directory whose URL lacks the slash at its end. */
  | { kind: "redirect" }
  | undefined;

/** Errors of a path that leads to nothing, in whatever way. */
const NOTHING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["NotFound", "ValueExpected", "DictionaryExpected", "SymlinkLoop"] as const),
  ...(["Submodule", "PathTooLong"] as const),
]);

/** A name that begins with a dot and is served all the same (RFC 8615). */
const WELL_KNOWN = ".well-known";
const DOT = 0x2e;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Whether names that begin with a dot keep this one from being served. */
export function isHidden(name: Uint8Array, { dotfiles }: Pick<Settings, "dotfiles">): boolean {
  return !dotfiles && name[0] === DOT && decoder.decode(name) !== WELL_KNOWN;
}

export const isFile = ({ kind }: Entry): boolean => kind === "file" || kind === "executable";

/** The entry at a path, links followed; undefined if there is none. */
export async function look(
  volume: ServedVolume,
  path: Uint8Array | string,
  signal: AbortSignal | undefined,
): Promise<Entry | undefined> {
  if (path.length > PATH_MAX) return undefined;
  try {
    return await volume.stat(path, { follow: true, signal });
  } catch (error) {
    if (error instanceof DocteurError && NOTHING.has(error.code)) return undefined;
    throw error;
  }
}

/**
 * Finds what a path stands for. A file comes before a file with an ending that the URL leaves out, and that before a
 * directory.
 */
export async function locate(
  volume: ServedVolume,
  { names, isFolder }: RequestPath,
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<Place> {
  if (names.some((name) => isHidden(name, settings))) return undefined;
  const path = joinNames(names);
  const entry = await look(volume, path, signal);
  if (isFolder || names.length === 0)
    return entry?.kind === "directory"
      ? inFolder(volume, names, { path, entry }, settings, signal)
      : undefined;
  if (entry !== undefined && isFile(entry)) return { kind: "file", path, entry };
  for (const ending of settings.extensions) {
    const longer = joinNames([...names.slice(0, -1), withEnding(names.at(-1)!, ending)]);
    const file = await look(volume, longer, signal);
    if (file !== undefined && isFile(file)) return { kind: "file", path: longer, entry: file };
  }
  if (entry?.kind !== "directory") return undefined;
  const place = await inFolder(volume, names, { path, entry }, settings, signal);
  return place === undefined ? undefined : { kind: "redirect" };
}

/** What a directory is answered with. */
async function inFolder(
  volume: ServedVolume,
  names: Names,
  folder: Found,
  { index, listing }: Settings,
  signal: AbortSignal | undefined,
): Promise<Place> {
  if (index !== undefined) {
    const path = joinNames(names, index);
    const entry = await look(volume, path, signal);
    if (entry !== undefined && isFile(entry)) return { kind: "file", path, entry };
  }
  return listing === false ? undefined : { kind: "listing", ...folder };
}

/** A file, or one beside it that has its content encoded. */
export interface Variant extends Found {
  coding: Coding | undefined;
}

/** Files beside one that have its content encoded. */
export type Beside = ReadonlyMap<Coding, Found>;

const encoder = new TextEncoder();
const ENDINGS = CODINGS.map(({ coding, ending }) => ({ coding, ending: encoder.encode(ending) }));

/** Finds the files beside one that have its content encoded. */
export async function lookBeside(
  volume: ServedVolume,
  file: Found,
  signal: AbortSignal | undefined,
): Promise<Beside> {
  const beside = new Map<Coding, Found>();
  for (const { coding, ending } of ENDINGS) {
    const path = withEnding(file.path, ending);
    const entry = await look(volume, path, signal);
    if (entry !== undefined && isFile(entry)) beside.set(coding, { path, entry });
  }
  return beside;
}

/** Chooses among a file and those beside it, by the field `Accept-Encoding`. */
export function negotiate(file: Found, beside: Beside, acceptEncoding: string | null): Variant {
  if (beside.size === 0) return { ...file, coding: undefined };
  const coding = acceptedCodings(acceptEncoding).find((one) => beside.has(one));
  return { ...(coding === undefined ? file : beside.get(coding)!), coding };
}

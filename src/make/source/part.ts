/** Parts of a source: a directory of it that becomes the root, and leading names of paths that are removed. */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { MODE } from "../../git/objects.js";
import { type SourceEntry, SourceFolder } from "./listing.js";

/** The part of a source that becomes the root of the image. */
export interface SourcePart {
  /** The names of a directory's path, byte strings; none for the whole source. */
  subdir: readonly string[];
  /**
   * The number of leading names that are removed from every path below it. Paths with no more names are left
   * out.
   */
  strip: number;
}

/** All of a source. */
export const WHOLE: SourcePart = { subdir: [], strip: 0 };

/**
 * Reads the path of a directory inside a source: slashes at its ends, double ones and `.` mean nothing.
 * @returns the path, or undefined for the root
 * @throws DocteurError `InvalidArgument`
 */
export function parseSubdir(text: string): string | undefined {
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..") || text.includes("\0"))
    throw new DocteurError("InvalidArgument", `not a directory of the source: ${JSON.stringify(text)}`, {
      hint: "--subdir takes a path from the root of the source, without ..",
    });
  return names.length === 0 ? undefined : names.join("/");
}

/** The options of `MakeOptions` that select a part of a source. */
export interface PartOptions {
  subdir?: string | undefined;
  exclude?: readonly string[] | undefined;
  stripComponents?: number | undefined;
}

/** Whether options select less than all of a source. @throws DocteurError `InvalidArgument` */
export function takesPart({ subdir = "", exclude = [], stripComponents = 0 }: PartOptions): boolean {
  return parseSubdir(subdir) !== undefined || exclude.length > 0 || stripComponents > 0;
}

/** The error for a source without that directory. @param source for people */
export function noSuchPart(source: string, subdir: readonly string[]): DocteurError {
  const path = shown(subdir.join("/"));
  return new DocteurError("NoSuchRevision", `there is no directory ${path} in ${source}`, {
    path,
    hint: "--subdir takes a directory of the source, which --exclude does not leave out",
  });
}

/** The error for a name that more than one file would have. @param name for people */
export function givenTwice(name: string): DocteurError {
  return new DocteurError("BadSource", `--strip-components gives ${name} to more than one file`, {
    path: name,
    hint: "take away fewer names, or leave one of the files out with --exclude",
  });
}

/**
 * Merges the entries of folders into one. Folders with equal names are merged, too.
 * @throws DocteurError `BadSource` if two entries that are not both folders have one name
 */
export function mergeFolders(folders: readonly SourceFolder[]): SourceFolder {
  if (folders.length === 1) return folders[0]!;
  const byName = new Map<string, SourceEntry[]>();
  for (const folder of folders)
    for (const entry of folder.entries()) {
      const known = byName.get(entry.name);
      if (known === undefined) byName.set(entry.name, [entry]);
      else known.push(entry);
    }
  return new SourceFolder(
    [...byName].map(([name, entries]): SourceEntry => {
      if (entries.length === 1) return entries[0]!;
      const same = entries.flatMap((entry) => (entry.mode === MODE.directory ? [entry.folder] : []));
      if (same.length === entries.length) return { name, mode: MODE.directory, folder: mergeFolders(same) };
      throw givenTwice(shown(name));
    }),
  );
}

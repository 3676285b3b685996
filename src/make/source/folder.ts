/** A source listed: folders, their entries, and where the content of each file is. Nothing of the content is read yet. */
import type { Mode } from "../objects.js";
import type { SourceBlobs } from "./blobs.js";

/** An entry of a folder. Names are byte strings ("latin1"), as the file system or the archive has them. */
export type SourceEntry =
  | { name: string; mode: Extract<Mode, "40000">; folder: SourceFolder }
  /** `blob` is an index into `Listing.blobs`. */
  | { name: string; mode: Exclude<Mode, "40000">; blob: number };

/** A folder: each name once, in any order. */
export interface SourceFolder {
  entries: SourceEntry[];
}

/** A source, listed. Plain data, and no part of it is in two places: folders form a tree. */
export interface Listing {
  root: SourceFolder;
  /**
   * Everything to read, each once, in the order in which it is best read: files, with all their names (hard links), whose
   * bytes are still where they were found, and targets of symbolic links, which are at hand.
   */
  blobs: SourceBlobs;
  /** Modification time of its newest file or link, in seconds since 1970, rounded down; `undefined` where there is none. */
  newest: number | undefined;
  /** Paths, for people to read, of what was left out though nobody asked for that. */
  skipped: string[];
}

/** Bytes of everything that is to be read. */
export function contentLen({ blobs }: Listing): number {
  let sum = 0;
  for (let index = 0; index < blobs.length; index++) sum += blobs.sizeOf(index);
  return sum;
}

/** How many folders there are, the root included. */
export function folderCount({ root }: Listing): number {
  const folders = [root];
  // An array's iteration visits what is added on the way.
  for (const { entries } of folders)
    for (const entry of entries) if ("folder" in entry) folders.push(entry.folder);
  return folders.length;
}

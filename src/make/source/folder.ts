/** A source listed: folders, their entries, and where the content of each file is. Nothing of the content is read yet. */
import type { Content } from "../content.js";
import type { Mode } from "../objects.js";

/** A file or symbolic link of the source. Names of one file (hard links) share one of these. */
export interface SourceBlob {
  /** Its first path, from the root of the source, no slash in front; a byte string ("latin1"). */
  path: string;
  /** Bytes. */
  size: number;
  content: Content;
}

/** An entry of a folder. Names are byte strings ("latin1"), as the file system or the archive has them. */
export type SourceEntry =
  | { name: string; mode: Extract<Mode, "40000">; folder: SourceFolder }
  | { name: string; mode: Exclude<Mode, "40000">; blob: SourceBlob };

/** A folder: each name once, in any order. */
export interface SourceFolder {
  entries: SourceEntry[];
}

/** A source, listed. */
export interface Listing {
  root: SourceFolder;
  /** Modification time of its newest file or link, in seconds since 1970, rounded down; `undefined` where there is none. */
  newest: number | undefined;
  /** Paths, for people to read, of what was left out though nobody asked for that: `.git`, and with `skipSpecial` special files. */
  skipped: string[];
}

/** Attributes of entries as a file system has them. An image keeps kinds and sizes; the rest follows from them. */
import type { Commit } from "../volume/commit.js";
import type { Entry, EntryKind } from "../volume/entry.js";

/** Modes: the kind, and the permissions that a checkout gives. A submodule is an empty directory, as in git. */
const MODES: Record<EntryKind, number> = {
  directory: 0o040755,
  submodule: 0o040755,
  file: 0o100644,
  executable: 0o100755,
  symlink: 0o120777,
};

/** The attributes of an entry. */
export interface Attributes {
  /** Kind and permissions, as `st_mode` has them. */
  mode: number;
  /** Bytes; 0 for directories. */
  size: number;
  /** Blocks of 512 bytes. */
  blocks: number;
  /** The first 52 bits of the object's id: entries of equal content have equal numbers. */
  ino: number;
  /** The date of the commit, in milliseconds since 1970; 0 if it has none. */
  time: number;
}

/** The date of every entry of an image, in milliseconds since 1970. */
export function timeOf(commit: Commit): number {
  return commit.date?.getTime() ?? 0;
}

/** Whether an entry is a directory to a file system. */
export function isDirectory({ kind }: Entry): boolean {
  return kind === "directory" || kind === "submodule";
}

/** Kind and permissions of an entry. */
export function modeOf({ kind }: Entry): number {
  return MODES[kind];
}

/** The attributes of an entry that `stat` has given. */
export function attributesOf(entry: Entry, commit: Commit): Attributes {
  const size = entry.size ?? 0;
  return {
    mode: modeOf(entry),
    size,
    blocks: Math.ceil(size / 512),
    ino: Number.parseInt(entry.oid.slice(0, 13), 16),
    time: timeOf(commit),
  };
}

/** Versions of a file. */

/** Tells versions of a file apart. */
export type Version = string;

/** The facts about a file (stat(2)) that no change leaves as they were: no program can set the time of the last change. */
export interface FileState {
  dev: bigint;
  ino: bigint;
  /** Bytes. */
  size: bigint;
  /** Nanoseconds since 1970. */
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** The version of an inspected file. */
export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: FileState): Version {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

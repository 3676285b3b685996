/** Where the bytes of an object are: plain data, so that it can be handed to a worker. */

/** A part of a file, or the whole of one. */
export interface FileRange {
  /** Absolute, a byte string ("latin1"): names need not be UTF-8. */
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Whether the file must end where the range does: what grew since it was listed is not what was listed. */
  isWhole: boolean;
  /** Whether `path` may be a symbolic link. */
  followsLinks: boolean;
}

/** What an object holds: the bytes themselves, or where they can be read, any number of times. */
export type Content = Uint8Array | FileRange;

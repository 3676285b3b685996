/** What an examination counts on its way, and the fields of the report that come of it. */

/** The text for a count that JSON's readers could not take as a number. */
export const BEYOND = "2^53 or more";

/** A count of paths or of their bytes: exact up to 2^53 - 1, which trees that hold others many times over can exceed. */
export type PathCount = number | typeof BEYOND;

/** Paths that a commit leads to, by kind. Executables are not among the files, nor the root among the directories. */
export interface PathCounts {
  directories: PathCount;
  files: PathCount;
  executables: PathCount;
  symlinks: PathCount;
  submodules: PathCount;
}

/** Objects of one kind, those that are not damaged. */
export interface ObjectFigures {
  count: number;
  /** Those that are stored as deltas. */
  deltaCount: number;
  /** Bytes of their entries in the PACK. */
  packedBytes: number;
}

/** Numbers and sizes of an image. A field is absent if it is not known. */
export interface ImageFigures {
  /** Objects in the PACK. */
  objectCount?: number;
  /** Those that are stored as deltas. */
  deltaCount?: number;
  /** Those that the commit does not lead to. */
  unreachableCount?: number;
  /** Objects in the PACK, by kind. */
  objects?: Record<"commits" | "trees" | "blobs" | "tags", ObjectFigures>;
  pathCounts?: PathCounts;
  imageBytes?: number;
  /** The PACK and the IDX, with their trailers. */
  packBytes?: number;
  idxBytes?: number;
  /** The layout section; 0 if there is none. */
  layoutBytes?: number;
  /** The content of all objects. */
  objectBytes?: number;
  /** The content of all files and executables, path by path: the size of an extracted tree. */
  contentBytes?: PathCount;
}

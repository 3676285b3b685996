/** Paths whose content an image lacks, at least in part. */

/** The number of paths, and the first of them, as `quotePath` shows them. */
export interface Noticed {
  count: number;
  paths: string[];
}

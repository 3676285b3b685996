/** Paths whose content an image lacks, at least in part. */
import { pathFields } from "../../git/byte-string.js";

/** A path inside an image. */
export interface NoticedPath {
  /** With a slash in front. Bytes that are not UTF-8 show as U+FFFD. */
  path: string;
  /** The path in git's double quotes, if it is not UTF-8. */
  quoted?: string;
}

/** The number of paths, and the first of them. */
export interface Noticed {
  count: number;
  first: NoticedPath[];
}

/** The same while they are gathered: byte strings, without a slash in front. */
export interface Gathered {
  count: number;
  first: string[];
}

/** @returns the form for summaries */
export function noticedOf({ count, first }: Gathered): Noticed {
  return { count, first: first.map((path) => pathFields(`/${path}`)) };
}

/** The objects of an image, as makers of a layout section see them: columns, a row for each entry in the PACK's order. */
import type { Idx } from "../pack-table/idx.js";

/** The seek points of a blob, and the checksums between them. */
export interface SeekPoints {
  /** Bytes of content in a segment: see `SEGMENT`. */
  segment: number;
  /** The place of each segment in the blob's stream or its entry. */
  places: ArrayLike<number>;
  /** The Adler-32 of the content up to the start of each cell. What is missing at the end is 0. */
  checksums: ArrayLike<number>;
}

/** Seek points in an entry from those in its stream. @param header bytes of the entry before the stream */
export function seekPointsAfter(header: number, { segment, places, checksums }: SeekPoints): SeekPoints {
  return { segment, places: Array.from(places, (place) => header + place), checksums };
}

/** See the file's head. */
export interface LayoutObjects {
  readonly idx: Idx;
  /** Each row's rank in the IDX, and the row of each rank. */
  readonly ranks: ArrayLike<number>;
  readonly rowOfRank: ArrayLike<number>;
  /** The start of each entry, from the PACK's start; and the end of the last one. */
  readonly offsets: ArrayLike<number>;
  readonly end: number;
  /** The row of a delta's base; negative for objects that are stored whole. */
  readonly bases: ArrayLike<number>;
  /** The kinds of objects (`KIND`), those of deltas too. */
  readonly types: ArrayLike<number>;
  /** Bytes of the contents. Only those of blobs count. */
  readonly sizes: ArrayLike<number>;
  /**
   * The seek points of a blob that is stored whole, their places from its entry's start; undefined if it has none. It is asked
   * for each blob once.
   */
  seekPoints(row: number): SeekPoints | undefined | Promise<SeekPoints | undefined>;
  /** The content of a tree. */
  tree(row: number): Uint8Array | Promise<Uint8Array>;
}

/** The row of each rank. */
export function rowsOfRanks(ranks: ArrayLike<number>): Uint32Array {
  const rows = new Uint32Array(ranks.length);
  for (let row = 0; row < ranks.length; row++) rows[ranks[row]!] = row;
  return rows;
}

/** The end of a row's entry. */
export function entryEnd({ offsets, end }: LayoutObjects, row: number): number {
  return row + 1 < offsets.length ? offsets[row + 1]! : end;
}

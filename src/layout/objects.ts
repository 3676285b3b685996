/** The objects of an image, as makers of a layout section see them: columns, a row for each entry in the PACK's order. */
import type { Idx } from "../pack-table/idx.js";

/** Seek points. */
export type Points = ArrayLike<number> & Iterable<number>;

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
   * The seek points of a blob that is stored whole: offsets from its entry's start, as many as `SEGMENT` gives; undefined if
   * it has none. It is asked for each blob once.
   */
  seekPoints(row: number): Points | undefined | Promise<Points | undefined>;
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

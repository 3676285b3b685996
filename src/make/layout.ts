/** The layout section of an image that was just packed: nothing of the image is read again. */

import { DocteurError } from "../errors.js";
import { OID } from "../git/entry.js";
import type { LayoutObjects, SeekPoints } from "../layout/objects.js";
import { rowsOfRanks } from "../layout/objects.js";
import { type Frame, writeSection } from "../layout/section.js";
import { Idx } from "../pack-table/idx.js";
import type { Sink } from "../sink.js";
import { type Contents, readContent, type Unreads } from "./base/content.js";
import type { BareImage } from "./image.js";
import type { PackedObjects } from "./pack/packer.js";

/** The packed objects. */
export interface Packed {
  rows: PackedObjects;
  /** The trees, and the number of the first of them. */
  trees: Unreads;
  firstTree: number;
  contents: Contents;
  /** Ids of the commit and its tree. */
  commit: Uint8Array;
  tree: Uint8Array;
}

function objectsOf(
  { idx: bytes, packSize, idxStart }: BareImage,
  packed: Packed,
  oldPoints: LayoutRun["oldPoints"],
): LayoutObjects {
  const { rows, trees, firstTree, contents } = packed;
  const { numbers, bases, types, sizes, points, entries } = rows;
  const idx = new Idx(idxStart, numbers.length, bytes);
  const ranks = idx.byOffset();
  return {
    idx,
    ranks,
    rowOfRank: rowsOfRanks(ranks),
    offsets: Float64Array.from(ranks, (rank) => idx.offset(rank)),
    end: packSize - OID,
    bases,
    types,
    sizes,
    seekPoints: (row) => {
      const entry = entries?.[row] ?? -1;
      return entry < 0 ? points.get(row) : oldPoints?.(entry);
    },
    tree: (row) => readContent(contents, trees.at(numbers[row]! - firstTree)),
  };
}

/** How a section is written. */
export interface LayoutRun {
  signal?: AbortSignal | undefined;
  /** Finds the seek points of an entry of the earlier image, by its number. */
  oldPoints?: ((entry: number) => Promise<SeekPoints | undefined>) | undefined;
  onNotice?: ((text: string) => void) | undefined;
}

/**
 * Appends a section to an image that has everything else. An image with too many paths gets none, with a notice.
 * @throws those of reading trees; the signal's reason
 */
export async function appendSection(
  sink: Sink,
  objects: LayoutObjects,
  frame: Frame,
  { signal, onNotice }: LayoutRun,
): Promise<void> {
  const append = (bytes: Uint8Array): Promise<void> => {
    signal?.throwIfAborted();
    return sink.append(bytes);
  };
  try {
    await writeSection(objects, frame, append);
  } catch (error) {
    if (!(error instanceof DocteurError) || error.code !== "TooManyObjects") throw error;
    onNotice?.(`the image has no layout section: ${error.message}`);
  }
}

/** Appends the section to an image that docteur packed. @throws those of `appendSection` */
export async function writeLayout(
  sink: Sink,
  image: BareImage,
  packed: Packed,
  run: LayoutRun,
): Promise<void> {
  const objects = objectsOf(image, packed, run.oldPoints);
  const { packSize, idxStart, bareSize } = image;
  const { idx, rowOfRank } = objects;
  const frame: Frame = {
    commit: packed.commit,
    commitRow: rowOfRank[idx.rankOf(packed.commit)]!,
    rootRow: rowOfRank[idx.rankOf(packed.tree)]!,
    trailer: idx.packTrailer,
    packSize,
    idxStart,
    bareSize,
  };
  await appendSection(sink, objects, frame, run);
}

/** The layout section of an image that git packed: git tells neither offsets nor bases, so the image is read for them. */
import { OpenImage } from "../layout/files/read.js";
import type { Replacement } from "../node/replace-file.js";
import type { Idx } from "../pack-table/idx.js";
import type { CommitObjects } from "./git/commit-objects.js";
import { appendSection, type LayoutRun } from "./layout.js";

/** The sizes of the objects' contents in the order of the PACK, which git told before it packed them. */
function sizesOf(objects: CommitObjects, idx: Idx, ranks: Uint32Array): Float64Array {
  const byRank = new Float64Array(idx.count);
  for (let row = 0; row < objects.count; row++) byRank[idx.rankOf(objects.oidOf(row))] = objects.sizeOf(row);
  return Float64Array.from(ranks, (rank) => byRank[rank]!);
}

/** Appends the section. @throws those of `appendSection`; `Io` */
export async function writeGitLayout(
  { sink, temporary }: Replacement,
  objects: CommitObjects,
  run: LayoutRun,
): Promise<void> {
  await sink.flush();
  const image = await OpenImage.open(temporary);
  try {
    await image.withObjects(
      sink.position,
      (read) => appendSection(sink, read.objects, read.frame, run),
      (idx, ranks) => sizesOf(objects, idx, ranks),
    );
  } finally {
    await image.close();
  }
}

/**
 * A listed source as an image: its contents are read for their ids (the survey), which give the trees and the commit (the
 * snapshot); then everything is packed. Nothing is kept of a content but where it is, and one that is not the same both
 * times is noticed.
 */
import type { FileSink } from "../write-file.js";
import { Breath } from "./breath.js";
import type { CommitDate } from "./date.js";
import { type ImageSizes, writeImage } from "./image.js";
import { encodeSyntheticCommit, hexOf, OID_LEN } from "./objects.js";
import { beginOid, oidOf } from "./oid.js";
import { buildIdx } from "./pack/idx.js";
import { PackWriter } from "./pack/writer.js";
import { type Snapshot, takeSnapshot } from "./snapshot.js";
import { SourceFile, STREAMED_LEN } from "./source/file.js";
import type { Listing, SourceBlob } from "./source/folder.js";

/** How to make an image of a listing. */
export interface ListingOptions {
  /** Bytes. */
  blockSize: number;
  /** The commit's. */
  date: CommitDate;
  signal?: AbortSignal | undefined;
  onProgress?: ((phase: "survey" | "pack", done: number, total: number) => void) | undefined;
}

/** What was made. */
export interface ListingSummary extends ImageSizes {
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  objectCount: number;
  /** Files and symbolic links, the same content counted every time. */
  fileCount: number;
}

interface CommitObject {
  oid: Uint8Array;
  content: Uint8Array;
}

/** The ids of all contents, in their order, 20 bytes each. */
async function survey({ blobs }: Listing, options: ListingOptions): Promise<Uint8Array> {
  const breath = new Breath(options.signal);
  const oids = new Uint8Array(blobs.length * OID_LEN);
  for (const [index, { content, size }] of blobs.entries()) {
    const file = new SourceFile(content, size);
    try {
      const hash = beginOid("blob", size);
      for (const piece of file.pieces()) {
        hash.update(piece);
        await breath.take();
      }
      oids.set(hash.digest(), index * OID_LEN);
    } finally {
      file.close();
    }
    options.onProgress?.("survey", index + 1, blobs.length);
    await breath.take();
  }
  return oids;
}

async function packBlob(
  pack: PackWriter,
  oid: Uint8Array,
  { content, size }: SourceBlob,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = new SourceFile(content, size);
  try {
    if (size <= STREAMED_LEN) {
      let whole: Uint8Array = new Uint8Array(0);
      for (const piece of file.pieces()) whole = piece;
      if (!oidOf("blob", whole).equals(oid)) throw file.changed();
      await pack.add("blob", oid, whole);
      return;
    }
    const hash = beginOid("blob", size);
    const hashed = function* (): Generator<Uint8Array, void, undefined> {
      for (const piece of file.pieces()) {
        signal?.throwIfAborted();
        hash.update(piece);
        yield piece;
      }
    };
    await pack.addStream("blob", oid, size, hashed());
    if (!hash.digest().equals(oid)) throw file.changed();
  } finally {
    file.close();
  }
}

/** Writes the pack: the commit, the trees breadth first, the blobs in the order of their paths. @returns its index */
async function writePack(
  sink: FileSink,
  commit: CommitObject,
  { trees, blobs }: Snapshot,
  listing: Listing,
  options: ListingOptions,
): Promise<Uint8Array> {
  const objectCount = 1 + trees.length + blobs.length;
  const pack = new PackWriter(sink, objectCount);
  const breath = new Breath(options.signal);
  let done = 0;
  const step = async (): Promise<void> => {
    options.onProgress?.("pack", ++done, objectCount);
    await breath.take();
  };
  await pack.begin();
  await pack.add("commit", commit.oid, commit.content);
  await step();
  for (const { oid, content } of trees) {
    await pack.add("tree", oid, content);
    await step();
  }
  for (const { oid, index } of blobs) {
    await packBlob(pack, oid, listing.blobs[index]!, options.signal);
    await step();
  }
  const { trailer, entries } = await pack.finish();
  return buildIdx(entries, trailer);
}

/**
 * Writes an image of a listing.
 * @param sink empty; the image is complete when the promise resolves
 * @throws DocteurError `Io` where content cannot be read, or is not what it was before; the signal's reason
 */
export async function makeFromListing(
  listing: Listing,
  sink: FileSink,
  options: ListingOptions,
): Promise<ListingSummary> {
  const snapshot = takeSnapshot(listing, await survey(listing, options), oidOf);
  const tree = snapshot.trees[0]!.oid;
  const content = encodeSyntheticCommit(tree, options.date);
  const commit = { oid: oidOf("commit", content), content };
  const sizes = await writeImage(sink, options.blockSize, commit.oid, () =>
    writePack(sink, commit, snapshot, listing, options),
  );
  return {
    commit: hexOf(commit.oid),
    tree: hexOf(tree),
    objectCount: 1 + snapshot.trees.length + snapshot.blobs.length,
    fileCount: snapshot.fileCount,
    ...sizes,
  };
}

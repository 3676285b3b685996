/**
 * Makes an image of a listed source. It reads the contents for their ids (the survey), makes the trees and
 * the commit from those (the snapshot), and packs everything. It keeps only the place of each content, and
 * notices a content that changes between two reads.
 */

import type { Path } from "../arguments.js";
import type { CommitDate } from "../git/date.js";
import { type CommitWords, encodeSyntheticCommit, hashObject, type Kind } from "../git/objects.js";
import { hexOid } from "../git/oid.js";
import type { Sink } from "../sink.js";
import type { Contents, TreeStore, Unreads } from "./base/content.js";
import { type Noticed, noticedOf } from "./base/noticed.js";
import { findHot } from "./hot.js";
import { type ImageSizes, writeImage } from "./image.js";
import { type LayoutRun, writeLayout } from "./layout.js";
import { MemoryTrees } from "./memory-trees.js";
import type { Executor } from "./pack/jobs.js";
import type { PackerOptions } from "./pack/options.js";
import { type PackedObjects, Packer } from "./pack/packer.js";
import type { WrittenPack } from "./pack/writer.js";
import { type OidOf, type Snapshot, takeSnapshot } from "./snapshot.js";
import { findDanglingLinks } from "./source/dangling-links.js";
import { FolderTree, type Listing, SourceFolder } from "./source/listing.js";

/** Room for this many more folders than files. */
const FOLDERS_MIN = 1024;

/** How to make an image of a listing. */
export interface ListingOptions extends PackerOptions, CommitWords {
  /** Bytes. */
  blockSize: number;
  /** The commit's. */
  date: CommitDate;
  /** Takes the trees. By default they stay in memory. */
  trees?: TreeStore | undefined;
  /** Told of the pack when it is written. */
  onPacked?: ((pack: WrittenPack) => void) | undefined;
  /** Paths whose files come first in the pack. */
  hot?: readonly Path[] | undefined;
  /** Whether the image gets a layout section. Default: true. */
  layout?: boolean | undefined;
  onNotice?: ((text: string) => void) | undefined;
  oldPoints?: LayoutRun["oldPoints"];
}

/** The result. */
export interface ListingSummary extends ImageSizes {
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  objectCount: number;
  deltaCount: number;
  /** With an earlier image: the objects whose entries were taken from it. */
  reusedCount?: number;
  /** Files and symbolic links, counted by path, and their bytes. */
  fileCount: number;
  contentBytes: number;
  /** Symbolic links that no reader can follow: they lead to nothing in the image, out of it, or to themselves. */
  danglingLinks: Noticed;
}

/** One object in memory. */
function unreadOf(content: Uint8Array): Unreads {
  return { length: 1, sizeOf: () => content.length, at: () => ({ size: content.length, content }) };
}

/**
 * Reads all files and makes the trees. Afterwards the listing has no tree any more, and the listing and the packer have
 * only the blobs that the pack will hold: of millions of paths these may be few.
 */
async function surveyFiles(
  packer: Packer,
  listing: Listing,
  oidOf: OidOf,
  { trees = new MemoryTrees() }: ListingOptions,
): Promise<Snapshot & { danglingLinks: Noticed }> {
  const oids = await packer.survey("blob", listing.blobs);
  const snapshot = takeSnapshot(listing, oids, oidOf, trees);
  const danglingLinks = noticedOf(findDanglingLinks(listing));
  listing.tree = new FolderTree(new SourceFolder([]));
  packer.keep(listing.blobs, snapshot.blobs);
  return { ...snapshot, danglingLinks };
}

/**
 * Writes an image of a listing, which it empties: of its files and folders, only those contents are left that the image
 * holds.
 * @param sink empty; the image is complete when the promise resolves
 * @throws DocteurError `Io` if content cannot be read, or has changed; the signal's reason
 */
export async function makeFromListing(
  listing: Listing,
  sink: Sink,
  executor: Executor,
  contents: Contents,
  options: ListingOptions,
): Promise<ListingSummary> {
  const oidOf = (kind: Kind, content: Uint8Array): Uint8Array => hashObject(contents.sha1(), kind, content);
  // Most folders are distinct trees, unless there are far more folders than files.
  const treeCount = Math.min(listing.tree.folderCount(), listing.blobs.length + FOLDERS_MIN);
  const packer = new Packer(executor, listing.blobs.length + treeCount + 1, options);
  const { danglingLinks, ...snapshot } = await surveyFiles(packer, listing, oidOf, options);
  const { trees, root: tree, places, fileCount, contentBytes } = snapshot;
  const firstTree = snapshot.blobs.length;
  const content = encodeSyntheticCommit(tree, options.date, options);
  const commit = oidOf("commit", content);
  await packer.survey("tree", trees);
  await packer.survey("commit", unreadOf(content));
  const hot = findHot(options.hot ?? [], {
    root: firstTree,
    trees,
    firstTree,
    contents,
    numbers: places.numbers,
    oids: packer.oids(),
  });
  let packed: PackedObjects | undefined;
  const sizes = await writeImage(
    sink,
    options.blockSize,
    commit,
    async () => {
      packed = await packer.write(sink, places, contents.sha1, hot);
      options.onPacked?.(packed);
      return packed.idx;
    },
    async (image) => {
      if (options.layout === false) return;
      const objects = { rows: packed!, trees, firstTree, contents, commit, tree };
      await writeLayout(sink, image, objects, options);
    },
  );
  const { deltaCount, reusedCount } = packed!;
  return {
    commit: hexOid(commit),
    tree: hexOid(tree),
    objectCount: places.count,
    deltaCount,
    ...(options.reuse === undefined ? {} : { reusedCount }),
    fileCount,
    contentBytes,
    danglingLinks,
    ...sizes,
  };
}

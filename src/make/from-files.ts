/** An image of a directory or of an archive, or of several sources together. */
import { join } from "node:path";
import { type CommitDate, dateOfFiles } from "../git/date.js";
import type { Replacement } from "../node/replace-file.js";
import { fileContents } from "./base/file-contents.js";
import { noticedOf } from "./base/noticed.js";
import { type ListingSummary, makeFromListing } from "./from-listing.js";
import { type OldImage, openOld } from "./from-old.js";
import type { GitSource } from "./git/source.js";
import { joinSources, type PlacedSource } from "./join.js";
import { type Listed, listSource, ScratchPaths } from "./list.js";
import type { FileSource } from "./locate.js";
import { pointsOfOld } from "./old-points.js";
import { DEPTH, type Job, type MakeSummary, SEEK_MIN } from "./options.js";
import { withWorkers } from "./pack/workers.js";
import { contentLen as contentLenOf } from "./source/listing.js";
import { TreeSpool } from "./tree-spool.js";

/** From this number of files on, trees are kept in a file. */
const SPOOLED_MIN = 100_000;

/** A source, and its place in the image. */
export interface Placed extends Omit<PlacedSource, "listed"> {
  source: GitSource | FileSource;
  /** The options that are for this source. */
  job: Job;
}

/** Lists all sources. @returns the listing, and the message of the commit if the job has none */
async function listAll(
  sources: readonly Placed[],
  replacement: Replacement,
): Promise<Listed & { message?: string }> {
  const scratch = new ScratchPaths(replacement.scratch);
  const [first] = sources;
  if (sources.length === 1 && first!.prefix === "")
    return listSource(first!.source, first!.job, replacement, scratch);
  const placed: PlacedSource[] = [];
  for (const { prefix, name, source, job } of sources)
    placed.push({ prefix, name, listed: await listSource(source, job, replacement, scratch) });
  return joinSources(placed);
}

/**
 * Writes an image of a directory or an archive, or of several sources.
 * @param sources one with an empty prefix, or several
 * @param date the commit's; by default that of the newest file, or of a newer commit among the sources
 * @throws DocteurError `BadSource`, `Io`; those of git's sources; the signal's reason
 */
export async function makeFromFiles(
  sources: readonly Placed[],
  job: Job,
  date: CommitDate | undefined,
  replacement: Replacement,
): Promise<MakeSummary> {
  const { depth = DEPTH } = job;
  const [opening, listingAll] = await Promise.allSettled([
    job.from === undefined ? undefined : openOld(job.from, job.memory?.imageAt(job.from), depth),
    listAll(sources, replacement),
  ]);
  const old = opening.status === "fulfilled" ? opening.value : undefined;
  try {
    if (listingAll.status === "rejected") throw listingAll.reason;
    if (opening.status === "rejected") throw opening.reason;
    const summary = await pack(listingAll.value, old, job, date, replacement);
    old?.settle();
    return summary;
  } finally {
    old?.close();
  }
}

async function pack(
  listed: Listed & { message?: string },
  old: OldImage | undefined,
  job: Job,
  date: CommitDate | undefined,
  replacement: Replacement,
): Promise<MakeSummary> {
  const { blockSize, depth = DEPTH, signal, onProgress } = job;
  const { listing } = listed;
  const { blobs } = listing;
  const contentLen = job.memory?.unknownLen(blobs) ?? contentLenOf(listing);
  const load = { objectCount: blobs.length, contentLen };
  const spool =
    load.objectCount < SPOOLED_MIN ? undefined : new TreeSpool(join(await replacement.scratch(), "trees"));
  try {
    const made = await withWorkers(job, load, signal, (executor) =>
      makeFromListing(listing, replacement.sink, executor, fileContents, {
        date: date ?? dateOfFiles(listing.newest),
        author: job.author,
        message: job.message ?? listed.message,
        blockSize,
        depth,
        effort: job.effort,
        trees: spool,
        reuse: old?.reuse,
        ids: job.memory,
        onPacked: (pack) => job.memory?.packed(pack),
        layout: job.layout,
        hot: job.hot,
        seekMin: job.seek ?? SEEK_MIN,
        oldPoints: old && pointsOfOld(old.reuse.old),
        onNotice: job.onNotice,
        signal,
        onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
      }),
    );
    return summaryOf(listed, made, blockSize);
  } finally {
    spool?.close();
  }
}

function summaryOf(listed: Listed, made: ListingSummary, blockSize: number): MakeSummary {
  const { kind, submodules, lfsPointers } = listed;
  const { skipped, strippedCount } = listed.listing;
  return {
    sourceKind: kind,
    ...made,
    omittedSubmodules: noticedOf(submodules),
    lfsPointers: noticedOf(lfsPointers),
    blockSize,
    skipped: skipped.first,
    skippedCount: skipped.count,
    strippedCount,
  };
}

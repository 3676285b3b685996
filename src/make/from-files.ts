/** An image of a directory, or of a tar archive. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { byteString } from "../git/byte-string.js";
import { type CommitDate, dateOfFiles } from "../git/date.js";
import { listWorkTree } from "../git-program/work-tree.js";
import { ioError } from "../node/io-error.js";
import type { Replacement } from "../node/replace-file.js";
import { fileContents } from "./base/file-contents.js";
import { type ListingSummary, makeFromListing } from "./from-listing.js";
import type { FileSource } from "./locate.js";
import { DEPTH, type Job, type MakeSummary } from "./options.js";
import { withWorkers } from "./pack/workers.js";
import { openArchive } from "./source/archive.js";
import { listDirectory } from "./source/directory.js";
import { ExcludePatterns } from "./source/exclude.js";
import { contentLen, type Listing } from "./source/listing.js";
import { parseSubdir } from "./source/part.js";
import { listTar } from "./source/tar.js";
import { TreeSpool } from "./tree-spool.js";

/** From this number of files on, trees are kept in a file. */
const SPOOLED_MIN = 100_000;

async function list(
  source: FileSource,
  job: Job,
  { target, temporary, scratch }: Replacement,
): Promise<Listing> {
  const { signal, onProgress } = job;
  const options = {
    exclude: new ExcludePatterns(job.exclude ?? []),
    part: {
      subdir: byteString(parseSubdir(job.subdir ?? "") ?? "")
        .split("/")
        .filter((name) => name !== ""),
      strip: job.stripComponents ?? 0,
    },
    skipSpecial: job.skipSpecial ?? false,
    signal,
    onNotice: job.onNotice,
    onProgress: (done: number) => onProgress?.({ phase: "scan", done, total: undefined }),
  };
  if (source.kind === "tar") {
    const archive = await openArchive(source.path, source.isStream, scratch, signal);
    try {
      return await listTar(archive, options);
    } finally {
      archive.close();
    }
  }
  const path = await realpath(source.path).catch((cause: unknown) => {
    throw ioError("read", source.path, cause);
  });
  const only = job.worktree ? await listWorkTree(path, signal) : undefined;
  return listDirectory(path, {
    ...options,
    only,
    compat: job.compat ?? false,
    dereference: job.dereference ?? false,
    outputs: [target, temporary],
  });
}

/**
 * Writes an image of a directory or an archive.
 * @param date the commit's; by default that of the newest file
 * @throws DocteurError `BadSource`, `Io`; the signal's reason
 */
export async function makeFromFiles(
  source: FileSource,
  job: Job,
  date: CommitDate | undefined,
  replacement: Replacement,
): Promise<MakeSummary> {
  const { blockSize, depth = DEPTH, signal, onProgress } = job;
  const listing = await list(source, job, replacement);
  const load = { objectCount: listing.blobs.length, contentLen: contentLen(listing) };
  const spool =
    load.objectCount < SPOOLED_MIN ? undefined : new TreeSpool(join(await replacement.scratch(), "trees"));
  try {
    const made = await withWorkers(job.workers, load, signal, (executor) =>
      makeFromListing(listing, replacement.sink, executor, fileContents, {
        date: date ?? dateOfFiles(listing.newest),
        author: job.author,
        message: job.message,
        blockSize,
        depth,
        trees: spool,
        signal,
        onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
      }),
    );
    return summaryOf(source, listing, made, blockSize);
  } finally {
    spool?.close();
  }
}

function summaryOf(
  source: FileSource,
  { skipped, strippedCount }: Listing,
  made: ListingSummary,
  blockSize: number,
): MakeSummary {
  const nothing = { count: 0, paths: [] };
  return {
    kind: source.kind,
    ...made,
    submodules: nothing,
    lfsPointers: nothing,
    blockSize,
    skipped: skipped.first,
    skippedCount: skipped.count,
    strippedCount,
  };
}

/** Makes disk images: the library function behind `docteur make`. */
import { realpath } from "node:fs/promises";
import { isBlockSize } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { ioError } from "../io-error.js";
import { type Replacement, replaceFile } from "../write-file.js";
import { type CommitDate, dateInUtc, dateOfFiles, parseDate } from "./date.js";
import { makeFromListing } from "./from-listing.js";
import { copyPack, packCommit } from "./git/pack.js";
import { resolveCommit } from "./git/revision.js";
import { type ImageSizes, writeImage } from "./image.js";
import { startWorkers, WORKERS_MAX } from "./pack/start-workers.js";
import { openArchive } from "./source/archive.js";
import { listDirectory } from "./source/directory.js";
import { ExcludePatterns } from "./source/exclude.js";
import { fileContents } from "./source/file.js";
import { contentLen, type Listing } from "./source/folder.js";
import { locateSource, type Source } from "./source/locate.js";
import { listTar } from "./source/tar.js";

/** How far the work has come. */
export interface MakeProgress {
  /** `scan`: listing the source's files; `read`: reading them; `compare`: looking for deltas; `pack`: compressing and writing. */
  phase: "scan" | "read" | "compare" | "pack";
  /** Files in phase `scan`, objects in `read` and `pack`, pairs of objects in `compare`. */
  done: number;
  /** What `done` will be at the end, where that is known. */
  total: number | undefined;
}

/** What to make. Options that the kind of source cannot honour are refused. */
export interface MakeOptions {
  /** Git sources only: a branch, tag, full ref, or (abbreviated) commit id. Default: HEAD. */
  ref?: string | undefined;
  /**
   * The date of a directory's or an archive's commit, RFC 3339 with its offset from UTC, or a `Date`, in UTC. Default: that of its newest file
   * or symbolic link; without any, 1970-01-01T00:00:00Z. A commit of a git repository has its own.
   */
  date?: string | Date | undefined;
  /** The image's block size in bytes: a power of two, 512 to 2^30. Default: 512. */
  blockSize?: number | undefined;
  /** Plain directories only: executables become plain files and symbolic links are followed, as docteur 0.0.7 has it. */
  compat?: boolean | undefined;
  /**
   * Not of a git source: the longest chain of deltas, 0 to 4095. Longer chains take less space, and more time to read.
   * Default: 50.
   */
  depth?: number | undefined;
  /** Not of a git source: how many threads pack, 1 to 8; they have no part in the bytes. Default: one a processor. */
  workers?: number | undefined;
  /**
   * Directories and archives only: what to leave out, in patterns as of a `.gitignore`. One without a slash matches a name at any depth, others match
   * from the root of the source; a directory that matches is left out whole.
   */
  exclude?: readonly string[] | undefined;
  /** Directories and archives: leave out FIFOs, sockets and devices, which are errors otherwise. */
  skipSpecial?: boolean | undefined;
  /** Ends the work: the target stays as it was. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MakeProgress) => void) | undefined;
}

/** What was made. */
export interface MakeSummary extends ImageSizes {
  kind: "git" | "directory" | "tar";
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  /** Objects in the pack. */
  objectCount: number;
  /** Files and symbolic links, by path: the same content counts every time. */
  fileCount: number;
  /** Submodules: entries of the trees that have no object. */
  submoduleCount: number;
  blockSize: number;
  /** Paths of the source that were left out: `.git` inside a directory or an archive, and with `skipSpecial` special files. */
  skipped: string[];
}

/** git's own default. */
const DEPTH = 50;

/** The longest chain that git and docteur read. */
const DEPTH_MAX = 4095;

type Job = MakeOptions & { path: string; blockSize: number };

async function makeFromGit(job: Job, { sink, scratch }: Replacement): Promise<MakeSummary> {
  const { signal, onProgress, blockSize } = job;
  const source = await resolveCommit(job.path, job.ref, signal);
  const report = (done: number): void => onProgress?.({ phase: "scan", done, total: undefined });
  const pack = await packCommit(source, await scratch(), report, signal);
  const sizes = await writeImage(sink, blockSize, Buffer.from(source.commit, "hex"), async () => {
    await copyPack(pack, sink);
    return pack.idx;
  });
  const { tree, objectCount, fileCount, submoduleCount } = pack;
  const ids = { commit: source.commit, tree };
  return { kind: "git", ...ids, objectCount, fileCount, submoduleCount, blockSize, ...sizes, skipped: [] };
}

/** Lists a directory or an archive. */
async function list(job: Job, source: Source, { target, temporary, scratch }: Replacement): Promise<Listing> {
  const { signal, onProgress } = job;
  const options = {
    exclude: new ExcludePatterns(job.exclude ?? []),
    skipSpecial: job.skipSpecial ?? false,
    signal,
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
  return listDirectory(path, { ...options, compat: job.compat ?? false, outputs: [target, temporary] });
}

async function makeFromFiles(
  job: Job,
  source: Source,
  date: CommitDate | undefined,
  replacement: Replacement,
): Promise<MakeSummary> {
  const { blockSize, signal, onProgress } = job;
  const listing = await list(job, source, replacement);
  const executor = await startWorkers(job.workers, contentLen(listing));
  // Work that nobody waits for any more ends at once.
  const stop = (): void => void executor.close();
  signal?.addEventListener("abort", stop);
  const made = await makeFromListing(listing, replacement.sink, executor, fileContents, {
    depth: job.depth ?? DEPTH,
    blockSize,
    date: date ?? dateOfFiles(listing.newest),
    signal,
    onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return executor.close();
  });
  return { kind: source.kind, ...made, submoduleCount: 0, blockSize, skipped: listing.skipped };
}

function refuse(message: string, hint: string): never {
  throw new DocteurError("InvalidArgument", message, { hint });
}

function checkCount(what: string, count: number | undefined, least: number, most: number): void {
  if (count === undefined || (Number.isInteger(count) && count >= least && count <= most)) return;
  refuse(`${what} is ${count}`, `--${what} is a whole number from ${least} to ${most}`);
}

/**
 * Makes an image of a commit, of a directory, or of a tar archive.
 *
 * The same source and options give the same bytes: the order of directories, times of files, settings of git and the
 * machine have no part in it. (Give a `date` where a directory's newest file may have another time.) A git source is packed by the `git` program;
 * directories and archives need none.
 *
 * @param source a path, `file:///absolute/path` or `relativize://relative/path`: the root of a git work tree, a bare git
 *   repository, any other directory, or a tar archive, which gzip may have compressed; "-" is an archive in standard input
 * @param target the image's file, replaced whole when the image is complete; it may lie inside a directory source, and
 *   is no part of it then
 * @returns what was made
 * @throws DocteurError `InvalidArgument` for options, `BadSource` for what cannot be in an image, `Io`;
 *   the reason of `options.signal`
 * @example
 * const { commit } = await make("site", "site.img", { date: "2024-06-07T08:09:10+02:00" });
 */
export async function make(source: string, target: string, options: MakeOptions = {}): Promise<MakeSummary> {
  const { ref, date, compat, exclude, depth, workers, signal, blockSize = 512 } = options;
  if (!isBlockSize(blockSize))
    refuse(`not a block size: ${blockSize}`, "a block size (--bs) is a power of two, at least 512");
  if (target === "") refuse("the image's path is empty", "give the file to write");
  checkCount("depth", depth, 0, DEPTH_MAX);
  checkCount("workers", workers, 1, WORKERS_MAX);
  signal?.throwIfAborted();
  const moment = typeof date === "string" ? parseDate(date) : date && dateInUtc(date);
  const located = locateSource(source);
  const { kind, path } = located;
  const job: Job = { ...options, path, blockSize };
  if (compat && kind !== "directory")
    refuse(
      kind === "git"
        ? `${path} is a git repository: its trees are taken as they are`
        : `${path} is no directory: its members are taken as they are`,
      "--compat is for plain directories",
    );
  if (kind === "git") {
    if (exclude !== undefined && exclude.length > 0)
      refuse(
        `${path} is a git repository: its trees are taken whole`,
        "--exclude is for directories and archives",
      );
    return replaceFile(target, (replacement) => makeFromGit(job, replacement), signal);
  }
  if (ref !== undefined)
    refuse(
      `${path} is ${kind === "tar" ? "no repository" : "a plain directory"}: it has no revision ${ref}`,
      "-b is for git repositories",
    );
  return replaceFile(target, (replacement) => makeFromFiles(job, located, moment, replacement), signal);
}

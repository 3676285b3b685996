/** The options, progress and results of `make`, and the checks that all makers share. */

import {
  type Check,
  type Checks,
  isAnything,
  isBoolean,
  isFunction,
  isListOfPaths,
  isNumber,
  isSignal,
  isString,
  type Path,
} from "../arguments.js";
import { isBlockSize } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { type CommitDate, dateInUtc, parseDate } from "../git/date.js";
import type { CommitWords } from "../git/objects.js";
import { checkMessage, checkPerson, isPerson, type Person } from "../git/person.js";
import type { StepNumbers } from "../progress-steps.js";
import { type Effort, isEffort } from "./base/effort.js";
import type { Noticed } from "./base/noticed.js";
import type { ImageSizes } from "./image.js";
import type { MakeMemory } from "./memory-of-makes.js";
import type { Skipped } from "./source/listing.js";

/** Progress of a phase. */
export interface PhaseProgress {
  /**
   * `fetch`: receiving objects from another machine; `scan`: listing the source's files; `read`: reading them; `compare`:
   * looking for deltas; `pack`: compressing and writing.
   */
  phase: "fetch" | "scan" | "read" | "compare" | "pack";
  /** Files in phase `scan`, pairs of objects in `compare`, else objects. */
  done: number;
  /** The value of `done` at the end, if it is known. */
  total: number | undefined;
}

/** Progress of the work, with the number of the present step. */
export type MakeProgress = PhaseProgress & StepNumbers;

/** Options of `make`. Options that do not apply to the kind of source are refused. */
export interface MakeOptions {
  /**
   * Git sources only: a branch, tag, full ref or commit id. An id may be abbreviated only for a local
   * repository. Default: HEAD.
   */
  ref?: string | undefined;
  /**
   * A directory of the source that becomes the root of the image. Patterns of `exclude` still match from the
   * root of the source. If this option, `exclude` or `stripComponents` takes a part of a commit, the part
   * gets a new commit, whose message names the original.
   */
  subdir?: string | undefined;
  /** Git sources only: submodules and Git LFS pointers are errors. */
  strict?: boolean | undefined;
  /** Git sources only: choose deltas as for directories, which saves space. By default git chooses them. */
  repack?: boolean | undefined;
  /**
   * The date of a directory's or an archive's commit, RFC 3339 with its offset from UTC, or a `Date`, in UTC.
   * Default: the time of the newest file or symbolic link; without any, 1970-01-01T00:00:00Z. Commits of git
   * repositories keep their dates.
   */
  date?: string | Date | undefined;
  /**
   * The author and committer of a commit that `make` writes: of a directory, an archive, a work tree's files,
   * or a part of a commit. Default: Dr. Greenthumb, as in docteur 0.0.7; for a part of a commit, the people
   * of that commit.
   */
  author?: Person | undefined;
  /**
   * The message of a commit that `make` writes. A line feed is added to its last line if it lacks one.
   * Default: none; for a part of a commit, a line that names the part and the commit.
   */
  message?: string | undefined;
  /** The image's block size in bytes: a power of two, 512 to 2^30. Default: 512. */
  blockSize?: number | undefined;
  /**
   * Plain directories only: executables become plain files and symbolic links are followed, as in docteur
   * 0.0.7.
   */
  compat?: boolean | undefined;
  /**
   * Plain directories only: symbolic links are followed, wherever they lead. The image has their targets in
   * their place. Links without a target, and links to a directory that contains them, are errors.
   */
  dereference?: boolean | undefined;
  /**
   * Patterns of files to leave out, with the syntax of a `.gitignore`. A pattern without a slash matches a
   * name at any depth; others match from the root of the source. A directory that matches is left out whole.
   * A commit stays unchanged if nothing is left out.
   */
  exclude?: readonly string[] | undefined;
  /**
   * The number of leading names to remove from every path, as in GNU tar; with `subdir`, from paths below it.
   * Files and links with no more names are left out and counted. If two files of an archive get one path, the
   * last one counts; in other sources this is an error.
   */
  stripComponents?: number | undefined;
  /** Directories and archives only: leave out FIFOs, sockets and devices. By default they are errors. */
  skipSpecial?: boolean | undefined;
  /**
   * The longest chain of deltas, 0 to 4095, unless git chooses the deltas. Longer chains take less space, and
   * more time to read. Default: 20.
   */
  depth?: number | undefined;
  /**
   * How thoroughly to look for what makes the image small, unless git chooses the deltas: `fast` takes about half the time
   * of `default`, for a larger image; `small` takes up to three times as long, for a smaller one. Default: "default".
   */
  effort?: Effort | undefined;
  /**
   * Whether the image gets a layout section, by which readers find paths faster and without trees. docteur 0.0.7 ignores
   * it. Default: true.
   */
  layout?: boolean | undefined;
  /**
   * Paths of the image whose files come first in it, after their directories, so that readers over a network have them
   * with the image's first bytes; a directory stands for all below it. Empty paths are skipped. Not for commits that git
   * packs.
   */
  hot?: readonly Path[] | undefined;
  /**
   * Files of at least this many bytes that are stored whole get seek points, unless git packs them: readers then begin in
   * the middle of a file. `Infinity`: none do. Default: 2^20.
   */
  seek?: number | undefined;
  /**
   * The number of threads that pack, 1 to 8, unless git chooses the deltas. It does not change the bytes.
   * Default: one for each processor, up to 6, and fewer for many files, so that 512 MB of memory are enough.
   */
  workers?: number | undefined;
  /**
   * Git work trees only: take the present files as a directory: those that git tracks, or would track after
   * `git add`.
   */
  worktree?: boolean | undefined;
  /** Repositories on other machines only: the most seconds that fetching may take. Default: no limit. */
  timeout?: number | undefined;
  /** Repositories on other machines only: the most bytes that fetching may store. Default: no limit. */
  maxFetch?: number | undefined;
  /**
   * Further sources, each with a directory of the image of its own. The options `exclude`, `skipSpecial`, `strict`,
   * `timeout` and `maxFetch` are for every source, the others about files for the main one. The image gets a commit of
   * its own, whose message names the sources.
   */
  add?: readonly AddedSource[] | undefined;
  /**
   * An earlier image, a path: objects that it has are taken as they are packed in it, which takes a fraction of the time
   * for a small change. Its bytes then are an input like the sources. It must be sound, which is proven first. Not for
   * git sources that git packs.
   */
  from?: string | undefined;
  /** Ends the work. The target stays as it was. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MakeProgress) => void) | undefined;
  /** Receives notices, a line each, about slow or unexpected steps. */
  onNotice?: ((text: string) => void) | undefined;
}

const isListOfStrings: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? undefined : "a list of strings";

const isListOfAdded: Check = (value) =>
  Array.isArray(value) &&
  value.every(
    (item: Partial<AddedSource> | null) =>
      typeof item?.prefix === "string" &&
      typeof item.source === "string" &&
      (item.ref === undefined || typeof item.ref === "string"),
  )
    ? undefined
    : "a list of objects with prefix, source and perhaps ref";

/** A source that is added to an image. */
export interface AddedSource {
  /** The directory of the image that takes the source's files: names with slashes between them. */
  prefix: string;
  /** As the source of `make`. */
  source: string;
  /** Git sources only: a branch, tag, full ref or commit id. Default: HEAD. */
  ref?: string | undefined;
}

/** The type of each option. Ranges, and the options that a kind of source allows, are checked elsewhere. */
export const OPTION_CHECKS: Checks & Record<keyof MakeOptions, Check> = {
  ref: isString,
  subdir: isString,
  strict: isBoolean,
  repack: isBoolean,
  date: isAnything,
  author: isPerson,
  message: isString,
  blockSize: isNumber,
  compat: isBoolean,
  dereference: isBoolean,
  exclude: isListOfStrings,
  stripComponents: isNumber,
  skipSpecial: isBoolean,
  depth: isNumber,
  effort: isEffort,
  layout: isBoolean,
  hot: isListOfPaths,
  seek: isNumber,
  workers: isNumber,
  worktree: isBoolean,
  add: isListOfAdded,
  from: isString,
  timeout: isNumber,
  maxFetch: isNumber,
  signal: isSignal,
  onProgress: isFunction,
  onNotice: isFunction,
};

/** Options, with defaults filled in. */
export type Job = Omit<MakeOptions, "onProgress"> & {
  blockSize: number;
  onProgress?: ((progress: PhaseProgress) => void) | undefined;
  /** What earlier makes of this process left. */
  memory?: MakeMemory | undefined;
};

/** The result of `make`. */
export interface MakeSummary extends ImageSizes {
  /** `mixed` if `add` puts sources together. */
  sourceKind: "git" | "directory" | "tar" | "zip" | "image" | "mixed";
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  /** Objects in the pack. */
  objectCount: number;
  /** Those that are stored as deltas; missing if git packed them. */
  deltaCount?: number;
  /** Files and symbolic links, counted by path. */
  fileCount: number;
  /** The content of all files, path by path, without the targets of symbolic links. */
  contentBytes: number;
  /** With `from`: the objects whose entries were taken from the earlier image. */
  reusedCount?: number;
  /** Git sources: the commit of the source. It differs from `commit` if only a part of it was taken. */
  sourceCommit?: string;
  /** Submodules: entries of the trees without an object in the image. */
  omittedSubmodules: Noticed;
  /** Files of a git source whose content Git LFS keeps elsewhere. The image has only their pointers. */
  lfsPointers: Noticed;
  /**
   * Symbolic links that no reader can follow: they lead to nothing in the image, out of it, or to themselves.
   * In sources with very many links, only those are counted that a limited amount of work finds.
   */
  danglingLinks: Noticed;
  blockSize: number;
  /**
   * Paths of the source that were left out: their number, and the first thousand of them: `.git` inside a
   * directory or an archive ("git"), temporary files of other runs ("temporary"), and with `skipSpecial`
   * special files ("special").
   */
  skipped: Skipped[];
  skippedCount: number;
  /** Files and links that `stripComponents` leaves out. */
  strippedCount: number;
}

/** The default for the longest chain of deltas: longer ones save very little (docs/BENCHMARKS.md). */
export const DEPTH = 20;

/** The default for the least size of files with seek points. */
export const SEEK_MIN = 1 << 20;

/** The longest chain of deltas that git and docteur read. */
const DEPTH_MAX = 4095;

/** The error for an invalid option. */
export function refuse(message: string, hint: string): never {
  throw new DocteurError("InvalidArgument", message, { hint });
}

/** @throws DocteurError `InvalidArgument` */
export function checkBlockSize(blockSize: number): void {
  if (!isBlockSize(blockSize))
    refuse(`not a block size: ${blockSize}`, "a block size (--bs) is a power of two, at least 512");
}

/** @throws DocteurError `InvalidArgument` */
export function checkCount(what: string, count: number, least: number, most: number): void {
  if (!Number.isInteger(count) || count < least || count > most)
    refuse(`not a number for ${what}: ${count}`, `--${what} is a whole number from ${least} to ${most}`);
}

/** @throws DocteurError `InvalidArgument` */
export function checkDepth(depth: number): void {
  checkCount("depth", depth, 0, DEPTH_MAX);
}

/** @throws DocteurError `InvalidArgument` */
export function checkSeek(seek: number): void {
  if (seek !== Number.POSITIVE_INFINITY) checkCount("seek", seek, 0, Number.MAX_SAFE_INTEGER);
}

/** Checks the author and the message that options give. @throws DocteurError `InvalidArgument` */
export function checkWords({ author, message }: CommitWords): void {
  if (author !== undefined) checkPerson(author);
  if (message !== undefined) checkMessage(message);
}

/** The date that an option gives. @throws DocteurError `InvalidArgument` */
export function commitDate(date: string | Date): CommitDate {
  return typeof date === "string" ? parseDate(date) : dateInUtc(date);
}

/** What `make` is told, tells on the way, and answers; and the checks that all makers share. */

import {
  type Check,
  type Checks,
  isAnything,
  isBoolean,
  isFunction,
  isNumber,
  isSignal,
  isString,
} from "../arguments.js";
import { isBlockSize } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { type CommitDate, dateInUtc, parseDate } from "../git/date.js";
import type { CommitWords } from "../git/objects.js";
import { checkMessage, checkPerson, isPerson, type Person } from "../git/person.js";
import type { StepNumbers } from "../progress-steps.js";
import type { Noticed } from "./base/noticed.js";
import type { ImageSizes } from "./image.js";
import type { Skipped } from "./source/listing.js";

/** How far a phase has come. */
export interface PhaseProgress {
  /**
   * `fetch`: receiving objects from another machine; `scan`: listing the source's files; `read`: reading them; `compare`:
   * looking for deltas; `pack`: compressing and writing.
   */
  phase: "fetch" | "scan" | "read" | "compare" | "pack";
  /** Files in phase `scan`, pairs of objects in `compare`, else objects. */
  done: number;
  /** What `done` will be at the end, where that is known. */
  total: number | undefined;
}

/** How far the work has come, and which of its steps this is. */
export type MakeProgress = PhaseProgress & StepNumbers;

/** What to make. Options that the kind of source cannot honour are refused. */
export interface MakeOptions {
  /**
   * Git sources only: a branch, tag, full ref or commit id, which only a repository on this machine knows by its first
   * digits. Default: HEAD.
   */
  ref?: string | undefined;
  /**
   * A directory of the source, to be the root of the image. Patterns of `exclude` still match from the root of the source.
   * A part of a commit, whether by this option, `exclude` or `stripComponents`, has a commit of its own, whose message
   * names the original.
   */
  subdir?: string | undefined;
  /** Git sources only: submodules and Git LFS pointers are errors. */
  strict?: boolean | undefined;
  /** Git sources only: choose deltas as for directories, which takes less space, instead of having git choose them. */
  repack?: boolean | undefined;
  /**
   * The date of a directory's or an archive's commit, RFC 3339 with its offset from UTC, or a `Date`, in UTC. Default: that
   * of its newest file or symbolic link; without any, 1970-01-01T00:00:00Z. A commit of a git repository has its own.
   */
  date?: string | Date | undefined;
  /**
   * The author and committer of a commit that `make` writes: of a directory, an archive, a work tree's files, or a part of
   * a commit. Default: Dr. Greenthumb, as docteur 0.0.7 has it; of a part of a commit, the people of that commit.
   */
  author?: Person | undefined;
  /**
   * The message of such a commit; its last line is ended. Default: none; of a part of a commit, a line that names the part
   * and the commit.
   */
  message?: string | undefined;
  /** The image's block size in bytes: a power of two, 512 to 2^30. Default: 512. */
  blockSize?: number | undefined;
  /** Plain directories only: executables become plain files and symbolic links are followed, as docteur 0.0.7 has it. */
  compat?: boolean | undefined;
  /**
   * Plain directories only: symbolic links are followed, wherever they lead, and what they lead to is in the image in
   * their place. Links to nothing, and to a directory that they are in, are errors.
   */
  dereference?: boolean | undefined;
  /**
   * What to leave out, in patterns as of a `.gitignore`. One without a slash matches a name at any depth, others match from
   * the root of the source; a directory that matches is left out whole. A commit of which nothing is left out stays itself.
   */
  exclude?: readonly string[] | undefined;
  /**
   * How many names to take away in front of every path, as GNU tar does; with `subdir` of paths from there. Files and
   * links of no more names are left out and counted. Of two files that get one path, the last one of an archive counts;
   * in other sources they are an error.
   */
  stripComponents?: number | undefined;
  /** Directories and archives only: leave out FIFOs, sockets and devices, which are errors otherwise. */
  skipSpecial?: boolean | undefined;
  /**
   * Not where git chooses the deltas: the longest chain of them, 0 to 4095. Longer chains take less space, and more time to
   * read. Default: 20.
   */
  depth?: number | undefined;
  /**
   * Not where git chooses the deltas: how many threads pack, 1 to 8; they have no part in the bytes. Default: one a
   * processor, up to 6, and fewer for many files: so many that 512 MB of memory are enough.
   */
  workers?: number | undefined;
  /** Git work trees only: take the files as they are, those that git tracks or would with `git add`, as a directory. */
  worktree?: boolean | undefined;
  /** Repositories on other machines only: how many seconds fetching may take. Default: as long as it takes. */
  timeout?: number | undefined;
  /** Repositories on other machines only: how many bytes fetching may store. Default: as many as there is room for. */
  maxFetch?: number | undefined;
  /** Ends the work: the target stays as it was. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MakeProgress) => void) | undefined;
  /** Told, in a line, what takes longer or goes another way than one would expect. */
  onNotice?: ((text: string) => void) | undefined;
}

const isListOfStrings: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? undefined : "a list of strings";

/** What each option must be. Ranges, and what a source can honour, are checked elsewhere. */
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
  workers: isNumber,
  worktree: isBoolean,
  timeout: isNumber,
  maxFetch: isNumber,
  signal: isSignal,
  onProgress: isFunction,
  onNotice: isFunction,
};

/** Options of which those with a default are complete. */
export type Job = Omit<MakeOptions, "onProgress"> & {
  blockSize: number;
  onProgress?: ((progress: PhaseProgress) => void) | undefined;
};

/** What was made. */
export interface MakeSummary extends ImageSizes {
  kind: "git" | "directory" | "tar";
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  /** Objects in the pack. */
  objectCount: number;
  /** Files and symbolic links, by path: the same content counts every time; and bytes of them. */
  fileCount: number;
  contentBytes: number;
  /** Git sources: the commit that was taken, which is not `commit` where it was taken in part. */
  sourceCommit?: string;
  /** Submodules: entries of the trees that have no object. */
  submodules: Noticed;
  /** Files of a git source whose content Git LFS keeps elsewhere: the image has the pointers to it. */
  lfsPointers: Noticed;
  /**
   * Symbolic links that no reader can follow: they lead to nothing in the image, out of it, or to themselves. Of sources
   * with very many links those are counted that a limited amount of work finds.
   */
  danglingLinks: Noticed;
  blockSize: number;
  /**
   * Paths of the source that were left out, the first thousand of them, and how many there are: `.git` inside a directory
   * or an archive ("git"), temporary files of other runs ("temporary"), and with `skipSpecial` special files ("special").
   */
  skipped: Skipped[];
  skippedCount: number;
  /** Files and links that `stripComponents` leaves out. */
  strippedCount: number;
}

/** The longest chain of deltas by default: longer ones save nothing to speak of (docs/BENCHMARKS.md). */
export const DEPTH = 20;

/** The longest chain that git and docteur read. */
const DEPTH_MAX = 4095;

/** An error in the options. */
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

/** Checks the author and the message that options give. @throws DocteurError `InvalidArgument` */
export function checkWords({ author, message }: CommitWords): void {
  if (author !== undefined) checkPerson(author);
  if (message !== undefined) checkMessage(message);
}

/** The date that an option gives. @throws DocteurError `InvalidArgument` */
export function commitDate(date: string | Date): CommitDate {
  return typeof date === "string" ? parseDate(date) : dateInUtc(date);
}

/**
 * Makes disk images: the library function behind `docteur make`.
 * @module docteur/make
 */
import { checkOptions, checkValue, isString } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { replaceFile } from "../node/replace-file.js";
import { numberSteps } from "../progress-steps.js";
import { makeFromFiles, type Placed } from "./from-files.js";
import { makeFromGit } from "./from-git.js";
import type { GitSource } from "./git/source.js";
import { parsePrefix } from "./join.js";
import { locateSource, type Source } from "./locate.js";
import { MakeMemory } from "./memory-of-makes.js";
import {
  checkBlockSize,
  checkCount,
  checkDepth,
  checkSeek,
  checkWords,
  commitDate,
  DEPTH,
  type Job,
  type MakeOptions,
  type MakeSummary,
  OPTION_CHECKS,
  type PhaseProgress,
  refuse,
  SEEK_MIN,
} from "./options.js";
import { WORKERS_MAX } from "./pack/workers.js";
import { parseSubdir, takesPart } from "./source/part.js";
import { type WatchOptions, watchAndMake } from "./watch.js";

/** The most names in a path. */
const STRIP_MAX = 512;

export type { Person } from "../git/person.js";
export type { StepNumbers } from "../progress-steps.js";
export type { Noticed, NoticedPath } from "./base/noticed.js";
export * from "./browser.js";
export type { AddedSource, MakeOptions, MakeProgress, MakeSummary, PhaseProgress } from "./options.js";
export type { Skipped, SkipReason } from "./source/listing.js";
export type { WatchOptions } from "./watch.js";

/** The command line's names of options for only some kinds of sources. */
const GIT_ONLY = { ref: "-b", strict: "--strict", repack: "--repack" } as const;
const REMOTE_ONLY = { timeout: "--timeout", maxFetch: "--max-fetch" } as const;
/** Options that a commit of git does not need: it has its own values. */
const WORDS = { author: "--author", message: "--message" } as const;

/** Refuses options that the source cannot honour. */
function checkHonoured(source: Source, options: MakeOptions): void {
  const isGiven = (name: keyof MakeOptions): boolean => {
    const value = options[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  };
  const forbid = (names: object, what: string, whose: string): void => {
    for (const [name, flag] of Object.entries(names))
      if (isGiven(name as keyof MakeOptions)) refuse(what, `${flag} is for ${whose}`);
  };
  const { kind } = source;
  // Only git knows whether a local repository is a partial clone.
  if (kind !== "remote" && (kind !== "git" || options.worktree))
    forbid(REMOTE_ONLY, `${source.path} is on this machine`, "git repositories on other machines");
  if (options.worktree) {
    if (kind !== "git")
      forbid(
        { worktree: "--worktree" },
        `${kind === "remote" ? source.address.url : source.path} is no git work tree`,
        "git work trees on this machine",
      );
    else forbid(GIT_ONLY, "--worktree takes files as they are, not a commit", "commits of git repositories");
    return;
  }
  if (kind === "git" || kind === "remote") {
    const which = kind === "git" ? source.path : source.address.url;
    forbid(
      { compat: "--compat", dereference: "--dereference" },
      `${which} is a git repository: its trees are taken as they are`,
      "plain directories",
    );
    forbid(
      { skipSpecial: "--skip-special" },
      `${which} is a git repository, which has no special files`,
      "directories, archives and --worktree",
    );
    const isJoined = options.add !== undefined;
    if (isJoined)
      forbid({ repack: "--repack" }, "docteur packs sources that --add puts together", "a repository alone");
    if (!isJoined && !takesPart(options))
      forbid(
        WORDS,
        `${which} is a git repository: its commit is taken as it is`,
        "--subdir, --exclude, --strip-components, --worktree, directories and archives",
      );
    if (!isJoined && !options.repack)
      forbid(
        {
          depth: "--depth",
          effort: options.effort === "small" ? "--small" : "--fast",
          workers: "--workers",
          from: "--from",
          hot: "--hot",
          seek: "--seek",
        },
        `${which} is a git repository: git packs it`,
        "--repack, directories and archives",
      );
    return;
  }
  forbid(
    GIT_ONLY,
    `${source.path} is ${kind === "archive" ? "an archive" : "a plain directory"}`,
    "git repositories",
  );
  if (kind === "archive")
    forbid(
      { compat: "--compat", dereference: "--dereference" },
      `${source.path} is an archive: its members are taken as they are`,
      "plain directories",
    );
}

/** git and relative paths need an existing working directory. */
function checkWorkingDirectory(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new DocteurError("Io", "the working directory does not exist any more", {
      hint: "change to another directory",
      cause,
    });
  }
}

/** Options about the files of the main source. */
const MAIN_ONLY = {
  ref: "-b",
  subdir: "--subdir",
  worktree: "--worktree",
  stripComponents: "--strip-components",
  dereference: "--dereference",
  compat: "--compat",
  repack: "--repack",
} as const;

/** Refuses options that need a main source. */
function checkWithoutMain(options: MakeOptions): void {
  if (options.add?.length === 0) refuse("there is no source", "give a SOURCE, or PREFIX=SOURCE with --add");
  for (const [name, flag] of Object.entries(MAIN_ONLY)) {
    const value = options[name as keyof typeof MAIN_ONLY];
    if (value !== undefined && value !== false)
      refuse(
        `${flag} is for SOURCE, and there is none`,
        "sources of --add are taken whole, but for --exclude",
      );
  }
}

/** Standard input can be read once. */
function checkStreams(sources: readonly (string | undefined)[]): void {
  if (sources.filter((source) => source === "-").length > 1)
    refuse("two sources are standard input", "give the other one as a file");
}

/** The main source, in the image's root. */
function placeMain(source: string | undefined, located: Source | undefined, job: Job): Placed[] {
  if (located === undefined) return [];
  const name = located.kind === "remote" ? located.address.url : source!;
  return [{ prefix: "", name, source: located, job }];
}

/** The added sources: options that are for the main source's files do not touch theirs. */
function placeAdded(job: Job): Placed[] {
  const { subdir: _, worktree: __, stripComponents: ___, dereference: ____, compat: _____, ...common } = job;
  return (job.add ?? []).map(({ prefix, source, ref }) => {
    const path = parsePrefix(prefix);
    const located = locateSource(source);
    const isGit = located.kind === "git" || located.kind === "remote";
    if (ref !== undefined && !isGit)
      refuse(`${source} is not a git repository`, "only a repository is given with a revision, as REPO@REF");
    const name = `${located.kind === "remote" ? located.address.url : source} (--add ${prefix})`;
    return { prefix: path, name, source: located, job: { ...common, ref } };
  });
}

/** The phases of making an image. The search for deltas has two rounds, unless it is to be fast. */
function phasesOf(main: Source | undefined, options: MakeOptions): PhaseProgress["phase"][] {
  const { repack, depth, effort, worktree, add = [] } = options;
  const isGit = main?.kind === "remote" || (main?.kind === "git" && !worktree);
  const packing: PhaseProgress["phase"][] =
    isGit && !repack && add.length === 0
      ? ["pack"]
      : depth === 0
        ? ["read", "pack"]
        : effort === "fast"
          ? ["read", "compare", "pack"]
          : ["read", "compare", "compare", "pack"];
  const listing = (kind: Source["kind"]): PhaseProgress["phase"][] =>
    kind === "remote" ? ["fetch", "scan"] : ["scan"];
  const kinds = add.map(({ source }) => locateSource(source).kind);
  return [...(main === undefined ? [] : [main.kind]), ...kinds].flatMap(listing).concat(packing);
}

/**
 * Makes an image of a commit, of a directory, or of an archive, or of several of them together.
 *
 * Equal sources and options give equal bytes: the order of directories, times of files, settings of git and
 * the machine do not matter. (Give a `date` if the time of a directory's newest file may differ.) The `git`
 * program fetches a git source and, unless `repack` is set, packs it. Directories and archives do not need
 * git.
 *
 * @param source a path, `file:///absolute/path` or `relativize://relative/path`: the root of a git work tree, a bare git
 *   repository, any other directory, a tar archive, plain or compressed by gzip, xz, zstd or bzip2, a zip archive,
 *   or another image; "-" is an archive in standard input; or the address of a git repository on another machine:
 *   `https://`, `http://`, `ssh://`, `git://` or `user@host:path`; undefined if `options.add` has all sources
 * @param target the image's file, replaced whole when the image is complete; it may lie inside a directory
 *   source, and is not part of the image then
 * @returns the ids, counts and sizes of the image
 * @throws DocteurError `InvalidArgument` for options, `BadSource` for entries that an image cannot hold,
 *   `Io`; of git sources also `NoGit`, `Network`, `AccessDenied`, `NoRepository`, `NoSuchRevision`,
 *   `EmptyRepository` and `Sha256Repository`; the reason of `options.signal`
 * @example
 * const { commit } = await make("site", "site.img", { date: "2024-06-07T08:09:10+02:00" });
 */
export function make(
  source: string | undefined,
  target: string,
  options: MakeOptions = {},
): Promise<MakeSummary> {
  return makeWith(source, target, options, undefined);
}

/**
 * Makes an image of a directory, and makes it again after every change, until `options.signal` aborts. Each make starts from
 * the last image and reads only files that changed since; the image is replaced whole. A make that fails is told to
 * `onFailed`, and the next change makes the image again.
 * @param source a directory, or with `worktree` a git work tree, on this machine
 * @param target the image, which may be inside the directory
 * @returns once the signal has aborted
 * @throws DocteurError `InvalidArgument` for options and other sources, `Io` if the system cannot watch the directory
 * @example
 * await watch("site", "site.img", { signal: AbortSignal.timeout(3_600_000), onMade: (made) => console.log(made.commit) });
 */
export async function watch(source: string, target: string, options: WatchOptions): Promise<void> {
  checkValue("the source", source, isString);
  const { onMade, onFailed, ...rest } = options;
  const located = locateSource(source);
  const isFolder = located.kind === "directory" || (located.kind === "git" && options.worktree === true);
  if (!isFolder || (options.add ?? []).length > 0)
    refuse(
      `only a directory can be watched${isFolder ? ", without --add" : `, and ${source} is none`}`,
      "of a git repository, --worktree takes the files of the work tree",
    );
  const memory = new MakeMemory();
  const makeOne = (from: string | undefined): Promise<MakeSummary> =>
    makeWith(source, target, { ...rest, from: from ?? options.from }, memory);
  const { path } = located as { path: string };
  await watchAndMake(path, target, makeOne, { signal: options.signal, onMade, onFailed });
}

/** Makes an image as `make` does. @param memory what earlier makes of this process left; it takes what this one leaves */
async function makeWith(
  source: string | undefined,
  target: string,
  options: MakeOptions,
  memory: MakeMemory | undefined,
): Promise<MakeSummary> {
  if (source !== undefined || options.add === undefined) checkValue("the source", source, isString);
  checkValue("the target", target, isString);
  checkOptions("make", options, OPTION_CHECKS);
  const { date, depth = DEPTH, seek = SEEK_MIN, workers = 1, signal, blockSize = 512 } = options;
  checkWorkingDirectory();
  checkBlockSize(blockSize);
  checkDepth(depth);
  checkSeek(seek);
  if (options.stripComponents !== undefined)
    checkCount("strip-components", options.stripComponents, 0, STRIP_MAX);
  parseSubdir(options.subdir ?? "");
  checkWords(options);
  checkCount("workers", workers, 1, WORKERS_MAX);
  if (target === "") refuse("the image's path is empty", "give the file to write");
  signal?.throwIfAborted();
  const moment = date === undefined ? undefined : commitDate(date);
  const located = source === undefined ? undefined : locateSource(source);
  if (located !== undefined) checkHonoured(located, options);
  else checkWithoutMain(options);
  const { onProgress } = options;
  const job: Job = {
    ...options,
    memory,
    blockSize,
    onProgress: onProgress && numberSteps(onProgress, phasesOf(located, options)),
  };
  checkStreams([source, ...(options.add ?? []).map((added) => added.source)]);
  const isGit = located?.kind === "remote" || (located?.kind === "git" && !options.worktree);
  const isAlone = isGit && options.add === undefined;
  const sources = isAlone ? [] : [...placeMain(source, located, job), ...placeAdded(job)];
  memory?.begin();
  const summary = await replaceFile(
    target,
    (replacement) =>
      isAlone
        ? makeFromGit(located as GitSource, job, replacement)
        : makeFromFiles(sources, job, moment, replacement),
    signal,
    memory && ((found) => memory.wrote(target, found)),
  );
  memory?.finish();
  return summary;
}

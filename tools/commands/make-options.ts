/** The options of `docteur make`: their help, and the library's options for them. */
import { readFileSync } from "node:fs";
import { type Person, parsePerson } from "../../src/git/person.js";
import type { AddedSource, MakeOptions } from "../../src/make/index.js";
import { patternsIn } from "../../src/make/source/exclude.js";
import { ioError } from "../../src/node/io-error.js";
import { parse, parseBlockSize, parseCount, parseSize, usageError } from "../cli/arguments.js";
import { exitHelp } from "../cli/exit.js";
import { isOnTerminal } from "../cli/output.js";
import { parseRevision } from "../diff/revision.js";

/** For `--help`. */
export const MAKE_HELP = `usage: docteur make [OPTION]... SOURCE IMAGE
       docteur make [OPTION]... --add PREFIX=SOURCE... [SOURCE] IMAGE

Puts the files of a git commit, a directory or an archive into IMAGE, one
read-only disk image. With --add, it puts several of them side by side.

SOURCE is one of these:
  - The root of a git work tree, or a bare repository. make takes the files and
    links of one commit, without its history. This needs the git program.
  - The address of a git repository on another machine: https://host/path,
    http://host/path, ssh://user@host/path, user@host:path or git://host/path.
    git fetches one commit, with the keys, credential helpers, proxies and other
    settings that you have set up. https://user:password@host/path works too,
    but other users of this machine may see the command line: a credential
    helper is safer.
  - Any other directory, also one inside a work tree. make takes its files into
    one new commit. If IMAGE is inside SOURCE, it is left out.
  - A file: a tar archive, plain or compressed by gzip, xz, zstd or bzip2, or a
    zip archive; its content tells, not its name. make takes the files that GNU
    tar or unzip would extract. The programs xz, zstd and bzip2 inflate what
    they made. With - make reads an archive from standard input. A compressed
    archive, or one from a pipe, needs space beside IMAGE while make runs.
  - Another image of docteur, whose files make takes.
A SOURCE on this machine can be a path, file:///absolute/path or
relativize://relative/path.

make warns of submodules, which it leaves out, and of Git LFS files, of which a
commit has only small pointers. In directories and archives it leaves out
entries named .git, with a warning. It refuses FIFOs, sockets, devices, sparse
files in archives, and names and trees that git fsck calls an error.

IMAGE appears when it is complete, and replaces the file that was there. If make
fails, the old file stays. With - as IMAGE, make writes the complete image to
standard output. If that fails, the reader may already have a part of it, so
check the exit status of make.

Equal sources and options give equal bytes.

Options:
  -b, --branch REF   take this branch, tag, full ref or commit id of a git
                     repository (default: HEAD); on this machine also the
                     first digits of an id, or HEAD~1 and the like
      --subdir PATH  take this directory of SOURCE alone, as the root. A part of
                     a commit, by --subdir, --exclude or --strip-components,
                     gets a commit of its own, whose message names the original
      --worktree     take the files of a git work tree as they are, in one new
                     commit: those that git tracks, or would with git add
      --timeout N    give up fetching from another machine after N seconds
                     (default: never; servers of http and https that send
                     nothing for five minutes, unless git's setting
                     http.lowSpeedTime or http.lowSpeedLimit says otherwise)
      --max-fetch SIZE
                     give up fetching what takes more bytes: 64M, or 4k, 2G
      --strict       submodules and Git LFS pointers are errors
      --repack       choose the deltas of a commit as those of a directory,
                     which takes less space; without it, git chooses them
      --add PREFIX=SOURCE
                     put the files of another SOURCE, also REPOSITORY@REF, into
                     the directory PREFIX of IMAGE. Can be given many times; two
                     files at one path are an error. Files that several sources
                     have are stored once, and similar ones as differences. Such
                     an image has a commit of its own, whose message names the
                     sources. --exclude and --skip-special are for all sources,
                     other options about files for SOURCE alone
      --from OLD     take objects that the image OLD has as they are packed
                     there, and compress only the others: much faster for a
                     small change, a little larger. OLD is verified first. Not
                     for commits that git packs
      --watch        make IMAGE of a directory, or with --worktree of a work
                     tree, and again after every change, until SIGINT or SIGTERM
                     ends it; a line tells each time. Only changed files are
                     read and compressed, as with --from the last IMAGE. What
                     fails is told, and the old IMAGE stays until a change
                     repairs it
  -d, --date DATE    the date of the commit of a directory or an archive: RFC
                     3339, such as 2024-06-07T08:09:10+02:00, or seconds since
                     1970, such as 1717740550 or @1717740550 (default: the
                     seconds in the variable SOURCE_DATE_EPOCH, if it
                     is set; else the time of the newest file or link)
      --author "NAME <EMAIL>"
                     the author and committer of a commit that is made for a
                     directory, an archive, --worktree or a part of a commit
                     (default: Dr. Greenthumb <noreply@cypress.hill>; for a part
                     of a commit, the people of that commit)
      --message TEXT
                     the message of such a commit (default: none; for a part of
                     a commit, the id of that commit and the options)
      --exclude GLOB
                     leave out files, silently, that match GLOB by the rules of
                     a .gitignore: a GLOB without a slash matches names at any
                     depth, one with a slash matches paths from the root, one
                     that ends in a slash matches directories, and one with ! in
                     front takes files in again. Can be given many times; the
                     last match counts
      --exclude-from FILE
                     read such patterns from FILE, one a line; they
                     come before those of --exclude
      --strip-components N
                     take N names away in front of every path, as GNU tar does;
                     with --subdir of paths from there. Files of no more names
                     are left out, and counted
      --dereference  of a plain directory, follow symbolic links, wherever they
                     lead, also out of SOURCE; a link to nothing, or to a
                     directory around it, is an error
      --skip-special
                     leave out FIFOs, sockets and devices, with a warning
      --depth N      the longest chain of deltas, 0 to 4095 (default: 20);
                     longer chains take less space, and more time to read
      --hot FILE     put the files first in IMAGE whose paths FILE has, one a
                     line, so that readers at a URL have them at once; a
                     directory stands for all below it, and a path that IMAGE
                     does not have is an error. Not for commits that git packs
      --fast         take about half the time, for a larger image; not for
                     commits that git packs
      --small        take up to three times as long, for a smaller image; not
                     for commits that git packs
      --no-layout    leave out the layout section, by which readers find paths
                     without reading trees (docteur layout adds it later)
      --seek SIZE    let readers begin in the middle of files of at least SIZE
                     that are stored whole, which takes about 1 % more space
                     for them: 64M, or 4k, 2G, or none (default: 1M)
      --workers N    the number of threads that pack, 1 to 8 (default: one for
                     each processor); it does not change the image
      --bs BYTES     the block size of the image, which the block device must
                     have: a power of two, at least 512, such as 4096 or 4k
                     (default: 512)
      --compat       make an image of a plain directory that docteur 0.0.7 can
                     read completely: executables become plain files, and links
                     are followed
      --json         print a summary as JSON on standard output
  -q, --quiet        print no warnings, no notes, no progress and no closing
                     line
  -h, --help         print this help

${exitHelp([0, 8, 9, 10, 11, 12, 13, 14, 15, 16])}

Examples:
  docteur make . disk.img
  docteur make -b v1.2 --subdir docs https://example.org/site.git docs.img
  docteur make -b v1.2 /srv/git/site.git site.img
  docteur make -d 2024-06-07T08:09:10+02:00 --bs 4096 ./public public.img
  docteur make --exclude node_modules --exclude '/build/*.map' app app.img
  curl -s https://example.org/release.tar.gz | docteur make - release.img
  docteur make --watch ./public public.img
  docteur make --add v1=manual-1.zip --add v2=manual-2.tar.xz manuals.img
  docteur make --add 1.0=site.git@v1.0 --add 2.0=site.git@v2.0 public all.img`;

/** For `parse`. */
export const MAKE_OPTIONS = {
  branch: { type: "string", short: "b" },
  subdir: { type: "string" },
  worktree: { type: "boolean" },
  add: { type: "string", multiple: true },
  from: { type: "string" },
  watch: { type: "boolean" },
  timeout: { type: "string" },
  "max-fetch": { type: "string" },
  strict: { type: "boolean" },
  date: { type: "string", short: "d" },
  author: { type: "string" },
  message: { type: "string" },
  exclude: { type: "string", multiple: true },
  "exclude-from": { type: "string", multiple: true },
  "strip-components": { type: "string" },
  dereference: { type: "boolean" },
  "skip-special": { type: "boolean" },
  repack: { type: "boolean" },
  depth: { type: "string" },
  hot: { type: "string" },
  fast: { type: "boolean" },
  small: { type: "boolean" },
  "no-layout": { type: "boolean" },
  seek: { type: "string" },
  workers: { type: "string" },
  bs: { type: "string" },
  compat: { type: "boolean" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

/** The patterns in a file. */
function readPatterns(path: string): string[] {
  try {
    return patternsIn(readFileSync(path, "utf8"));
  } catch (cause) {
    throw ioError("read", path, cause);
  }
}

/** The lines of a file, as bytes: names need not be text. */
function readPaths(path: string): Uint8Array[] {
  try {
    const lines = readFileSync(path, "latin1").split(/\r?\n/);
    return lines.map((line) => Buffer.from(line, "latin1"));
  } catch (cause) {
    throw ioError("read", path, cause);
  }
}

/** The date that a build sets for all its tools (reproducible-builds.org), for sources without a date of their own. */
function epochDate(): Date | undefined {
  const text = process.env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === "") return undefined;
  if (!/^[0-9]{1,12}$/.test(text))
    throw usageError(
      `SOURCE_DATE_EPOCH is not a number of seconds: ${text}`,
      "unset it, or give a date with -d",
    );
  return new Date(Number(text) * 1000);
}

/** @throws DocteurError `Usage` */
function parseAuthor(text: string | undefined): Person | undefined {
  if (text === undefined) return undefined;
  const person = parsePerson(text);
  if (person !== undefined) return person;
  throw usageError(`not an author: ${text}`, 'an author is written as "Name <email>"');
}

/** A command line of `make`, taken apart. */
export interface MakeArguments {
  /** Undefined if all sources are added. */
  source: string | undefined;
  /** A path, or "-" for standard output. */
  image: string;
  options: MakeOptions;
  json: boolean;
  quiet: boolean;
  watch: boolean;
  /** Whether a date was given with `-d`. */
  hasDate: boolean;
}

/** The arguments that must be given, and those that may be: SOURCE may be missing if there is an `--add`. */
function argumentsOf(argv: readonly string[]): [string[], string[]] {
  const end = argv.indexOf("--");
  const options = end < 0 ? argv : argv.slice(0, end);
  const hasAdded = options.some((option) => /^--add(?:=|$)/.test(option));
  return hasAdded ? [["IMAGE"], ["SOURCE"]] : [["SOURCE", "IMAGE"], []];
}

/** PREFIX=SOURCE, or PREFIX=REPOSITORY@REF. */
function parseAdded(text: string): AddedSource {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1)
    throw usageError(
      `--add lacks a prefix or a source: ${text}`,
      "--add PREFIX=SOURCE, such as --add v1=old.tar",
    );
  const source = text.slice(at + 1);
  const revision = parseRevision(source);
  return { prefix: text.slice(0, at), source: revision?.repository ?? source, ref: revision?.ref };
}

/** Refuses standard output if an image would do harm there, or if other output goes there. */
function checkStandardOutput(isJson: boolean | undefined): void {
  if (isJson)
    throw usageError("--json and an image cannot both be in standard output", "give a file for the image");
  if (isOnTerminal())
    throw usageError(
      "an image is not written to a terminal",
      "give a file for the image, or redirect the output",
    );
}

/** @throws DocteurError `Usage` */
export function parseMakeArguments(argv: string[]): MakeArguments {
  const { values, positionals } = parse(argv, MAKE_OPTIONS, ...argumentsOf(argv));
  const image = positionals.at(-1)!;
  const source = positionals.length > 1 ? positionals[0] : undefined;
  if (image === "-") checkStandardOutput(values.json);
  if (values.fast && values.small)
    throw usageError("--fast and --small exclude each other", "give one of them, or none");
  if (values.watch && (image === "-" || source === undefined))
    throw usageError("--watch makes an image of SOURCE in a file", "docteur make --watch SOURCE IMAGE");
  return {
    source,
    image,
    options: {
      ref: values.branch,
      subdir: values.subdir,
      worktree: values.worktree,
      add: values.add?.map(parseAdded),
      from: values.from,
      timeout: parseCount("--timeout", values.timeout),
      maxFetch: parseSize("--max-fetch", values["max-fetch"]),
      strict: values.strict,
      date: values.date ?? epochDate(),
      author: parseAuthor(values.author),
      message: values.message,
      blockSize: parseBlockSize(values.bs),
      compat: values.compat,
      exclude: [...(values["exclude-from"] ?? []).flatMap(readPatterns), ...(values.exclude ?? [])],
      stripComponents: parseCount("--strip-components", values["strip-components"]),
      dereference: values.dereference,
      skipSpecial: values["skip-special"],
      repack: values.repack,
      depth: parseCount("--depth", values.depth),
      effort: values.fast ? "fast" : values.small ? "small" : undefined,
      layout: values["no-layout"] ? false : undefined,
      hot: values.hot === undefined ? undefined : readPaths(values.hot),
      seek: values.seek === "none" ? Number.POSITIVE_INFINITY : parseSize("--seek", values.seek),
      workers: parseCount("--workers", values.workers),
    },
    json: values.json === true,
    quiet: values.quiet === true,
    watch: values.watch === true,
    hasDate: values.date !== undefined,
  };
}

/** `docteur make`: a git commit, a directory or a tar archive becomes an image. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MakeProgress, type MakeSummary, make } from "../../src/make/index.js";
import { ioError } from "../../src/node/io-error.js";
import { writeAllUnder } from "../../src/node/write-all.js";
import { type Command, parse, parseBlockSize, usageError } from "../cli/arguments.js";
import { EXIT } from "../cli/exit.js";
import { formatBytes, plural } from "../cli/format.js";
import { isOnTerminal, print } from "../cli/output.js";
import { interruptible } from "../cli/process.js";
import { ProgressLine } from "../cli/progress.js";
import { escapeControls } from "../terminal.js";

const HELP = `usage: docteur make [OPTION]... SOURCE IMAGE

Makes IMAGE, one read-only disk image, of a commit of a git repository, of a
plain directory, or of a tar archive.

SOURCE is one of these:
  - The root of a git work tree, or a bare repository: one commit is taken,
    with its files and links, and nothing of its history. This needs the git
    program.
  - The address of a git repository on another machine: https://host/path,
    http://, ssh://user@host/path, user@host:path or git://host/path. git
    fetches the one commit, with the keys, credential helpers, proxies and other
    settings that you have set up for it. https://user:password@host/path
    works, too, but other users of this machine may see a command line: better
    let a credential helper know the password.
  - Any other directory, a folder of a work tree too: its files as they are, in
    one new commit. IMAGE is no part of it, if it lies in SOURCE.
  - A file: a tar archive, plain or compressed by gzip, taken for what it would
    be extracted to; - is an archive in standard input. What is compressed or
    comes from a pipe takes room beside IMAGE, for as long as IMAGE is made.
What is on this machine is given as a path, file:///absolute/path or
relativize://relative/path.

Submodules are left out of a commit's image, and files that Git LFS keeps
elsewhere are small pointers in it, with a warning. Of directories and archives,
entries named .git are left out, with a warning; FIFOs, sockets and devices are
refused, and so are names that git's own check finds fault with, and sparse
files in archives.

IMAGE appears when it is complete, in place of what was there; if anything
fails, what was there stays. As IMAGE, - is standard output: the image is made in
a temporary file, and written when it is complete. Its reader must look at the
exit status, as part of an image may be in the pipe when writing fails. The same SOURCE and options give the same bytes.

Options:
  -b, --branch REF   the branch, tag, full ref, or commit id to take of a git
                     repository (default: HEAD); on this machine, also the
                     first digits of an id, or HEAD~1 and the like
      --subdir PATH  take this directory of the commit alone, as the root; it
                     gets a commit of its own, which names the original
      --worktree     take the files of a git work tree as they are, in one new
                     commit: those that git tracks, or would with git add
      --timeout N    give up fetching from another machine after N seconds
      --max-fetch N  give up fetching what takes more than N bytes
      --strict       submodules and Git LFS pointers are errors
      --repack       choose a commit's deltas as those of a directory, which
                     takes less space, instead of having git choose them
  -d, --date DATE    the date of a directory's or an archive's commit, as in
                     RFC 3339 with its offset, 2024-06-07T08:09:10+02:00
                     (default: SOURCE_DATE_EPOCH, seconds since 1970, where it
                     is set; else the time of the newest file or link)
      --exclude GLOB leave out of a directory or an archive, without a word, what
                     matches as in a .gitignore: *, ?, [...] and **; a directory
                     whole. Without a slash a name at any depth, else a path
                     from the root; with one at the end directories alone. May
                     be given many times
      --skip-special leave out FIFOs, sockets and devices, with a warning
      --depth N      the longest chain of deltas, 0 to 4095 (default: 20): longer
                     ones take less space, and more time to read
      --workers N    how many threads pack, 1 to 8 (default: one a processor);
                     they have no part in the bytes
      --bs BYTES     the image's block size: a power of two, at least 512,
                     which must be the block device's (default: 512)
      --compat       of a plain directory, what docteur 0.0.7 can read whole:
                     executables become plain files, links are followed
      --json         print what was made, as JSON, on standard output
  -q, --quiet        no warnings, and nothing about progress on a terminal
  -h, --help         print this help

Exit statuses: 0 made; 8 SOURCE cannot be read or imaged, or IMAGE cannot be
written; 16 the arguments are wrong. For git sources also: 9 git is not
installed; 10 the other machine cannot be reached, is not trusted, or broke off;
11 it refuses the user, the password or the key, or asks for one; 12 there is no
repository; 13 it has no such branch, tag, commit or directory; 14 it has no
commits; 15 it names its objects by SHA-256.

Examples:
  docteur make . disk.img
  docteur make -b v1.2 --subdir docs https://example.org/site.git docs.img
  docteur make -b v1.2 /srv/git/site.git site.img
  docteur make -d 2024-06-07T08:09:10+02:00 --bs 4096 ./public public.img
  docteur make --exclude node_modules --exclude '/build/*.map' app app.img
  curl -s https://example.org/release.tar.gz | docteur make - release.img`;

const OPTIONS = {
  branch: { type: "string", short: "b" },
  subdir: { type: "string" },
  worktree: { type: "boolean" },
  timeout: { type: "string" },
  "max-fetch": { type: "string" },
  strict: { type: "boolean" },
  date: { type: "string", short: "d" },
  exclude: { type: "string", multiple: true },
  "skip-special": { type: "boolean" },
  repack: { type: "boolean" },
  depth: { type: "string" },
  workers: { type: "string" },
  bs: { type: "string" },
  compat: { type: "boolean" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

/** The date that a build sets for all its tools (reproducible-builds.org), for sources that have none of their own. */
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

/** What an option that counts something gives. */
function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[0-9]{1,9}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw usageError(`${option} is not a number: ${text}`);
}

/** What each phase is called, and what is counted in it. */
const PHASES: Record<MakeProgress["phase"], [what: string, noun: string]> = {
  fetch: ["fetching", "object"],
  scan: ["listing", "file"],
  read: ["reading", "object"],
  compare: ["comparing", "pair"],
  pack: ["packing", "object"],
};

function describeProgress({ phase, done, total }: MakeProgress): string {
  const [what, noun] = PHASES[phase];
  if (total === undefined) return `${what}: ${plural(done, noun)}`;
  return `${what}: ${Math.floor((100 * done) / Math.max(total, 1))} % of ${plural(total, noun)}`;
}

/** Why something is not in the image. */
const WHY_LEFT_OUT: Record<MakeSummary["skipped"][number]["reason"], string> = {
  git: "git trees hold no .git",
  temporary: "an image that is not finished",
  special: "no file, directory or symbolic link",
};

/** What was made, and in how many milliseconds. */
function describeResult(image: string, summary: MakeSummary, duration: number): string {
  const { commit, fileCount, contentBytes, imageBytes } = summary;
  const share = contentBytes === 0 ? "" : ` (${((100 * imageBytes) / contentBytes).toPrecision(3)} %)`;
  const sizes = `${formatBytes(contentBytes)} in ${formatBytes(imageBytes)}${share}`;
  return `${image}: commit ${commit}, ${plural(fileCount, "file")}, ${sizes}, ${(duration / 1000).toFixed(1)} s`;
}

/** A path in one line of printable characters. */
function printable(path: string): string {
  return /[\0-\x1f\x7f]/.test(path) ? JSON.stringify(path) : path;
}

function warn(text: string): void {
  process.stderr.write(`docteur: warning: ${escapeControls(text)}\n`);
}

/** "2 submodules are left out: a, b" */
function warnOf({ count, paths }: MakeSummary["submodules"], noun: string, what: [string, string]): void {
  if (count === 0) return;
  const more = count > paths.length ? ", …" : "";
  warn(`${plural(count, noun)} ${what[count === 1 ? 0 : 1]}: ${paths.map(printable).join(", ")}${more}`);
}

function warnAbout(summary: MakeSummary): void {
  const { skipped, skippedCount } = summary;
  for (const { path, reason } of skipped) warn(`${path} is left out: ${WHY_LEFT_OUT[reason]}`);
  if (skippedCount > skipped.length) warn(`${skippedCount - skipped.length} more are left out`);
  warnOf(summary.submodules, "submodule", ["is left out", "are left out"]);
  const pointers: [string, string] = [
    "is a Git LFS pointer, not the content",
    "are Git LFS pointers, not the content",
  ];
  warnOf(summary.lfsPointers, "file", pointers);
}

/** Refuses standard output where an image would do harm in it, or other output is to be there. */
function checkStandardOutput(isJson: boolean | undefined): void {
  if (isJson)
    throw usageError("--json and an image cannot both be in standard output", "give a file for the image");
  if (isOnTerminal())
    throw usageError(
      "an image is not written to a terminal",
      "give a file for the image, or redirect the output",
    );
}

const STDOUT = 1;

/** Makes an image in a temporary file, and writes it to standard output when it is complete. */
async function makeToOutput(
  makeInto: (image: string) => Promise<MakeSummary>,
  signal: AbortSignal,
): Promise<MakeSummary> {
  const folder = await mkdtemp(join(tmpdir(), "docteur-")).catch((cause: unknown) => {
    throw ioError("write to", tmpdir(), cause, "TMPDIR names another folder for temporary files");
  });
  try {
    const image = join(folder, "image");
    const summary = await makeInto(image);
    for await (const piece of createReadStream(image, { highWaterMark: 1 << 20 }))
      await writeAllUnder(signal, STDOUT, piece as Buffer, "standard output");
    return summary;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["SOURCE", "IMAGE"]);
  const [source, target] = positionals as [string, string];
  if (target === "-") checkStandardOutput(values.json);
  const blockSize = parseBlockSize(values.bs);
  // Where the system has it so, this is what lists of processes show from now on, in the place of a password, or of a token
  // that is the user's name.
  if (/^https?:\/\/.*@/is.test(source)) process.title = "docteur make";
  const progress = new ProgressLine(values.quiet);
  const start = performance.now();
  const makeInto = (image: string, signal: AbortSignal): Promise<MakeSummary> =>
    make(source, image, {
      ref: values.branch,
      subdir: values.subdir,
      worktree: values.worktree,
      timeout: parseCount("--timeout", values.timeout),
      maxFetch: parseCount("--max-fetch", values["max-fetch"]),
      strict: values.strict,
      date: values.date ?? epochDate(),
      blockSize,
      compat: values.compat,
      exclude: values.exclude,
      skipSpecial: values["skip-special"],
      repack: values.repack,
      depth: parseCount("--depth", values.depth),
      workers: parseCount("--workers", values.workers),
      signal,
      onProgress: (step) => progress.update(() => describeProgress(step)),
      onNotice: (text) => {
        progress.clear();
        if (!values.quiet) process.stderr.write(`docteur: note: ${escapeControls(text)}\n`);
      },
    });
  const summary = await interruptible((signal) =>
    target === "-" ? makeToOutput((image) => makeInto(image, signal), signal) : makeInto(target, signal),
  ).finally(() => progress.clear());
  if (!values.quiet) {
    if (values.date !== undefined && summary.kind === "git")
      warn("-d has no effect: the commit has its own date");
    warnAbout(summary);
  }
  progress.finish(describeResult(escapeControls(target), summary, performance.now() - start));
  if (values.json) print(`${JSON.stringify(summary, null, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "make an image of a git commit, a directory or a tar archive",
  help: HELP,
  run,
};

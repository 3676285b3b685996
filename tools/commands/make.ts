/** `docteur make`: a git commit or a directory becomes an image. */
import { EXIT } from "../../src/errors.js";
import { type MakeProgress, type MakeSummary, make } from "../../src/make/index.js";
import {
  type Command,
  formatBytes,
  interruptible,
  ProgressLine,
  parse,
  parseBlockSize,
  plural,
  usageError,
} from "../cli.js";

const HELP = `usage: docteur make [OPTION]... SOURCE IMAGE

Makes IMAGE, one read-only disk image, of a commit of a git repository or of a
plain directory.

SOURCE is local: a path, file:///absolute/path or relativize://relative/path.
  - The root of a git work tree, or a bare repository: one commit is taken,
    with its files, links and submodules, and nothing of its history. This
    needs the git program.
  - Any other directory, a folder of a work tree too: its files as they are, in
    one new commit. Entries named .git are left out, with a warning; so is
    IMAGE, if it lies in SOURCE. FIFOs, sockets and devices are refused.

IMAGE appears when it is complete, in place of what was there; if anything
fails, what was there stays. The same SOURCE and options give the same bytes.

Options:
  -b, --branch REF   the branch, tag, full ref, or (abbreviated) commit id to
                     take of a git repository (default: HEAD)
  -d, --date DATE    the date of a plain directory's commit, as in RFC 3339
                     with its offset, 2024-06-07T08:09:10+02:00 (default: now,
                     or SOURCE_DATE_EPOCH, seconds since 1970, where it is set)
      --bs BYTES     the image's block size: a power of two, at least 512,
                     which must be the block device's (default: 512)
      --compat       of a plain directory, what docteur 0.0.7 can read whole:
                     executables become plain files, links are followed
      --json         print what was made, as JSON, on standard output
  -q, --quiet        no warnings, and nothing about progress on a terminal
  -h, --help         print this help

Exit statuses: 0 made; 8 SOURCE cannot be read or imaged, or IMAGE cannot be
written; 16 the arguments are wrong.

Examples:
  docteur make . disk.img
  docteur make -b v1.2 /srv/git/site.git site.img
  docteur make -d 2024-06-07T08:09:10+02:00 --bs 4096 ./public public.img`;

const OPTIONS = {
  branch: { type: "string", short: "b" },
  date: { type: "string", short: "d" },
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

/** What each phase is called, and what is counted in it. */
const PHASES: Record<MakeProgress["phase"], [what: string, noun: string]> = {
  scan: ["listing", "file"],
  read: ["reading", "object"],
  compare: ["comparing", "pair"],
  pack: ["packing", "object"],
};

function describeProgress({ phase, done, total }: MakeProgress): string {
  const [what, noun] = PHASES[phase];
  if (total === undefined) return `${what}: ${plural(done, noun)}`;
  return `${what}: ${Math.floor((100 * done) / total)} % of ${plural(total, noun)}`;
}

function describeResult(image: string, { commit, fileCount, imageBytes }: MakeSummary): string {
  return `${image}: commit ${commit}, ${plural(fileCount, "file")}, ${formatBytes(imageBytes)}`;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["SOURCE", "IMAGE"]);
  const [source, image] = positionals as [string, string];
  const blockSize = parseBlockSize(values.bs);
  const progress = new ProgressLine(values.quiet);
  const summary = await interruptible((signal) =>
    make(source, image, {
      ref: values.branch,
      date: values.date ?? epochDate(),
      blockSize,
      compat: values.compat,
      signal,
      onProgress: (step) => progress.update(() => describeProgress(step)),
    }),
  ).finally(() => progress.clear());
  if (!values.quiet) {
    if (values.date !== undefined && summary.kind === "git")
      process.stderr.write("docteur: warning: -d has no effect: the commit has its own date\n");
    for (const path of summary.skipped)
      process.stderr.write(`docteur: warning: ${path} is left out: git trees hold no .git\n`);
  }
  progress.finish(describeResult(image, summary));
  if (values.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "make an image of a git commit or a directory",
  help: HELP,
  run,
};

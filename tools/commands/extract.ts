/** `docteur extract`: files of an image in a directory, or as an archive on standard output. */
import type { ArchiveFormat } from "../../src/extract/archive.js";
import { type ExtractProgress, type ExtractSummary, extract } from "../../src/extract/extract.js";
import type { SelectOptions } from "../../src/extract/options.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, MANY, parse, parseCount, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes, plural } from "../cli/format.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions } from "../cli/image-options.js";
import { say } from "../cli/messages.js";
import { isOnTerminal, print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { interruptible } from "../cli/process.js";
import { ProgressLine } from "../cli/progress.js";

const HELP = `usage: docteur extract [OPTION]... IMAGE [PATH|GLOB]...
       docteur extract --tar|--tar.gz|--zip [OPTION]... IMAGE [PATH|GLOB]...

Writes the files of IMAGE into the current directory, or that of -C: all of
them, or each PATH with everything below it. Executables, symbolic links and
empty directories are kept, and the time of everything is the commit's. A
submodule becomes an empty directory.

A GLOB is a pattern for whole paths: * and ? stand for characters of one name,
[...] for one of some, {a,b} for either, and ** for directories of any depth. A
PATH that is in the image is not a pattern. Quote a GLOB, so that the shell does
not expand it. A PATH can be given as docteur ls prints it.

A file that is there already and is the image's is left as it is: an extraction
that was interrupted continues when the command is repeated. A file that differs
is an error. Nothing is written outside of the directory, or through a symbolic
link. Names that would mean something else, such as .. and .git, are refused.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -C, --directory DIR       extract into DIR, which is made if it is not there
      --strip-components N  drop N names from the front of each path
      --overwrite           replace files and links that differ; a directory is
                            never replaced
      --portable            refuse names that Windows does not have, and names
                            that differ only in case
      --tar                 print a tar archive instead; the same image gives
                            the same bytes
      --tar.gz              print such an archive, compressed by gzip
      --zip                 print a zip archive instead
  -j, --jobs N              threads that write, at most 64 (default: one for
                            each processor, at most 8)
      --json                print a summary as JSON
  -q, --quiet               print no progress and no closing line
${imageHelp(28)}
  -h, --help                print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Examples:
  docteur extract disk.img -C out
  docteur extract disk.img docs '**/*.md' -C out
  docteur extract --zip disk.img > files.zip`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  directory: { type: "string", short: "C" },
  "strip-components": { type: "string" },
  overwrite: { type: "boolean" },
  portable: { type: "boolean" },
  tar: { type: "boolean" },
  "tar.gz": { type: "boolean" },
  zip: { type: "boolean" },
  jobs: { type: "string", short: "j" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

const FORMATS: readonly ArchiveFormat[] = ["tar", "tar.gz", "zip"];

function parseArguments(argv: string[]) {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], MANY);
  const formats = FORMATS.filter((format) => values[format]);
  if (formats.length > 1) throw usageError(`--${formats[0]} and --${formats[1]} exclude each other`);
  const [format] = formats;
  if (format !== undefined)
    for (const option of ["directory", "overwrite", "jobs", "json"] as const)
      if (values[option] !== undefined) throw usageError(`--${option} does not go with --${format}`);
  const [image, ...paths] = positionals as [string, ...string[]];
  return {
    image,
    format,
    directory: values.directory ?? ".",
    quiet: values.quiet === true,
    json: values.json === true,
    overwrite: values.overwrite === true,
    jobs: parseCount("--jobs", values.jobs, { least: 1, most: 64 }),
    select: {
      paths: paths.map(pathArgument),
      stripComponents: parseCount("--strip-components", values["strip-components"]) ?? 0,
      portable: values.portable === true,
      open: imageOptions(values),
    } satisfies SelectOptions,
  };
}

/** The line of progress. */
function describe({ done, found, isComplete, bytes }: ExtractProgress, milliseconds: number): string {
  const share = isComplete ? `, ${Math.floor((100 * done) / Math.max(found, 1))} %` : "";
  const rate = formatBytes((1000 * bytes) / Math.max(milliseconds, 1));
  return `extract: ${plural(done, "file")}${share}, ${formatBytes(bytes)}, ${rate}/s`;
}

/** The closing line. */
function describeResult(summary: ExtractSummary, milliseconds: number): string {
  const { directory, commit, fileCount, keptCount, writtenBytes } = summary;
  const kept = keptCount === 0 ? "" : `, ${keptCount} there already`;
  const took = `${(milliseconds / 1000).toFixed(1)} s`;
  return `${directory}: commit ${commit}, ${plural(fileCount, "file")}${kept}, ${formatBytes(writtenBytes)} written, ${took}`;
}

async function run(argv: string[]): Promise<number> {
  const { image, format, directory, quiet, json, select, ...how } = parseArguments(argv);
  if (format !== undefined) {
    if (isOnTerminal())
      throw usageError(`--${format} does not print on a terminal`, "redirect it to a file or a pipe");
    const { archive } = await import("../../src/extract/archive.js");
    for await (const piece of archive(image, format, select)) print(piece);
    return EXIT.ok;
  }
  const progress = new ProgressLine(quiet);
  const start = performance.now();
  const onProgress = (step: ExtractProgress): void =>
    progress.update(
      () => describe(step, performance.now() - start),
      step.isComplete ? { name: "extract", done: step.done, total: step.found } : undefined,
    );
  const summary = await interruptible((signal) =>
    extract(image, directory, { ...select, ...how, signal, onProgress }),
  ).finally(() => progress.clear());
  if (!quiet) say(describeResult(summary, performance.now() - start));
  if (json) print(`${printableJson(summary, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "write files of an image to a directory or an archive",
  help: HELP,
  options: OPTIONS,
  run,
};

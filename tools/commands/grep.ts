/** `docteur grep`: lines of an image's files that a pattern matches. */
import { DocteurError } from "../../src/index.js";
import { type GrepJob, grep } from "../../src/sweep/grep.js";
import { Pattern } from "../../src/sweep/pattern.js";
import { type Command, MANY, parse, parseCount, usageError } from "../cli/arguments.js";
import { JsonArray } from "../cli/entries.js";
import { EXIT, exitHelp, exitStatus } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions, openImage } from "../cli/image-options.js";
import { pathArgument } from "../cli/path-argument.js";
import { fileTests } from "../cli/patterns.js";
import { COLOR_OPTIONS, chooseColor, colorHelp } from "../cli/style.js";
import { addJson, type Format, Printer } from "../grep/format.js";

const HELP = `usage: docteur grep [OPTION]... PATTERN IMAGE [PATH]...

Prints the lines of files that PATTERN matches: of all files, or of each PATH
with everything below it. Several threads search, and each content once,
however often it stands in the image. The files are in the order of git's
index. Symbolic links and submodules are not searched.

PATTERN is a regular expression of JavaScript, with the flags s and u, for one
line. Lines of PATTERN are alternatives. A file with a NUL among its first 8000
bytes is binary, as for git: only that it matches is printed.

A GLOB with a slash is a pattern for whole paths, and one without for names, as
of docteur extract. A path that is not plain text is printed in double quotes.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -F, --fixed-strings        take PATTERN for text
  -i, --ignore-case          ignore case
  -w, --word-regexp          match whole words only
  -v, --invert-match         find the lines that do not match
  -n, --line-number          print the number of each line
  -l, --files-with-matches   print only the paths of files with matches
  -L, --files-without-match  print only the paths of files without
  -c, --count                print only the number of lines of each file
  -o, --only-matching        print only the parts that match, one a line
  -q, --quiet                print nothing: only the exit status tells
  -m, --max-count N          find at most N lines in each file
  -A, --after-context N      print N lines after each line that was found
  -B, --before-context N     print N lines before
  -C, --context N            print N lines before and after
  -a, --text                 take every file for text
  -H, --with-filename        print paths even if one file is searched
      --no-filename          print no paths (-h is --help)
      --include GLOB         search only files that fit GLOB; of several, one is
                             enough
      --exclude GLOB         search no files that fit GLOB
      --follow               follow symbolic links in PATH, within the image
  -z, --null                 end each path with NUL, and print it unchanged
      --json                 print an array of files, each with its lines and
                             the bytes from and to which the matches go
  -j, --jobs N               threads that search, at most 64 (default: one for
                             each processor, at most 8)
${colorHelp(29)}
${imageHelp(29)}
  -h, --help                 print this help

The exit status is 0 if a line was found, and 1 if none was. Otherwise:

${exitHelp([4, 8, 10, 11, 16])}

Examples:
  docteur grep -n 'TODO|FIXME' disk.img /src
  docteur grep -il --include '*.md' licence https://host/disk.img`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  "fixed-strings": { type: "boolean", short: "F" },
  "ignore-case": { type: "boolean", short: "i" },
  "word-regexp": { type: "boolean", short: "w" },
  "invert-match": { type: "boolean", short: "v" },
  "line-number": { type: "boolean", short: "n" },
  "files-with-matches": { type: "boolean", short: "l" },
  "files-without-match": { type: "boolean", short: "L" },
  count: { type: "boolean", short: "c" },
  "only-matching": { type: "boolean", short: "o" },
  quiet: { type: "boolean", short: "q" },
  "max-count": { type: "string", short: "m" },
  "after-context": { type: "string", short: "A" },
  "before-context": { type: "string", short: "B" },
  context: { type: "string", short: "C" },
  text: { type: "boolean", short: "a" },
  "with-filename": { type: "boolean", short: "H" },
  "no-filename": { type: "boolean" },
  include: { type: "string", multiple: true },
  exclude: { type: "string", multiple: true },
  follow: { type: "boolean" },
  null: { type: "boolean", short: "z" },
  json: { type: "boolean" },
  jobs: { type: "string", short: "j" },
  ...COLOR_OPTIONS,
} as const;

/** The exit status of a search that found nothing. */
const NOTHING = 1;
/** The most lines of context. */
const CONTEXT_MAX = 10_000;

type Values = ReturnType<typeof parse<typeof OPTIONS>>["values"];

const FORMS = {
  "files-with-matches": "paths",
  "files-without-match": "paths",
  count: "counts",
  "only-matching": "parts",
} as const;

function formOf(values: Values): Format["form"] {
  const given = (Object.keys(FORMS) as (keyof typeof FORMS)[]).filter((name) => values[name]);
  if (given.length > 1) throw usageError(`--${given[0]} and --${given[1]} exclude each other`);
  return given[0] === undefined ? "lines" : FORMS[given[0]];
}

/** Lines of context. */
function contextOf(values: Values): { before: number; after: number } {
  const count = (option: "context" | "before-context" | "after-context"): number | undefined =>
    parseCount(`--${option}`, values[option], { least: 0, most: CONTEXT_MAX });
  const both = count("context") ?? 0;
  return { before: count("before-context") ?? both, after: count("after-context") ?? both };
}

/** What is searched for, and where. */
function jobOf(values: Values, pattern: string, image: string, paths: string[]): GrepJob {
  const form = formOf(values);
  const { include = [], exclude = [] } = values;
  const { hasPaths, ...tests } = fileTests(include, exclude);
  const isQuiet = values.quiet === true;
  return {
    source: image,
    open: imageOptions(values),
    paths: paths.length === 0 ? ["/"] : paths.map(pathArgument),
    follow: values.follow === true,
    pattern: {
      source: pattern,
      fixed: values["fixed-strings"] === true,
      ignoreCase: values["ignore-case"] === true,
      word: values["word-regexp"] === true,
    },
    search: {
      invert: values["invert-match"] === true,
      maxCount: parseCount("--max-count", values["max-count"]) ?? Number.MAX_SAFE_INTEGER,
      ...(form === "parts" ? { before: 0, after: 0 } : contextOf(values)),
      text: values.text === true,
      want: isQuiet || form === "paths" ? "any" : form === "counts" ? "count" : "lines",
    },
    ...tests,
    isMissing: values["files-without-match"] === true,
    isFirst: isQuiet && !values["files-without-match"] && !hasPaths,
    jobs: parseCount("--jobs", values.jobs, { least: 1, most: 64 }),
  };
}

/** Whether paths stand before lines: not if one file is searched. */
async function showsPaths(values: Values, isOneFile: () => Promise<boolean>): Promise<boolean> {
  if (values["no-filename"]) return false;
  return values["with-filename"] === true || !(await isOneFile());
}

/** Status 1 says that nothing was found. */
function notFoundIsUsage(error: unknown): unknown {
  if (!(error instanceof DocteurError) || exitStatus(error.code) !== EXIT.notFound) return error;
  return usageError(error.message, error.hint);
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["PATTERN", "IMAGE"], MANY);
  const [source, image, ...paths] = positionals as [string, string, ...string[]];
  chooseColor(values.color);
  const job = jobOf(values, source, image, paths);
  const form = formOf(values);
  const pattern = new Pattern(job.pattern);
  const volume = await openImage(image, values);
  try {
    let isFound = false;
    const { follow, paths: places, search } = job;
    const isOneFile = async (): Promise<boolean> =>
      places.length === 1 && (await volume.stat(places[0]!, { follow })).kind !== "directory";
    const printer = new Printer(
      {
        form,
        hasPaths: await showsPaths(values, isOneFile),
        hasNumbers: values["line-number"] === true,
        hasContext: search.before + search.after > 0,
        invert: search.invert,
        isRaw: values.null === true,
      },
      pattern,
    );
    const array = values.json && !values.quiet ? new JsonArray() : undefined;
    for await (const match of grep(volume, job)) {
      isFound = true;
      if (values.quiet) break;
      if (array === undefined) printer.add(match);
      else addJson(array, match, pattern, search.invert);
    }
    array?.end();
    return isFound ? EXIT.ok : NOTHING;
  } catch (error) {
    throw notFoundIsUsage(error);
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "print lines of files that a pattern matches",
  help: HELP,
  options: OPTIONS,
  run,
};

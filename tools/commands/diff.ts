/** `docteur diff`: what changed between two images. */
import { type Change, compare } from "../../src/diff/compare.js";
import { DocteurError, type Entry, type Volume } from "../../src/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { type Command, parse, parseCount, usageError } from "../cli/arguments.js";
import { JsonArray, octalMode, quotedField } from "../cli/entries.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imagesHelp } from "../cli/image-options.js";
import { note } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { interruptible } from "../cli/process.js";
import { colouredPatch } from "../diff/coloured-patch.js";
import { parseRevision, withRevision } from "../diff/revision.js";
import { Stat } from "../diff/stat.js";

const HELP = `usage: docteur diff [OPTION]... A B [PATH]

Shows what changed from A to B, at PATH or everywhere: a line for each file,
symbolic link and submodule, with a letter and the path.

  A  added      M  modified, or of another mode
  D  deleted    T  of another kind, such as a file that became a symbolic link
  R  renamed: the old path and the new path

A and B are images: files or URLs (docs/DEVICES.md). They can also be commits
of git repositories, as REPOSITORY@REF: an image of the commit is made for the
comparison. Directories of equal ids are not read.

Options:
  -p, --patch        print a patch, as git apply takes it; binary content is
                     named, not shown
  -U, --unified N    lines of context in a patch (default: 3)
      --stat         print how many lines of each file were added and deleted
      --name-status  print letters and paths (default)
  -z                 end each path with NUL, and print paths unchanged
      --json         print the changes as a JSON array
      --no-renames   show a rename as a deletion and an addition
  -q, --quiet        print nothing: only the exit status tells
${imagesHelp(21)}
  -h, --help         print this help

The exit status is 0 if there are no changes, and 1 if there are. Otherwise:

${exitHelp([4, 8, 9, 10, 11, 12, 13, 14, 15, 16])}

Example:
  docteur diff --stat old.img new.img /docs`;

const { commit: _, ...READING } = IMAGE_OPTIONS;
const OPTIONS = {
  ...READING,
  patch: { type: "boolean", short: "p" },
  unified: { type: "string", short: "U" },
  stat: { type: "boolean" },
  "name-status": { type: "boolean" },
  z: { type: "boolean", short: "z" },
  json: { type: "boolean" },
  "no-renames": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

/** The exit status of images that differ. */
const DIFFERENT = 1;
const CONTEXT_MAX = 10_000;

const LETTERS = { added: "A", deleted: "D", modified: "M", typechange: "T", renamed: "R" } as const;
const FORMATS = ["patch", "stat", "name-status", "json", "quiet"] as const;
type Format = (typeof FORMATS)[number];

/** Two images, and what is asked of them. */
interface Job {
  before: Volume;
  after: Volume;
  path: Uint8Array;
  renames: boolean;
  context: number;
  isRaw: boolean;
  signal: AbortSignal;
}

/** The paths of a change: the old one first, if there are two. */
/** Texts are compared where lines are asked for. */
const patches = (): Promise<typeof import("../../src/diff/patch.js")> => import("../../src/diff/patch.js");

function pathsOf({ status, before, after }: Change): Uint8Array[] {
  if (status === "renamed") return [before!.pathBytes, after!.pathBytes];
  return [(after ?? before)!.pathBytes];
}

function nameStatus(change: Change, isRaw: boolean): Uint8Array {
  const [tab, end] = isRaw ? ["\0", "\0"] : ["\t", "\n"];
  const paths = pathsOf(change).map((path) => Buffer.from(isRaw ? path : quotePath(path)));
  const parts = paths.flatMap((path) => [Buffer.from(tab), path]);
  return Buffer.concat([Buffer.from(LETTERS[change.status]), ...parts, Buffer.from(end)]);
}

/** One side of a change, in JSON: sizes are not read. */
function sideJson(entry: Entry): object {
  const { path, pathBytes, kind, mode, oid } = entry;
  return { path, kind, mode: octalMode(mode), oid, ...quotedField(path, pathBytes) };
}

/** A change in JSON: a side that is not there is absent. */
function jsonOf({ status, before, after }: Change): object {
  return {
    status,
    ...(before === undefined ? {} : { before: sideJson(before) }),
    ...(after === undefined ? {} : { after: sideJson(after) }),
  };
}

/** Prints the changes. @returns whether there are any */
async function show(format: Format, job: Job): Promise<boolean> {
  const { before, after, path, renames, context, isRaw, signal } = job;
  const stat = new Stat();
  const array = format === "json" ? new JsonArray() : undefined;
  let isDifferent = false;
  for await (const change of compare(before, after, path, { renames, signal, onNotice: note })) {
    array?.add(jsonOf(change));
    isDifferent = true;
    if (format === "quiet") return true;
    if (format === "name-status") print(nameStatus(change, isRaw));
    else if (format === "patch")
      print(colouredPatch(await (await patches()).patchOf(before, after, change, context, signal)));
    else if (format === "stat")
      stat.add(change, await (await patches()).lineChange(before, after, change, 0, signal));
  }
  array?.end();
  if (format === "stat" && isDifferent) print(stat.text());
  return isDifferent;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["A", "B"], ["PATH"]);
  const [a, b, path = "/"] = positionals as [string, string, string?];
  const formats = FORMATS.filter((name) => values[name] === true);
  if (formats.length > 1) throw usageError(`--${formats[0]} and --${formats[1]} exclude each other`);
  const [format = "name-status"] = formats;
  if (values.z && format !== "name-status") throw usageError(`-z goes with names, not with --${format}`);
  if (values.unified !== undefined && format !== "patch") throw usageError("--unified goes with --patch");
  const context = parseCount("--unified", values.unified, { least: 0, most: CONTEXT_MAX }) ?? 3;
  const bytes = pathArgument(path);
  const renames = values["no-renames"] !== true;
  // Only a repository leaves something to clean up.
  const hasRevision = [a, b].some((one) => parseRevision(one) !== undefined);
  const compareBoth = (signal: AbortSignal): Promise<boolean> =>
    withRevision(a, values, signal, (before) =>
      withRevision(b, values, signal, (after) =>
        show(format, { before, after, path: bytes, renames, context, isRaw: values.z === true, signal }),
      ),
    );
  const work = hasRevision ? interruptible(compareBoth) : compareBoth(new AbortController().signal);
  const isDifferent = await work.catch((error: unknown) => {
    // Status 1 says that the images differ.
    if (error instanceof DocteurError && error.code === "NotFound")
      throw usageError(`neither image has ${quotePath(bytes)}`);
    throw error;
  });
  return isDifferent ? DIFFERENT : EXIT.ok;
}

export const command: Command = {
  summary: "show what changed between two images",
  help: HELP,
  options: OPTIONS,
  run,
};

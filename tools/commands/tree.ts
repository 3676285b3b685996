/** `docteur tree`: the directories of an image, drawn as a tree. */
import type { Entry, Volume } from "../../src/index.js";
import { printableJson } from "../../src/text/printable.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { type Command, parse, parseCount, usageError } from "../cli/arguments.js";
import { entryJson, targetFields } from "../cli/entries.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes } from "../cli/format.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { globTest, passesAny } from "../cli/patterns.js";
import { paintKind } from "../cli/style.js";

const HELP = `usage: docteur tree [OPTION]... IMAGE [PATH]

Draws the directory at PATH and everything below it as a tree, as tree does, and
counts the directories and the files. Without PATH it begins at the root.

A GLOB with a slash is a pattern for whole paths, and one without for names, as
of docteur extract. A name that is not plain text is printed in double quotes.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -L, --level N      go at most N directories deep
  -d, --directories  show directories only
  -P, --pattern GLOB
                     show only the files that fit GLOB, and all directories; of
                     several -P, one is enough
  -I, --ignore GLOB  leave out what fits GLOB, with everything below it
  -s, --size         show the bytes of each file
      --human        show them as people read them: 1.5 MB
      --follow       follow symbolic links in PATH, within the image
      --json         print the tree as a JSON object: directories have children
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Example:
  docteur tree -L 2 --human disk.img /docs`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  level: { type: "string", short: "L" },
  directories: { type: "boolean", short: "d" },
  pattern: { type: "string", short: "P", multiple: true },
  ignore: { type: "string", short: "I", multiple: true },
  size: { type: "boolean", short: "s" },
  human: { type: "boolean" },
  follow: { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Test = (entry: Entry) => boolean;

/** How the tree is shown. */
interface View {
  level: number;
  isShown: Test;
  sizes: boolean;
  oids: boolean;
  isHuman: boolean;
}

/** What was shown. */
interface Counts {
  directories: number;
  files: number;
}

/** The entries of a directory that are shown, each with whether it is the last. */
async function* shownIn(
  volume: Volume,
  path: Uint8Array,
  { isShown, sizes, oids }: View,
): AsyncGenerator<{ entry: Entry; isLast: boolean }, void, undefined> {
  let held: Entry | undefined;
  for await (const entry of volume.entries(path, { sizes, oids })) {
    if (!isShown(entry)) continue;
    if (held !== undefined) yield { entry: held, isLast: false };
    held = entry;
  }
  if (held !== undefined) yield { entry: held, isLast: true };
}

function count(counts: Counts, { kind }: Entry): void {
  if (kind === "directory") counts.directories++;
  else counts.files++;
}

function sizeField({ size }: Entry, { sizes, isHuman }: View): string {
  if (!sizes) return "";
  const text = size === undefined ? "" : isHuman ? formatBytes(size) : String(size);
  return `[${text.padStart(isHuman ? 7 : 11)}]  `;
}

/** The end of a link's line. The target is bytes like a name. */
async function targetOf(volume: Volume, { kind, pathBytes }: Entry): Promise<string> {
  return kind === "symlink" ? ` -> ${quotePath(await volume.get(pathBytes))}` : "";
}

async function draw(
  volume: Volume,
  path: Uint8Array,
  view: View,
  counts: Counts,
  indent = "",
  depth = 1,
): Promise<void> {
  for await (const { entry, isLast } of shownIn(volume, path, view)) {
    count(counts, entry);
    const name = paintKind(entry.kind, quotePath(entry.nameBytes));
    const target = await targetOf(volume, entry);
    print(`${indent}${isLast ? "└── " : "├── "}${sizeField(entry, view)}${name}${target}\n`);
    if (entry.kind === "directory" && depth < view.level)
      await draw(volume, entry.pathBytes, view, counts, indent + (isLast ? "    " : "│   "), depth + 1);
  }
}

/** Prints an entry as JSON, its children as they come. */
async function printJson(volume: Volume, entry: Entry, view: View, indent = "", depth = 1): Promise<void> {
  const isOpen = entry.kind === "directory" && depth <= view.level;
  const target = entry.kind === "symlink" ? targetFields(await volume.get(entry.pathBytes)) : {};
  const text = printableJson({ ...entryJson(entry), ...target }, 2).replaceAll("\n", `\n${indent}`);
  if (!isOpen) {
    print(text);
    return;
  }
  // The object stays open for its children.
  print(`${text.slice(0, text.lastIndexOf("\n"))},\n${indent}  "children": [`);
  let isEmpty = true;
  for await (const { entry: child } of shownIn(volume, entry.pathBytes, view)) {
    print(`${isEmpty ? "" : ","}\n${indent}    `);
    await printJson(volume, child, view, `${indent}    `, depth + 1);
    isEmpty = false;
  }
  print(isEmpty ? `]\n${indent}}` : `\n${indent}  ]\n${indent}}`);
}

function few(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function viewOf(values: ReturnType<typeof parse<typeof OPTIONS>>["values"]): View {
  const { pattern = [], ignore = [], directories = false, json = false } = values;
  const patterns = pattern.map((glob) => globTest("--pattern", glob));
  const ignored = ignore.map((glob) => globTest("--ignore", glob));
  if (values.level === "0") throw usageError("--level takes a number of directories: 1 or more");
  const isShown: Test = (entry) => {
    if (passesAny(ignored, entry, false)) return false;
    return entry.kind === "directory" || (!directories && passesAny(patterns, entry, true));
  };
  return {
    level: parseCount("--level", values.level) ?? Number.POSITIVE_INFINITY,
    isShown,
    sizes: values.size === true || values.human === true || json,
    oids: json,
    isHuman: values.human === true,
  };
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], ["PATH"]);
  const [image, path = "/"] = positionals as [string, string?];
  const bytes = pathArgument(path);
  const view = viewOf(values);
  const follow = values.follow === true;
  const volume = await openImage(image, values);
  try {
    await explainNotFound(volume, bytes, follow, async () => {
      const top = await volume.stat(bytes, { follow });
      if (values.json) {
        await printJson(volume, top, view);
        print("\n");
        return;
      }
      const counts: Counts = { directories: 0, files: 0 };
      print(`${sizeField(top, { ...view, sizes: false })}${paintKind(top.kind, quotePath(top.pathBytes))}\n`);
      // The path as it was given: links in it are followed.
      if (top.kind === "directory") await draw(volume, follow ? bytes : top.pathBytes, view, counts);
      else count(counts, top);
      const files = values.directories ? "" : `, ${few(counts.files, "file", "files")}`;
      print(`\n${few(counts.directories, "directory", "directories")}${files}\n`);
    });
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "draw the directories of an image as a tree",
  help: HELP,
  options: OPTIONS,
  run,
};

/** `docteur find`: entries of an image that pass tests. */
import type { Entry, EntryKind } from "../../src/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { type Command, parse, parseBytes, parseCount, parseWord, usageError } from "../cli/arguments.js";
import { entryJson, JsonArray, longFields, walkTo } from "../cli/entries.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { nameTest, parseRegExp, passesAny, pathTest } from "../cli/patterns.js";
import { paintKind } from "../cli/style.js";

const HELP = `usage: docteur find [OPTION]... IMAGE [PATH]

Prints the paths of everything below PATH that passes all of the tests, one a
line: each directory before its entries, sorted by the bytes of their names.
Without PATH it begins at the root, and without tests it prints everything.

A GLOB is a pattern as of docteur extract: * and ? stand for characters of one
name, but not for a dot in front, [...] for one of some, {a,b} for either, and
** for directories of any depth. Quote it, so that the shell does not expand
it.

A path that is not plain text is printed in double quotes with the escapes of C.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
      --name GLOB    names that fit GLOB; of several --name, one is enough
      --path GLOB    paths that fit GLOB, from the root on; of several --path,
                     one is enough
      --regex RE     paths in which RE finds a match: a regular expression of
                     JavaScript, with the flag u
  -i, --ignore-case  let --regex ignore case
      --kind KINDS   letters of kinds: f for files, executables among them, x
                     for executables, d for directories, l for symbolic links, s
                     for submodules
      --size SIZE    files of SIZE bytes; +SIZE: more; -SIZE: fewer. SIZE can
                     have k, M or G: --size=+1M. Can be given many times
      --max-depth N  entries at most N names below PATH; deeper directories are
                     not read
  -l, --long         print mode, kind, object id and size before each path
  -L, --follow       follow symbolic links in PATH, within the image
  -z                 end each line with NUL, and print paths unchanged
      --json         print the entries as a JSON array, with their sizes
${imageHelp(21)}
  -h, --help         print this help

The exit status is 0 even if nothing is found.

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Examples:
  docteur find disk.img --name '*.md'
  docteur find disk.img /docs --kind f --size=+1M -l`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  name: { type: "string", multiple: true },
  path: { type: "string", multiple: true },
  regex: { type: "string" },
  "ignore-case": { type: "boolean", short: "i" },
  kind: { type: "string" },
  size: { type: "string", multiple: true },
  "max-depth": { type: "string" },
  long: { type: "boolean", short: "l" },
  follow: { type: "boolean", short: "L" },
  z: { type: "boolean", short: "z" },
  json: { type: "boolean" },
} as const;

const KINDS: Readonly<Record<string, readonly EntryKind[]>> = {
  f: ["file", "executable"],
  x: ["executable"],
  d: ["directory"],
  l: ["symlink"],
  s: ["submodule"],
};

const NUL = Buffer.of(0);

type Test = (entry: Entry) => boolean;

function kindTest(text: string): Test {
  const letters = [...text.replaceAll(",", "")];
  if (letters.length === 0) throw usageError("--kind takes letters of kinds");
  const kinds = letters.flatMap((letter) => KINDS[parseWord("kind", letter, Object.keys(KINDS))]!);
  return ({ kind }) => kinds.includes(kind);
}

function sizeTest(text: string): Test {
  const [, sign, number] = /^([+-]?)(.*)$/s.exec(text) as unknown as [string, string, string];
  const limit = parseBytes(number);
  if (limit === undefined)
    throw usageError(`--size takes a size: ${text}`, "a size is a number of bytes: 100, +64k, -1M");
  return ({ size }) =>
    size !== undefined && (sign === "+" ? size > limit : sign === "-" ? size < limit : size === limit);
}

type Values = ReturnType<typeof parse<typeof OPTIONS>>["values"];

/** The tests of the options. @throws DocteurError `Usage` */
function testsOf(values: Values): Test[] {
  const { name = [], path = [], regex, kind, size = [] } = values;
  const tests = size.map(sizeTest);
  if (kind !== undefined) tests.unshift(kindTest(kind));
  const names = name.map((glob) => nameTest("--name", glob));
  const paths = path.map((glob) => pathTest("--path", glob));
  tests.push((entry) => passesAny(names, entry, true) && passesAny(paths, entry, true));
  if (regex !== undefined) {
    const expression = parseRegExp("--regex", regex, values["ignore-case"] ? "ui" : "u");
    tests.push((entry) => expression.test(entry.path));
  } else if (values["ignore-case"]) throw usageError("--ignore-case goes with --regex");
  return tests;
}

function printEntry(entry: Entry, { long, z }: Values): void {
  const head = long ? longFields(entry) : "";
  if (z) print(Buffer.concat([Buffer.from(head), entry.pathBytes, NUL]));
  else print(`${head}${paintKind(entry.kind, quotePath(entry.pathBytes))}\n`);
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], ["PATH"]);
  const [image, path = "/"] = positionals as [string, string?];
  const bytes = pathArgument(path);
  const tests = testsOf(values);
  const follow = values.follow === true;
  const oids = values.long === true || values.json === true;
  const sizes = oids || values.size !== undefined;
  const depth = parseCount("--max-depth", values["max-depth"]);
  if (values.json && (values.z || values.long))
    throw usageError(`--json excludes ${values.z ? "-z" : "--long"}`);
  const volume = await openImage(image, values);
  try {
    const array = values.json ? new JsonArray() : undefined;
    await explainNotFound(volume, bytes, follow, async () => {
      const top = await volume.stat(bytes, { follow });
      const entries =
        top.kind === "directory" ? walkTo(volume, bytes, depth, { sizes, oids, follow }) : [top];
      for await (const entry of entries) {
        if (!tests.every((test) => test(entry))) continue;
        if (array === undefined) printEntry(entry, values);
        else array.add(entryJson(entry));
      }
    });
    array?.end();
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "find files of an image", help: HELP, options: OPTIONS, run };

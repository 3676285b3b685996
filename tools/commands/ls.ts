/** `docteur ls`: lists a directory of an image. */
import type { Entry, Volume } from "../../src/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { type Command, parse } from "../cli/arguments.js";
import { entryJson, JsonArray, longFields } from "../cli/entries.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { paintKind } from "../cli/style.js";

const HELP = `usage: docteur ls [OPTION]... IMAGE [PATH]

Prints the names in the directory at PATH, one a line, sorted by their bytes.
Without PATH it lists the root. If PATH is not a directory, it lists PATH
itself.

A name that is not plain text is printed in double quotes with the escapes of C,
as git prints it: "caf\\351.txt". ls and docteur cat take such a quoted name as
PATH.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -l, --long         print mode, kind, object id and size before each name,
                     as git ls-tree -l does
  -r, --recursive    list everything below PATH, as absolute paths
  -L, --follow       follow symbolic links in PATH, within the image
  -z                 end each line with NUL, and print names unchanged
      --json         print the entries as a JSON array, with their sizes; a
                     path that is not UTF-8 is also there quoted
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Example:
  docteur ls -lr disk.img /docs`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  long: { type: "boolean", short: "l" },
  recursive: { type: "boolean", short: "r" },
  follow: { type: "boolean", short: "L" },
  z: { type: "boolean", short: "z" },
  json: { type: "boolean" },
} as const;

const NUL = Buffer.of(0);

interface ListOptions {
  sizes: boolean;
  oids: boolean;
  recursive: boolean;
  follow: boolean;
}

/** The listed entries: for a directory its entries, or all below it; for anything else the entry itself. */
async function* list(
  volume: Volume,
  path: Uint8Array,
  { recursive, ...options }: ListOptions,
): AsyncGenerator<Entry> {
  const { follow } = options;
  const found = await volume.stat(path, { follow });
  if (found.kind !== "directory") yield found;
  else if (recursive) yield* volume.walk(path, options);
  else yield* volume.entries(path, options);
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], ["PATH"]);
  const [image, path = "/"] = positionals as [string, string?];
  const isLong = values.long === true || values.json === true;
  const options: ListOptions = {
    sizes: isLong,
    oids: isLong,
    recursive: values.recursive === true,
    follow: values.follow === true,
  };
  const bytes = pathArgument(path);
  const volume = await openImage(image, values);
  try {
    const array = values.json ? new JsonArray() : undefined;
    await explainNotFound(volume, bytes, options.follow, async () => {
      for await (const entry of list(volume, bytes, options)) {
        const shown = Buffer.from(options.recursive ? entry.pathBytes : entry.nameBytes);
        const head = values.long ? longFields(entry) : "";
        if (array !== undefined) array.add(entryJson(entry));
        else if (values.z) print(Buffer.concat([Buffer.from(head), shown, NUL]));
        else print(`${head}${paintKind(entry.kind, quotePath(shown))}\n`);
      }
    });
    array?.end();
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "list a directory of an image",
  help: HELP,
  options: OPTIONS,
  run,
};

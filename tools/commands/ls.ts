/** `docteur ls`: what a directory of an image holds. */
import type { Entry, Volume } from "../../src/index.js";
import { type Command, parse } from "../cli/arguments.js";
import { IMAGE_HELP, IMAGE_OPTIONS, openImage } from "../cli/image-options.js";
import { isOnTerminal, print } from "../cli/output.js";
import { hideControls } from "../terminal.js";

const HELP = `usage: docteur ls [OPTION]... IMAGE [PATH]

Lists the directory at PATH, by default the root: a name a line, sorted by
bytes. A PATH that is no directory lists itself.

Options:
  -l, --long         mode, kind, object id and size before each name, as
                     git ls-tree -l prints them
  -r, --recursive    everything below PATH, as absolute paths
  -L, --follow       follow symbolic links in PATH, within the image
  -z                 end each line with NUL instead of a line feed
      --json         print the entries as a JSON array
${IMAGE_HELP}
  -h, --help         print this help

Exit statuses: 0 listed; 1 there is no such path; 4 the image is damaged;
8 it cannot be read; 16 the arguments are wrong.

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

const GIT_KINDS: Record<string, string> = { directory: "tree", submodule: "commit" };

/** What git ls-tree -l prints before a name. */
function describe({ mode, kind, oid, size }: Entry): string {
  const octal = mode.toString(8).padStart(6, "0");
  return `${octal} ${GIT_KINDS[kind] ?? "blob"} ${oid} ${String(size ?? "-").padStart(7)}\t`;
}

/** What is listed: of a directory its entries, or all below it; of anything else the entry itself. */
async function* list(
  volume: Volume,
  path: Uint8Array,
  { recursive, ...options }: { sizes: boolean; recursive: boolean; follow: boolean },
): AsyncGenerator<Entry> {
  const { follow } = options;
  const found = await volume.stat(path, { follow });
  if (found.kind !== "directory") yield found;
  else if (recursive) yield* volume.walk(path, options);
  else yield* volume.entries(path, options);
}

/** An entry as an element of the array, which `JSON.stringify` would print so. */
function jsonOf({ nameBytes: _, mode, ...entry }: Entry): string {
  const json = JSON.stringify({ ...entry, mode: mode.toString(8).padStart(6, "0") }, null, 2);
  return `\n${json}`.replaceAll("\n", "\n  ");
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], ["PATH"]);
  const [image, path = "/"] = positionals as [string, string?];
  const volume = await openImage(image, values);
  try {
    const options = {
      sizes: values.long === true || values.json === true,
      recursive: values.recursive === true,
      follow: values.follow === true,
    };
    const end = Buffer.from(values.z ? "\0" : "\n");
    const show = isOnTerminal() ? hideControls : (name: Buffer): Buffer => name;
    let before = "[";
    for await (const entry of list(volume, Buffer.from(path), options)) {
      if (values.json) {
        print(before + jsonOf(entry));
        before = ",";
        continue;
      }
      const shown = Buffer.from(options.recursive ? entry.pathBytes : entry.nameBytes);
      print(Buffer.concat([Buffer.from(values.long ? describe(entry) : ""), show(shown), end]));
    }
    if (values.json) print(before === "[" ? "[]\n" : "\n]\n");
    return 0;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "list a directory of an image", help: HELP, run };

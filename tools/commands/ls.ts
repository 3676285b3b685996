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

/** An entry and the bytes of the path that it is shown under. */
interface Listed {
  entry: Entry;
  shown: Buffer;
}

async function* list(
  volume: Volume,
  path: Uint8Array,
  options: { sizes: boolean; recursive: boolean; follow: boolean },
): AsyncGenerator<Listed> {
  const found = await volume.stat(path, options);
  if (found.kind !== "directory") {
    yield { entry: found, shown: Buffer.from(options.recursive ? found.path : found.nameBytes) };
    return;
  }
  const prefix = found.path === "/" ? "/" : `${found.path}/`;
  for (const entry of await volume.list(path, options)) {
    const absolute = Buffer.concat([Buffer.from(prefix), entry.nameBytes]);
    yield { entry, shown: options.recursive ? absolute : Buffer.from(entry.nameBytes) };
    if (options.recursive && entry.kind === "directory")
      yield* list(volume, absolute, { ...options, follow: false });
  }
}

function toJson({ nameBytes: _, mode, ...entry }: Entry): object {
  return { ...entry, mode: mode.toString(8).padStart(6, "0") };
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
    const entries: object[] = [];
    for await (const { entry, shown } of list(volume, Buffer.from(path), options)) {
      if (values.json) entries.push(toJson(entry));
      else print(Buffer.concat([Buffer.from(values.long ? describe(entry) : ""), show(shown), end]));
    }
    if (values.json) print(`${JSON.stringify(entries, null, 2)}\n`);
    return 0;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "list a directory of an image", help: HELP, run };

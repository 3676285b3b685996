/** `docteur stat`: what an image knows of a path. */

import { isoDate } from "../../src/git/ident.js";
import { oidBytes } from "../../src/git/oid.js";
import { DocteurError, type Entry, type Volume } from "../../src/index.js";
import { ImageBytes } from "../../src/pack-table/image-bytes.js";
import { type PackedObject, PackTable } from "../../src/pack-table/pack-table.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { partsOf } from "../../src/volume.js";
import { type Command, MANY, parse, usageError } from "../cli/arguments.js";
import { entryJson, JsonArray, octalMode, targetFields } from "../cli/entries.js";
import { reportError } from "../cli/errors.js";
import { EXIT, exitHelp, exitStatus } from "../cli/exit.js";
import { formatCount } from "../cli/format.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { flush, print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";
import { paint } from "../cli/style.js";

const HELP = `usage: docteur stat [OPTION]... IMAGE PATH...

Prints what IMAGE knows of each PATH: its kind, mode and object id, its size in
bytes, its date, which is that of the commit, and the target of a symbolic
link. If a PATH is not there, the others are printed all the same.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -p, --packed       print how the object is stored, too: its place and its
                     bytes in the PACK, and the deltas that lead to it. This
                     reads the whole index, and the headers of all objects
  -L, --follow       follow symbolic links, within the image
      --json         print a JSON array
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Example:
  docteur stat --packed disk.img /README.md`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  packed: { type: "boolean", short: "p" },
  follow: { type: "boolean", short: "L" },
  json: { type: "boolean" },
} as const;

/** A path, and what is known of it. */
interface Facts {
  entry: Entry;
  date: Date | null;
  target: Uint8Array | undefined;
  packed: PackedObject | undefined;
}

/** The most bytes of a link's target that are shown. */
const TARGET_MAX = 4096;

async function factsOf(
  volume: Volume,
  path: Uint8Array,
  follow: boolean,
  table: PackTable | undefined,
): Promise<Facts> {
  const entry = await volume.stat(path, { follow });
  const isLink = entry.kind === "symlink";
  return {
    entry,
    date: volume.commit.date,
    target: isLink ? await volume.getPartial(path, 0, TARGET_MAX) : undefined,
    packed: entry.kind === "submodule" ? undefined : table?.find(oidBytes(entry.oid)),
  };
}

function describePacked({ offset, packedBytes, depth, base }: PackedObject): string[] {
  const how = depth === 0 ? "whole" : `as a delta, ${formatCount(depth, "delta")} deep`;
  return [
    `${formatCount(packedBytes, "byte")} at offset ${offset}, ${how}`,
    ...(base === undefined ? [] : [`base ${base}`]),
  ];
}

function printText({ entry, date, target, packed }: Facts): void {
  const { kind, mode, oid, size, pathBytes } = entry;
  const link = target === undefined ? "" : ` -> ${quotePath(target)}`;
  const rows: [string, string][] = [
    ["path", quotePath(pathBytes) + link],
    ["kind", kind],
    ["mode", octalMode(mode)],
    ["id", oid],
  ];
  if (size !== undefined) rows.push(["size", formatCount(size, "byte")]);
  rows.push(["date", date === null ? "none" : isoDate(date)]);
  if (packed !== undefined)
    rows.push(
      ...describePacked(packed).map((text, at): [string, string] => [at === 0 ? "packed" : "", text]),
    );
  for (const [name, text] of rows) print(`${paint("dim", name.padStart(6))}  ${text}\n`);
}

function jsonOf({ entry, date, target, packed }: Facts): object {
  return {
    ...entryJson(entry),
    ...(date === null ? {} : { date: isoDate(date) }),
    ...(target === undefined ? {} : targetFields(target)),
    ...(packed === undefined ? {} : { packed }),
  };
}

async function readTable(volume: Volume): Promise<PackTable> {
  const bytes = new ImageBytes(partsOf(volume).device);
  const frame = await bytes.frame();
  return PackTable.read(bytes, frame, await bytes.idx(frame));
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "PATH"], MANY);
  const [image, ...paths] = positionals as [string, ...string[]];
  const places = paths.map(pathArgument);
  const follow = values.follow === true;
  if (values.packed && values.mode === "analyze")
    throw usageError("--packed reads the index, which --mode analyze does not use");
  const volume = await openImage(image, values);
  let status: number = EXIT.ok;
  try {
    const table = values.packed ? await readTable(volume) : undefined;
    const array = values.json ? new JsonArray() : undefined;
    for (const [index, path] of places.entries())
      try {
        const facts = await explainNotFound(volume, path, follow, () => factsOf(volume, path, follow, table));
        if (array !== undefined) array.add(jsonOf(facts));
        else {
          if (index > 0) print("\n");
          printText(facts);
        }
      } catch (error) {
        if (!(error instanceof DocteurError) || exitStatus(error.code) !== EXIT.notFound) throw error;
        flush();
        status = reportError("docteur", error);
      }
    array?.end();
    return status;
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "print what an image knows of a path",
  help: HELP,
  options: OPTIONS,
  run,
};

/** `docteur cat`: files of an image on standard output. */
import { DocteurError, type Volume } from "../../src/index.js";
import { type Command, MANY, parse, usageError } from "../cli/arguments.js";
import { reportError } from "../cli/errors.js";
import { EXIT, exitHelp, exitStatus } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { flush, print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";

const HELP = `usage: docteur cat [OPTION]... IMAGE PATH...

Prints the file at each PATH, one after another, byte for byte. Of a symbolic
link it prints the name of the target, unless --follow is given. If a PATH
leads to no file, the others are printed all the same.

A PATH that is not UTF-8 can be given as docteur ls prints it: in double quotes,
with the escapes of C, such as '"caf\\351.txt"'.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
      --range RANGE  print only a part of each file, in the form that HTTP has:
                     0-99 is the first 100 bytes, 100- all but these, and
                     --range=-100 the last 100. A part beyond the end is empty
  -L, --follow       follow symbolic links, within the image
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Examples:
  docteur cat disk.img /README.md
  docteur cat --range 0-99 disk.img /docs/a.txt /docs/b.txt`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  follow: { type: "boolean", short: "L" },
  range: { type: "string" },
} as const;

/** A part of a file: bytes from an offset on, or the last ones. */
type Range = { offset: number; length: number } | { last: number };

/** @throws DocteurError `Usage` */
function parseRange(text: string | undefined): Range {
  if (text === undefined) return { offset: 0, length: Number.MAX_SAFE_INTEGER };
  const [, first, end, last] = /^(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))$/.exec(text) ?? [];
  if (last !== undefined) return { last: Number(last) };
  if (first !== undefined && (end === undefined || Number(end) >= Number(first)))
    return {
      offset: Number(first),
      length: end === undefined ? Number.MAX_SAFE_INTEGER : Number(end) - Number(first) + 1,
    };
  throw usageError(`--range takes a part of a file: ${text}`, "0-99, 100- or =-100, as HTTP has it");
}

async function printFile(volume: Volume, path: Uint8Array, range: Range, follow: boolean): Promise<void> {
  const part =
    "last" in range
      ? {
          offset: Math.max(0, (await volume.size(path, { follow })) - range.last),
          length: Number.MAX_SAFE_INTEGER,
        }
      : range;
  const content = volume.stream(path, { follow, ...part });
  for await (const piece of content as typeof content & AsyncIterable<Uint8Array>) print(piece);
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "PATH"], MANY);
  const [image, ...paths] = positionals as [string, ...string[]];
  const places = paths.map(pathArgument);
  const range = parseRange(values.range);
  const follow = values.follow === true;
  const volume = await openImage(image, values);
  let status: number = EXIT.ok;
  try {
    for (const path of places)
      try {
        await explainNotFound(volume, path, follow, () => printFile(volume, path, range, follow));
      } catch (error) {
        if (!(error instanceof DocteurError) || exitStatus(error.code) !== EXIT.notFound) throw error;
        flush();
        status = reportError("docteur", error);
      }
    return status;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "print files of an image", help: HELP, options: OPTIONS, run };

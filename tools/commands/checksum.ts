/** `docteur checksum`: a checksum of every file of an image, as sha256sum prints and checks them. */
import type { Volume } from "../../src/index.js";
import { hashFiles } from "../../src/sweep/hash.js";
import { type Command, parse, parseCount } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions, openImage } from "../cli/image-options.js";
import { print } from "../cli/output.js";

const HELP = `usage: docteur checksum [OPTION]... IMAGE

Prints the SHA-256 of every file in IMAGE, two spaces, and the path of the
file. sha256sum --check reads these lines, and checks a tree that was extracted
from the image. The lines are sorted by the bytes of their paths. Several
threads read, and each content once, however often it stands in the image.

Symbolic links are left out, because sha256sum would follow them. Submodules are
left out, because an image does not hold their files.

IMAGE is a file, or a URL, such as https://host/disk.img (docs/DEVICES.md).

Options:
      --git          print git's blob ids instead of SHA-256; this reads no
                     file, and includes symbolic links
  -j, --jobs N       threads that read, at most 64 (default: one for each
                     processor, at most 8)
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Example:
  docteur checksum disk.img | (cd extracted && sha256sum --check --quiet)`;

const OPTIONS = { ...IMAGE_OPTIONS, git: { type: "boolean" }, jobs: { type: "string", short: "j" } } as const;

const DASH = 0x2d;
const ESCAPES: Record<number, string> = { 10: "\\n", 13: "\\r", 92: "\\\\" };

/** A line of sha256sum's: a backslash in front says that the path's backslashes and line breaks are escaped. */
function line(hash: string, name: Buffer): Buffer {
  // Alone a dash would be standard input.
  const path = name.length === 1 && name[0] === DASH ? Buffer.concat([Buffer.from("./"), name]) : name;
  const isPlain = path.every((byte) => ESCAPES[byte] === undefined);
  if (isPlain) return Buffer.concat([Buffer.from(`${hash}  `), path, Buffer.from("\n")]);
  const escaped = path.toString("latin1").replace(/[\n\r\\]/g, (char) => ESCAPES[char.charCodeAt(0)]!);
  return Buffer.from(`\\${hash}  ${escaped}\n`, "latin1");
}

async function printIds(volume: Volume): Promise<void> {
  for await (const { kind, oid, pathBytes } of volume.walk("/", { order: "path" }))
    if (kind !== "directory" && kind !== "submodule") print(line(oid, Buffer.from(pathBytes.subarray(1))));
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"]);
  const [image] = positionals as [string];
  const jobs = parseCount("--jobs", values.jobs, { least: 1, most: 64 });
  const open = imageOptions(values);
  const volume = await openImage(image, values);
  try {
    if (values.git) await printIds(volume);
    else {
      const files = hashFiles(volume, { source: image, open, algorithm: "sha256", jobs });
      for await (const { path, digest } of files) print(line(digest, path.subarray(1)));
    }
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "print a checksum of every file of an image",
  help: HELP,
  options: OPTIONS,
  run,
};

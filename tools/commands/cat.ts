/** `docteur cat`: a file of an image on standard output. */
import { type Command, parse } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_HELP, IMAGE_OPTIONS, openImage } from "../cli/image-options.js";
import { explainNotFound } from "../cli/not-found.js";
import { print } from "../cli/output.js";
import { pathArgument } from "../cli/path-argument.js";

const HELP = `usage: docteur cat [OPTION]... IMAGE PATH

Prints the file at PATH, byte for byte. Of a symbolic link it prints the name of
the target, unless --follow is given.

A PATH that is not UTF-8 can be given as docteur ls prints it: in double quotes,
with the escapes of C, such as '"caf\\351.txt"'.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are needed are fetched.

Options:
  -L, --follow       follow symbolic links, within the image
${IMAGE_HELP}
  -h, --help         print this help

${exitHelp([0, 1, 4, 8, 10, 11, 16])}

Example:
  docteur cat disk.img /README.md`;

const OPTIONS = { ...IMAGE_OPTIONS, follow: { type: "boolean", short: "L" } } as const;

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "PATH"]);
  const [image, path] = positionals as [string, string];
  const bytes = pathArgument(path);
  const follow = values.follow === true;
  const volume = await openImage(image, values);
  try {
    await explainNotFound(volume, bytes, follow, async () => {
      const content = volume.stream(bytes, { follow });
      for await (const piece of content as typeof content & AsyncIterable<Uint8Array>) print(piece);
    });
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "print a file of an image", help: HELP, run };

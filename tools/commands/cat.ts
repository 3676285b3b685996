/** `docteur cat`: a file of an image on standard output. */
import { type Command, parse } from "../cli/arguments.js";
import { IMAGE_HELP, IMAGE_OPTIONS, openImage } from "../cli/image-options.js";
import { print } from "../cli/output.js";

const HELP = `usage: docteur cat [OPTION]... IMAGE PATH

Prints the file at PATH, byte for byte. A symbolic link prints as its target's
name, unless it is followed.

Options:
  -L, --follow       follow symbolic links, within the image
${IMAGE_HELP}
  -h, --help         print this help

Exit statuses: 0 printed; 1 there is no such file; 4 the image is damaged;
8 it cannot be read; 16 the arguments are wrong.

Example:
  docteur cat disk.img /README.md`;

const OPTIONS = { ...IMAGE_OPTIONS, follow: { type: "boolean", short: "L" } } as const;

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "PATH"]);
  const [image, path] = positionals as [string, string];
  const volume = await openImage(image, values);
  try {
    const content = volume.stream(path, { follow: values.follow === true });
    for await (const piece of content as typeof content & AsyncIterable<Uint8Array>) print(piece);
    return 0;
  } finally {
    await volume.close();
  }
}

export const command: Command = { summary: "print a file of an image", help: HELP, run };

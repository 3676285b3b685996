/** `docteur info`: what an image holds, and how. */
import { fileOf } from "../../src/devices/open.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, parse, parseCount, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, openImage } from "../cli/image-options.js";
import { note } from "../cli/messages.js";
import { flush, isOnTerminal, print } from "../cli/output.js";
import { factsJson, fullFacts, quickFacts } from "../info/facts.js";
import { describe } from "../info/text.js";

const HELP = `usage: docteur info [OPTION]... IMAGE

Prints what IMAGE holds: its commit, the files and their sizes, the objects and
how they are stored, the largest files and directories, and where the parts of
the image lie. It trusts the image: docteur verify checks it.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the commit and the header are read, unless --full is given.

Options:
      --quick        print only what the commit and the header tell
      --full         print everything, of an image at a URL too: this reads all
                     directories, the index, and most of the PACK
      --top N        the number of the largest files and of the largest
                     directories (default: 5)
      --json         print the facts as JSON
${imageHelp(21)}
  -h, --help         print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Example:
  docteur info disk.img`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  quick: { type: "boolean" },
  full: { type: "boolean" },
  top: { type: "string" },
  json: { type: "boolean" },
} as const;

const TOP = 5;
const TOP_MAX = 1000;

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"]);
  const [image] = positionals as [string];
  if (values.quick && values.full) throw usageError("--quick and --full exclude each other");
  if (values.mode === "analyze") throw usageError("info reads the index, which --mode analyze does not use");
  const top = parseCount("--top", values.top, { least: 0, most: TOP_MAX }) ?? TOP;
  const isFull = values.full === true || (values.quick !== true && fileOf(image) !== undefined);
  const volume = await openImage(image, values);
  try {
    const facts = await quickFacts(image, volume);
    if (isFull) Object.assign(facts, await fullFacts(volume, top));
    if (values.json) print(`${printableJson(factsJson(facts), 2)}\n`);
    else print(describe(facts, isOnTerminal()));
    if (!isFull && !values.quick) {
      flush();
      note("counts and sizes are left out for an image at a URL (--full)");
    }
    return EXIT.ok;
  } finally {
    await volume.close();
  }
}

export const command: Command = {
  summary: "print what an image holds, and how",
  help: HELP,
  options: OPTIONS,
  run,
};

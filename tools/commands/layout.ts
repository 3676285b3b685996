/** `docteur layout`: adds the layout section to an image, takes it away, or checks it. */
import { addLayout, checkLayout, type LayoutSummary, stripLayout } from "../../src/layout/files/index.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, parse, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes, plural } from "../cli/format.js";
import { say } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { interruptible } from "../cli/process.js";

const HELP = `usage: docteur layout --add|--strip|--check [OPTION]... IMAGE

Adds the layout section to IMAGE, a file, takes it away, or checks it. The
section is a table of all paths at the end of an image, by which readers find a
path, its size and its place without reading directories. docteur make writes
it. An image of docteur 0.0.7, or of make --no-layout, gets it by --add.
docteur 0.0.7 reads images with the section, and ignores it.

IMAGE is replaced whole: it has either its old bytes or the new ones.

Options:
      --add    add the section; one that is there is made again
      --strip  take the section away: IMAGE then has the bytes that it had
               before
      --check  make the section again, and compare it with the one that is
               there; docteur verify does this, too, and proves all objects
      --json   print a summary as JSON
  -q, --quiet  print no closing line
  -h, --help   print this help

${exitHelp([0, 4, 8, 16])}

Examples:
  docteur layout --add old.img
  docteur layout --check disk.img`;

const OPTIONS = {
  add: { type: "boolean" },
  strip: { type: "boolean" },
  check: { type: "boolean" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

const ACTIONS = { add: addLayout, strip: stripLayout, check: checkLayout } as const;

/** The closing line. */
function describe(
  action: keyof typeof ACTIONS,
  image: string,
  { pathCount, layoutBytes }: LayoutSummary,
): string {
  if (action === "strip") return `${image}: without a layout section`;
  const section = `a layout section of ${plural(pathCount, "path")}, ${formatBytes(layoutBytes)}`;
  return `${image}: ${section}${action === "check" ? ", as the objects give it" : ""}`;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"]);
  const chosen = (Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).filter((name) => values[name]);
  const [action] = chosen;
  if (action === undefined || chosen.length > 1)
    throw usageError("one of --add, --strip and --check is needed", "docteur layout --add IMAGE");
  const image = positionals[0]!;
  const summary = await interruptible((signal) => ACTIONS[action](image, { signal }));
  if (!values.quiet) say(describe(action, image, summary));
  if (values.json) print(`${printableJson(summary, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "add, strip or check the table of paths of an image",
  help: HELP,
  options: OPTIONS,
  run,
};

/** `docteur unmount`: ends what `docteur mount` began. */
import { DocteurError } from "../../src/errors.js";
import { type Command, parse } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { mountPath } from "../mount/mount.js";
import { mountedAt } from "../mount/mount-table.js";
import { isOurs, unmount } from "../mount/mounters.js";

const HELP = `usage: docteur unmount [OPTION]... DIR

Unmounts an image that docteur mount has mounted at DIR. The process that
served it ends. Other mounts are left alone.

Options:
      --force  unmount even if programs have files in DIR open
  -h, --help   print this help

${exitHelp([0, 8, 16])}

Example:
  docteur unmount /mnt/docs`;

const OPTIONS = { force: { type: "boolean" } } as const;

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["DIR"]);
  const directory = mountPath(positionals[0]!);
  const mounted = mountedAt(directory);
  if (mounted === undefined) throw new DocteurError("Io", `${directory}: nothing is mounted there`);
  if (!isOurs(mounted))
    throw new DocteurError("Io", `${directory}: ${mounted.source} is mounted there, not an image`);
  unmount(directory, values.force === true);
  return EXIT.ok;
}

export const command: Command = { summary: "end a mount of an image", help: HELP, options: OPTIONS, run };

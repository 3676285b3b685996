/** The help of `docteur` itself. */
import { exitHelp } from "../cli/exit.js";
import { COMMANDS } from "./table.js";

const HEAD = `usage: docteur SUBCOMMAND [OPTION]... [ARGUMENT]...
       docteur help [SUBCOMMAND]

Puts the files of a git commit, a directory or an archive into one read-only
disk image, and reads them there by path.

Subcommands:`;

const FOOT = `
docteur SUBCOMMAND --help and docteur help SUBCOMMAND describe a subcommand and
its options.

Options:
  -h, --help     print this help
  -V, --version  print the version

${exitHelp()}`;

/** For `docteur --help`. No newline at its end. The build computes it, as it loads all subcommands. */
export async function generalHelp(): Promise<string> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(COMMANDS))
    lines.push(`  ${name.padEnd(10)} ${(await load()).command.summary}`);
  return `${HEAD}\n${lines.join("\n")}\n${FOOT}`;
}

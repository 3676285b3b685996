/** `docteur licenses`: the licenses of docteur, and of the software that it contains. */
import { readOwn } from "../../src/node/own-files.js";
import { type Command, parse } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { print } from "../cli/output.js";

const HELP = `usage: docteur licenses

Prints the list of the software that docteur contains, and then the license of
each. If you pass docteur on, pass these licenses on with it. The program in one
file contains Node and more packages, and prints their licenses, too.

Options:
  -h, --help  print this help

${exitHelp([0, 8, 16])}

Example:
  docteur licenses | less`;

async function run(argv: string[]): Promise<number> {
  parse(argv, {}, []);
  print(readOwn(new URL("../../licenses.txt", import.meta.url)));
  return EXIT.ok;
}

export const command: Command = {
  summary: "print the licenses of docteur and of what it contains",
  help: HELP,
  options: {},
  run,
};

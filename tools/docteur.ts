#!/usr/bin/env node
/** `docteur SUBCOMMAND …`: finds the subcommand and runs it. Each one is a file of `tools/commands/`. */
import { readOwn } from "../src/node/own-files.js";
import { suggest } from "../src/text/nearest.js";
import { type Command, usageError } from "./cli/arguments.js";
import { withHelpOf } from "./cli/errors.js";
import { print } from "./cli/output.js";
import { runProgram } from "./cli/process.js";
import { generalHelp } from "./commands/general-help.js";
import { COMMANDS } from "./commands/table.js";

function version(): string {
  const manifest = readOwn(new URL("../../package.json", import.meta.url)).toString();
  return (JSON.parse(manifest) as { version: string }).version;
}

async function load(name: string): Promise<Command> {
  if (Object.hasOwn(COMMANDS, name)) return (await COMMANDS[name]!()).command;
  if (name.startsWith("-")) throw usageError(`unknown option ${name}`);
  throw usageError(`no such subcommand: ${name}`, suggest(name, Object.keys(COMMANDS)));
}

/** Whether help is asked for, before a `--` that ends the options. */
function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === "-h" || word === "--help");
}

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) throw usageError("no subcommand is given");
  if (name === "-V" || name === "--version") {
    print(`docteur ${version()}\n`);
    return 0;
  }
  const isHelp = name === "help" || name === "-h" || name === "--help";
  if (isHelp && rest[0] === undefined) {
    print(`${await generalHelp()}\n`);
    return 0;
  }
  const subcommand = isHelp ? rest[0]! : name;
  const command = await load(subcommand);
  if (!isHelp && !wantsHelp(command.ownArguments?.(rest) ?? rest))
    return command.run(rest).catch((error: unknown) => {
      throw withHelpOf(`docteur ${subcommand}`, error);
    });
  print(`${command.help}\n`);
  return 0;
}

runProgram("docteur", main);

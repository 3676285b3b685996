#!/usr/bin/env node
/** `docteur SUBCOMMAND …`: finds the subcommand and runs it. Each one is a file of `tools/commands/`. */
import { readFileSync } from "node:fs";
import { suggest } from "../src/text/nearest.js";
import { type Command, usageError } from "./cli/arguments.js";
import { withHelpOf } from "./cli/errors.js";
import { exitHelp } from "./cli/exit.js";
import { print } from "./cli/output.js";
import { runProgram } from "./cli/process.js";

/** The subcommands, in the order in which `--help` lists them; each is loaded when it is needed. */
const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {
  make: () => import("./commands/make.js"),
  verify: () => import("./commands/verify.js"),
  info: () => import("./commands/info.js"),
  checksum: () => import("./commands/checksum.js"),
  ls: () => import("./commands/ls.js"),
  stat: () => import("./commands/stat.js"),
  tree: () => import("./commands/tree.js"),
  find: () => import("./commands/find.js"),
  cat: () => import("./commands/cat.js"),
  diff: () => import("./commands/diff.js"),
  grep: () => import("./commands/grep.js"),
  extract: () => import("./commands/extract.js"),
  run: () => import("./commands/run.js"),
  serve: () => import("./commands/serve.js"),
  mount: () => import("./commands/mount.js"),
  unmount: () => import("./commands/unmount.js"),
  push: () => import("./commands/push.js"),
  pull: () => import("./commands/pull.js"),
  bundle: () => import("./commands/bundle.js"),
  guest: () => import("./commands/guest.js"),
};

const HEAD = `usage: docteur SUBCOMMAND [OPTION]... [ARGUMENT]...

Puts the files of a git commit, a directory or an archive into one read-only
disk image, and reads them there by path.

Subcommands:`;

const FOOT = `
docteur SUBCOMMAND --help describes a subcommand and its options.

Options:
  -h, --help     print this help
  -V, --version  print the version

${exitHelp()}`;

async function printHelp(): Promise<void> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(COMMANDS))
    lines.push(`  ${name.padEnd(8)} ${(await load()).command.summary}`);
  print(`${HEAD}\n${lines.join("\n")}\n${FOOT}\n`);
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
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
    await printHelp();
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

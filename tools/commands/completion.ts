/** `docteur completion`: scripts by which shells complete command lines, and the paths that they ask for. */
import { fileOf } from "../../src/devices/open.js";
import { open } from "../../src/index.js";
import { type Command, MANY, parse, parseWord, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { print } from "../cli/output.js";
import { bashScript } from "../completion/bash.js";
import { completedCommands } from "../completion/commands.js";
import { fishScript } from "../completion/fish.js";
import { candidates } from "../completion/paths.js";
import { completedTender } from "../completion/tender.js";
import { zshScript } from "../completion/zsh.js";

const HELP = `usage: docteur completion bash|zsh|fish
       docteur completion --paths IMAGE PREFIX

Prints a script that lets a shell complete subcommands, options, the words that
options take, files, and paths inside an image, and the lines of solo5-wasm. The
shell reads it at its start:

  bash  eval "$(docteur completion bash)" in ~/.bashrc, or the output in
        ~/.local/share/bash-completion/completions/docteur
  zsh   the output in a file _docteur in a directory of $fpath, or
        source <(docteur completion zsh) in ~/.zshrc, after compinit
  fish  docteur completion fish > ~/.config/fish/completions/docteur.fish

With --paths it prints the paths in IMAGE that begin with PREFIX, down to the
next slash, one a line. The scripts ask for them. Of an image that cannot be
read, or at a URL, there are none, and no message. Names that are not plain
text are left out.

Options:
      --paths     print paths of an image
  -h, --help      print this help

${exitHelp([0, 8, 16])}

Example:
  eval "$(docteur completion bash)"`;

const OPTIONS = { paths: { type: "boolean" } } as const;

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

async function printPaths(image: string, prefix: string): Promise<void> {
  if (fileOf(image) === undefined) return;
  try {
    const volume = await open(image);
    try {
      for await (const path of candidates(volume, prefix)) print(`${path}\n`);
    } finally {
      await volume.close();
    }
  } catch {
    // A person is in the middle of a line: there is nothing to complete.
  }
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, [], MANY);
  if (values.paths) {
    const [image, prefix = "", ...others] = positionals;
    if (image === undefined) throw usageError("IMAGE is missing");
    if (others.length > 0) throw usageError(`one argument too many: ${others[0]}`);
    await printPaths(image, prefix);
    return EXIT.ok;
  }
  const [word, ...others] = positionals;
  if (word === undefined) throw usageError(`a shell is missing: ${Object.keys(SCRIPTS).join(", ")}`);
  if (others.length > 0) throw usageError(`one argument too many: ${others[0]}`);
  const shell = parseWord("shell", word, Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]);
  print(SCRIPTS[shell](await completedCommands(), await completedTender()));
  return EXIT.ok;
}

export const command: Command = {
  summary: "print a script that completes commands in a shell",
  help: HELP,
  options: OPTIONS,
  run,
};

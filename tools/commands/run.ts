/** `docteur run`: a WASI program that finds an image as a directory. */
import { parseArgs } from "node:util";
import { openSync } from "../../src/sync/index.js";
import { type Command, parse, usageError } from "../cli/arguments.js";
import { exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions } from "../cli/image-options.js";
import { readProgram, runWasi } from "../wasi/run.js";

const HELP = `usage: docteur run [OPTION]... IMAGE PROGRAM [ARGUMENT]...

Runs PROGRAM, a WebAssembly module for WASI preview 1. It finds the files of
IMAGE in a directory, by default at /, and nothing else of this machine. It
reads what it opens, and cannot change anything. It has the standard input,
output and error of this command. Everything after PROGRAM is an argument of
the program.

This needs the package @bjorn3/browser_wasi_shim: npm install it beside docteur.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that the program reads are fetched.

Options:
      --dir PATH     the directory at which the program finds the image
                     (default: /)
      --env NAME=VALUE
                     an environment variable of the program; can be given many
                     times. By default there are none
${imageHelp(21)}
  -h, --help         print this help

The exit status is the program's, 255 if it traps. If it does not start:

${exitHelp([4, 8, 10, 11, 16])}

Example:
  docteur run --dir /usr disk.img program.wasm --verbose`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  dir: { type: "string" },
  env: { type: "string", multiple: true },
} as const;

/** The arguments up to PROGRAM, which are ours. */
function ownArguments(argv: string[]): string[] {
  const { tokens } = parseArgs({
    args: argv,
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const program = tokens.filter((token) => token.kind === "positional")[1];
  return program === undefined ? argv : argv.slice(0, program.index + 1);
}

async function run(argv: string[]): Promise<number> {
  const own = ownArguments(argv);
  const { values, positionals } = parse(own, OPTIONS, ["IMAGE", "PROGRAM"]);
  const [image, program] = positionals as [string, string];
  const env = values.env ?? [];
  const unnamed = env.find((variable) => !/^[^=]+=/.test(variable));
  if (unnamed !== undefined) throw usageError(`--env takes NAME=VALUE: ${unnamed}`);
  const module = readProgram(program);
  const volume = openSync(image, imageOptions(values));
  try {
    return await runWasi(module, {
      name: program,
      args: [program, ...argv.slice(own.length)],
      env,
      volume,
      directory: values.dir ?? "/",
    });
  } finally {
    volume.close();
  }
}

export const command: Command = {
  summary: "run a WASI program that reads an image",
  help: HELP,
  options: OPTIONS,
  run,
  ownArguments,
};

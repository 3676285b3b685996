/** `docteur guest`: begins a guest, and writes or prints the sections that make a module a guest. */
import { readFile } from "node:fs/promises";
import { ioError } from "../../src/node/io-error.js";
import { replaceFile } from "../../src/node/replace-file.js";
import { inFile, readGuestSections, writeGuestSections } from "../../src/tender/guest-sections.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, parse, parseWord, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { say } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { initGuest, LANGUAGES } from "../kit/init.js";

const HELP = `usage: docteur guest init [--language LANGUAGE] [DIR]
       docteur guest manifest MODULE.wasm MANIFEST.json -o GUEST.wasm
       docteur guest manifest --print GUEST.wasm

Helps to write guests for solo5-wasm. docs/GUESTS.md shows every step.

init begins a guest in DIR, or in this folder: a program that prints a file of
an image, and all that its build needs. A file that is there already is an
error.

manifest writes the sections solo5.abi and solo5.manifest into a module, in
place of those that it has. It refuses a module that solo5-wasm would refuse.
With --print, it prints the sections of a guest as JSON.

Options of init:
      --language LANGUAGE  assemblyscript (default), or c: for C and C++
      --docteur SPEC       where npm finds docteur, for package.json (default:
                           the folder of this docteur, or its version, if it
                           is one file)

Options of manifest:
  -o, --output FILE        the file to write; it may be MODULE.wasm
      --print              print the sections of a guest

  -h, --help               print this help

${exitHelp([0, 8, 16])}

Example:
  docteur guest init my-guest && cd my-guest && npm install && npm run build`;

const ACTIONS = ["init", "manifest"];

const INIT_OPTIONS = {
  language: { type: "string", choices: LANGUAGES },
  docteur: { type: "string" },
} as const;
const MANIFEST_OPTIONS = { output: { type: "string", short: "o" }, print: { type: "boolean" } } as const;

function read(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw ioError("read", path, cause);
  });
}

async function init(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, INIT_OPTIONS, [], ["DIR"]);
  const folder = positionals[0] ?? ".";
  const language = parseWord("language", values.language ?? LANGUAGES[0], LANGUAGES);
  if (language !== "assemblyscript" && values.docteur !== undefined)
    throw usageError("--docteur is for guests in AssemblyScript");
  const files = await initGuest(folder, language, values.docteur);
  say(`${folder}: ${files.join(", ")}`);
  return EXIT.ok;
}

async function printSections(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, MANIFEST_OPTIONS, ["GUEST.wasm"]);
  if (values.output !== undefined) throw usageError("--print writes no file");
  const [path] = positionals as [string];
  const bytes = await read(path);
  try {
    const { abi, manifest } = readGuestSections(bytes);
    print(`${printableJson({ "solo5.abi": abi, "solo5.manifest": manifest }, 2)}\n`);
  } catch (error) {
    throw inFile(path, error);
  }
  return EXIT.ok;
}

async function writeManifest(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, MANIFEST_OPTIONS, ["MODULE.wasm", "MANIFEST.json"]);
  const { output } = values;
  if (output === undefined) throw usageError("no file to write is given", "give it with -o FILE");
  const [path, manifestPath] = positionals as [string, string];
  const [module, manifest] = [await read(path), await read(manifestPath)];
  let guest: Uint8Array;
  try {
    guest = writeGuestSections(module, manifest);
  } catch (error) {
    throw inFile(String((error as Error).message).includes("manifest") ? manifestPath : path, error);
  }
  await replaceFile(output, ({ sink }) => sink.append(guest));
  return EXIT.ok;
}

async function run(argv: string[]): Promise<number> {
  const [action, ...rest] = argv;
  if (action === undefined) throw usageError(`what to do is missing: ${ACTIONS.join(" or ")}`);
  if (parseWord("action", action, ACTIONS) === "init") return init(rest);
  return rest.includes("--print") ? printSections(rest) : writeManifest(rest);
}

/** See `Command`. */
export const command: Command = {
  summary: "begin a guest, or write its manifest into it",
  help: HELP,
  options: { ...INIT_OPTIONS, ...MANIFEST_OPTIONS },
  run,
};

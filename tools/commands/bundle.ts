/** `docteur bundle`: a guest and an image become one WebAssembly module. */
import { readFile } from "node:fs/promises";
import { bundle, readBundleFile } from "../../src/bundle/index.js";
import { ioError } from "../../src/node/io-error.js";
import { readOwn } from "../../src/node/own-files.js";
import { replaceFile } from "../../src/node/replace-file.js";
import { inFile } from "../../src/tender/guest-sections.js";
import { type Command, parse, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes } from "../cli/format.js";
import { say } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { interruptible } from "../cli/process.js";

const HELP = `usage: docteur bundle [OPTION]... IMAGE -o FILE.wasm
       docteur bundle --print FILE.wasm
       docteur bundle --extract FILE.wasm -o IMAGE

Writes one WebAssembly module that is a guest and its image. It runs without a
block device: solo5-wasm FILE.wasm --filename /README.md. The guest reads the
image out of a data segment of the module, block by block, so that the guest's
memory stays as small as with a block device. An engine keeps all of the module
in its own memory, and takes modules of at most 1 GiB.

IMAGE is a file that docteur make has written. Its header and its commit are
read; docteur verify checks all of it.

Options:
      --guest FILE    the guest: one for solo5-wasm, or a WASI command that
                      imports solo5.block_acquire and solo5.block_read
                      (default: docteur's simple, which prints a file)
      --wasi          take simple as a WASI command: for wasmtime and others
      --device NAME   the device of the guest that IMAGE takes the place of
                      (default: docteur)
  -o, --output FILE   the file to write
      --print         print what is in a bundle, as JSON: device, size and
                      SHA-256 of the image, which is compared, and its commit
      --extract       write the image in a bundle, byte for byte
  -q, --quiet         print no closing line
  -h, --help          print this help

${exitHelp([0, 4, 8, 16])}

Example:
  docteur bundle --wasi disk.img -o site.wasm
  wasmtime run site.wasm --filename /README.md`;

const OPTIONS = {
  guest: { type: "string" },
  wasi: { type: "boolean" },
  device: { type: "string" },
  output: { type: "string", short: "o" },
  print: { type: "boolean" },
  extract: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

/** The bytes of the guest: a file, or one of the package's. */
async function readGuest(path: string | undefined, wasi: boolean): Promise<Uint8Array> {
  if (path === undefined)
    return readOwn(new URL(`../../guest/simple${wasi ? ".bundled" : ""}.wasm`, import.meta.url));
  return readFile(path).catch((cause) => {
    throw ioError("read", path, cause);
  });
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"]);
  const { guest, wasi = false, device, output, quiet } = values;
  const [file] = positionals as [string];
  if (values.print === true && values.extract === true)
    throw usageError("--print and --extract exclude each other");
  const action = values.print === true ? "--print" : values.extract === true ? "--extract" : undefined;
  if (action !== undefined && (guest ?? device ?? (wasi || undefined)) !== undefined)
    throw usageError(`${action} goes with none of --guest, --wasi and --device`);
  if (guest !== undefined && wasi) throw usageError("--guest and --wasi exclude each other");
  if (action === "--print") {
    if (output !== undefined) throw usageError("--print writes no file");
    const { info } = await readBundleFile(file).catch((error) => Promise.reject(inFile(file, error)));
    print(`${JSON.stringify(info, null, 2)}\n`);
    return EXIT.ok;
  }
  if (output === undefined) throw usageError("no file to write is given", "give it with -o FILE");
  if (action === "--extract") {
    const { info, image } = await readBundleFile(file).catch((error) => Promise.reject(inFile(file, error)));
    await replaceFile(output, ({ sink }) => sink.append(image));
    if (!quiet) say(`${output}: commit ${info.commit}, ${formatBytes(info.size)}`);
    return EXIT.ok;
  }
  const bytes = await readGuest(guest, wasi);
  const made = await interruptible((signal) => bundle(bytes, file, output, { device, signal })).catch(
    (error) => Promise.reject(inFile(guest ?? "simple.wasm", error)),
  );
  const kind = made.isWasi ? "a WASI command" : "a guest for solo5-wasm";
  if (!quiet) say(`${output}: ${kind} with commit ${made.info.commit}, ${formatBytes(made.size)}`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "put a guest and an image into one module",
  help: HELP,
  options: OPTIONS,
  run,
};

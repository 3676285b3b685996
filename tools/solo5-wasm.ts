#!/usr/bin/env node
/** `solo5-wasm`: runs a guest from the command line, with the flags, checks and exit statuses of `solo5-hvt`. */
import { readFileSync, writeSync } from "node:fs";
import { isBlockSize } from "../src/devices/device.js";
import { FileDevice, reasonOf } from "../src/devices/file.js";
import { DocteurError } from "../src/errors.js";
import { checkDevices, type Guest, isDeviceName, loadGuest, run } from "../src/tender/index.js";

const USAGE = `usage: solo5-wasm [ CORE OPTIONS ] [ MODULE OPTIONS ] [ -- ] GUEST [ ARGS ]
   or: solo5-wasm --help | --version
GUEST is the filename of the guest to run, a WebAssembly module.
ARGS are optional arguments passed to the guest.
Core options:
  [ --mem=512 ] (the most memory that the guest may use, in MB)
    --help (display this help)
    --version (display version information)
Compiled-in modules: block
Compiled-in module options:
    --block:NAME=PATH (attach block device/file at PATH, read-only, as block storage NAME)
  [ --block-sector-size:NAME=SECTORSIZE ] (set sector size for block device NAME; a power of two, at least 512; default 512)
Exit status: the guest's; 255 where it aborts or traps; 1 where it is not started.
`;

const HINT = "Run `solo5-wasm --help' for the options.";

/** A command line, taken apart. */
interface CommandLine {
  action: "run" | "help" | "version";
  memoryLimit: number;
  /** Paths and block sizes of the devices to attach, by name. */
  paths: Map<string, string>;
  blockSizes: Map<string, number>;
  guest: string;
  args: string[];
}

function usageError(message: string): DocteurError {
  return new DocteurError("Usage", message, { hint: HINT });
}

function parseMem(value: string): number {
  const megabytes = /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (megabytes < 1 || megabytes > 4096) throw usageError("Malformed argument to --mem: 1 to 4096 MB");
  return megabytes * 2 ** 20;
}

/** Splits `NAME=VALUE`; undefined where it is not of that form. */
function parseAssignment(text: string): [name: string, value: string] | undefined {
  const [, name, value] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  return name !== undefined && value !== undefined && isDeviceName(name) ? [name, value] : undefined;
}

/** Takes one option in; whether there is one of that name. */
function parseOption(option: string, line: CommandLine): boolean {
  const [, flag, rest] = /^(--mem=|--block:|--block-sector-size:)(.*)$/s.exec(option) ?? [];
  if (flag === undefined || rest === undefined) return false;
  if (flag === "--mem=") {
    line.memoryLimit = parseMem(rest);
    return true;
  }
  const assignment = parseAssignment(rest);
  if (assignment === undefined) return false;
  const [name, value] = assignment;
  if (flag === "--block:") {
    if (line.paths.has(name)) throw usageError(`Device '${name}' attached twice`);
    line.paths.set(name, value);
  } else {
    const size = /^[0-9]{1,10}$/.test(value) ? Number(value) : 0;
    if (!isBlockSize(size))
      throw usageError(`Block size of '${name}' must be a power of two greater than or equal to 512`);
    if (line.blockSizes.has(name)) throw usageError(`Block size of '${name}' given twice`);
    line.blockSizes.set(name, size);
  }
  return true;
}

function parseCommandLine(argv: readonly string[]): CommandLine {
  const line: CommandLine = {
    action: "run",
    memoryLimit: 512 * 2 ** 20,
    paths: new Map(),
    blockSizes: new Map(),
    guest: "",
    args: [],
  };
  let index = 0;
  for (; argv[index]?.startsWith("-"); index++) {
    const option = argv[index]!;
    if (option === "--help" || option === "--version")
      return { ...line, action: option === "--help" ? "help" : "version" };
    if (option === "--") {
      index++;
      break;
    }
    if (!parseOption(option, line)) throw usageError(`Invalid option: \`${option}'`);
  }
  const guest = argv[index];
  if (guest === undefined) throw usageError("Missing GUEST operand");
  for (const name of line.blockSizes.keys())
    if (!line.paths.has(name)) throw usageError(`Block size given for '${name}', which is not attached`);
  return { ...line, guest, args: argv.slice(index + 1) };
}

function readGuest(path: string, memoryLimit: number): Guest {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new DocteurError("Io", `${path}: ${reasonOf(cause)}`, { cause });
  }
  return loadGuest(bytes as BufferSource, memoryLimit);
}

/** Writes all of it, also to a pipe that is full for now. Whoever closes the pipe has seen enough: no message. */
function writeAll(fd: number, bytes: Uint8Array): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The status that a shell shows for a program that SIGPIPE ended.
      if (code === "EPIPE") process.exit(128 + 13);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(cell, 0, 0, 1);
    }
  }
}

function say(message: string): void {
  writeAll(2, new TextEncoder().encode(`solo5-wasm: ${message}\n`));
}

/** Attaches, runs, and says how it ended. Returns the exit status. */
function runGuest({ guest, memoryLimit, paths, blockSizes, args }: CommandLine): number {
  const loaded = readGuest(guest, memoryLimit);
  checkDevices(loaded.manifest, paths.keys());
  const devices: Record<string, FileDevice> = {};
  try {
    for (const [name, path] of paths) devices[name] = new FileDevice(path, blockSizes.get(name));
    const outcome = run(loaded, { devices, args, console: (bytes) => writeAll(1, bytes) });
    if (outcome.cause === "abort") say(`${guest}: guest aborted`);
    if (outcome.cause === "trap") say(`${guest}: guest trapped: ${outcome.reason}`);
    return outcome.status & 255;
  } finally {
    for (const device of Object.values(devices)) device.close();
  }
}

function main(argv: readonly string[]): number {
  let guest = "";
  try {
    const line = parseCommandLine(argv);
    guest = line.guest;
    if (line.action === "run") return runGuest(line);
    const version = (): string =>
      JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
    const text = line.action === "help" ? USAGE : `solo5-wasm ${version()}\nABI wasm version 1\n`;
    writeAll(1, new TextEncoder().encode(text));
    return 0;
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    say(error.code === "BadGuest" ? `${guest}: ${error.message}` : error.message);
    if (error.hint !== undefined) say(error.hint);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));

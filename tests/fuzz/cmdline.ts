/**
 * Fuzzes the command line: arguments that the host joins are those that the guest gets, under the tender and as a WASI command; any other bytes
 * are split as an independent splitter splits them, or refused; and what `simple` makes of its arguments is what an independent reading of them
 * says.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { MemoryDevice } from "../../src/devices/memory.js";
import { DocteurError } from "../../src/errors.js";
import { open } from "../../src/index.js";
import { CMDLINE_MAX, encodeCommandLine } from "../../src/tender/cmdline.js";
import { GuestEnd, Hypercalls } from "../../src/tender/hypercalls.js";
import { fixture, fixtureBlobs } from "../support/fixtures.js";
import { guestPath } from "../support/programs.js";
import type { Random } from "../support/random.js";
import { runWasi } from "../support/wasi-host.js";
import { type Case, inputOf, type Target } from "./target.js";

const FILES = fixture("tiny.img");
const SPACES = [0x20, 9, 10, 11, 12, 13];
const ALPHABET = [...'aé=-/€ \t\n\v\f\r""\\\\\'$', "\u{1f9ea}", "\u00a0", "\ud800", "\x7f", "\x01"];
const USAGE =
  "usage: simple [--mode light|fast|analyze] [--follow] --filename PATH\nPrints a file of the image on the device docteur.\n";

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

function compileGuest(name: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(guestPath(name)));
}

/** Splits as docs/ABI.md has it. @returns undefined where it is malformed */
function split(line: Uint8Array): Buffer[] | undefined {
  const args: Buffer[] = [];
  let arg: number[] | undefined;
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]!;
    if (byte === 0 || line.length > CMDLINE_MAX) return undefined;
    if (!isQuoted && SPACES.includes(byte)) {
      if (arg !== undefined) args.push(Buffer.from(arg));
      arg = undefined;
      continue;
    }
    arg ??= [];
    if (byte === 0x22) isQuoted = !isQuoted;
    else if (byte !== 0x5c) arg.push(byte);
    else if (++at === line.length || line[at] === 0) return undefined;
    else arg.push(line[at]!);
  }
  if (isQuoted) return undefined;
  return arg === undefined ? args : [...args, Buffer.from(arg)];
}

/** Bytes of arguments, joined. */
function joinedLength(args: readonly string[]): number {
  const lengths = args.map((arg) => {
    const bytes = [...Buffer.from(arg)];
    const escapes = bytes.filter((byte) => byte === 0x22 || byte === 0x5c).length;
    const isPlain = bytes.length > 0 && escapes === 0 && !bytes.some((byte) => SPACES.includes(byte));
    return bytes.length + escapes + (isPlain ? 0 : 2);
  });
  return lengths.reduce((sum, length) => sum + length, Math.max(0, args.length - 1));
}

function randomArgument(random: Random): string {
  if (random(60) === 0) return "\0";
  if (random(40) === 0) return pick(random, ["x", "é", "\\", " "]).repeat(random(CMDLINE_MAX + 3));
  return Array.from({ length: random(9) }, () => pick(random, ALPHABET)).join("");
}

/** Runs a guest over any command line. */
function runGuest(
  module: WebAssembly.Module,
  cmdline: Uint8Array,
  devices: [string, MemoryDevice][] = [],
): { status: number; output: Buffer } {
  const chunks: Uint8Array[] = [];
  const hypercalls = new Hypercalls({ devices, cmdline, console: (bytes) => chunks.push(bytes) });
  const imports = { solo5: hypercalls.imports as unknown as WebAssembly.ModuleImports };
  const { exports } = new WebAssembly.Instance(module, imports);
  hypercalls.bind(exports.memory as WebAssembly.Memory);
  let status: number;
  try {
    status = (exports.solo5_app_main as () => number)();
  } catch (error) {
    if (!(error instanceof GuestEnd)) throw error;
    status = error.status;
  }
  return { status, output: Buffer.concat(chunks) };
}

/** What `hello` prints of a command line. */
function helloOutput(line: Uint8Array, args: readonly Uint8Array[] | undefined): Buffer {
  const shown = line.length > CMDLINE_MAX ? Buffer.alloc(0) : line;
  const parts: (string | Uint8Array)[] = ["Hello, World\nCommand line is: '", shown, "'\n"];
  for (const arg of args ?? []) parts.push("[", arg, "]\n");
  if (args === undefined) parts.push("Error: malformed command line.\n");
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

function checkLine(hello: WebAssembly.Module, line: Buffer, { count }: Case): void {
  const args = split(line);
  const { status, output } = runGuest(hello, line);
  assert.equal(status, args === undefined ? 1 : 0);
  assert.ok(output.equals(helloOutput(line, args)), output.toString("latin1"));
  count(args === undefined ? "malformed" : "split");
}

function checkArguments(hello: WebAssembly.Module, helloWasi: WebAssembly.Module, fuzz: Case): void {
  const { random, keep, count } = fuzz;
  const args = Array.from({ length: random(7) }, () => randomArgument(random));
  const bytes = args.map((arg) => Buffer.from(arg));
  keep(Buffer.from(JSON.stringify(args)));
  const isTooLong = joinedLength(args) > CMDLINE_MAX;
  const hasNul = args.some((arg) => arg.includes("\0"));
  let line: Uint8Array | undefined;
  try {
    line = encodeCommandLine(args);
  } catch (error) {
    assert.ok(error instanceof DocteurError && error.code === "InvalidArgument", String(error));
    assert.ok(isTooLong || hasNul, error.message);
    count("not joined");
  }
  if (line !== undefined) {
    assert.equal(line.length, joinedLength(args));
    assert.deepEqual(split(line), bytes);
    const { status, output } = runGuest(hello, line);
    assert.equal(status, 0);
    assert.ok(output.equals(helloOutput(line, bytes)), output.toString());
    count("joined");
  }
  if (hasNul) return;
  // After "--" nothing is meant for the tender that the command has inside.
  const { status, stdout, stderr } = runWasi(helloWasi, { args: [Buffer.from("--"), ...bytes] });
  if (line !== undefined)
    assert.ok(status === 0 && stdout.equals(helloOutput(line, bytes)), stderr.toString());
  else {
    assert.equal(stderr.toString(), "solo5-wasm: Guest command line too long (max=8192 bytes)\n");
    assert.equal(status, 1);
  }
}

/** What `simple` is to print, and how it is to end; the beginning of it where a path leads nowhere. */
function readSimple(args: readonly Buffer[] | undefined, files: ReadonlyMap<string, Uint8Array>): string {
  const usage = (what: string): string => `Error: ${what}.\n${USAGE}`;
  if (args === undefined) return usage("malformed command line");
  let path: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!.toString("latin1");
    const [, option, inline] = /^(--mode|--filename)(?:=(.*))?$/s.exec(arg) ?? [];
    if (arg === "--help") return USAGE;
    if (arg === "--follow") continue;
    if (option === undefined) return `Error: unknown argument ${arg}.\n${USAGE}`;
    const value = inline ?? args[++at]?.toString("latin1");
    if (option === "--mode") {
      if (!["light", "fast", "analyze"].includes(value ?? ""))
        return usage("option --mode takes light, fast or analyze");
      continue;
    }
    if (value === undefined) return usage("option --filename needs a value");
    if (path !== undefined) return usage("option --filename is there twice");
    path = value;
  }
  if (path === undefined) return usage("required option --filename is missing");
  const content = files.get(path);
  return content === undefined ? `Error: ${path}` : Buffer.from(content).toString("latin1");
}

function randomSimple(random: Random, paths: readonly string[]): Buffer {
  const words = ["--filename", "--filename=", "--mode", "--mode=", "--follow", "--help", "light", "fast"];
  words.push(
    "analyze",
    "--filename=/README.md",
    "--mode=light",
    "--mode=x",
    "--",
    "",
    "--filenames",
    "--mod",
  );
  const args = Array.from({ length: random(5) }, () =>
    random(8) ? pick(random, words) : randomArgument(random),
  );
  if (random(3)) args.splice(random(args.length + 1), 0, "--filename", pick(random, paths));
  return Buffer.from(
    args.map((arg) => `"${arg.replaceAll(/["\\]/g, "\\$&")}"`).join(pick(random, [" ", "\n", "  "])),
  );
}

function checkSimple(simple: WebAssembly.Module, files: ReadonlyMap<string, Uint8Array>, fuzz: Case): void {
  const line = inputOf(fuzz, (random) => randomSimple(random, [...files.keys(), "/nowhere", "/", ""]));
  fuzz.keep(line);
  const args = split(line);
  const expected = readSimple(args, files);
  const { status, output } = runGuest(simple, line, [["docteur", new MemoryDevice(FILES)]]);
  const actual = output.toString("latin1");
  const isError = expected.startsWith("Error: ");
  if (isError && !expected.endsWith(USAGE)) {
    // Another spelling of a file's path leads to it, too.
    const isFile = [...files.values()].some((content) => Buffer.from(content).toString("latin1") === actual);
    assert.ok(isFile || actual.startsWith(expected), actual);
    assert.equal(status, isFile ? 0 : 1);
  } else {
    assert.equal(actual, expected);
    assert.equal(status, isError ? 1 : 0);
  }
  fuzz.count(isError ? "simple refuses" : "simple serves");
}

/** A case is one command line, or the arguments of one. */
export const cmdline: Target = async () => {
  const hello = compileGuest("hello");
  const helloWasi = compileGuest("hello.wasi");
  const simples = [compileGuest("simple"), compileGuest("simple.simd")];
  const volume = await open(FILES);
  const files = new Map<string, Uint8Array>();
  for (const path of fixtureBlobs("tiny").keys()) files.set(path, await volume.get(path));
  return async (fuzz) => {
    const { given, random, index, keep } = fuzz;
    const kind = random(3);
    if (given !== undefined || kind === 0) {
      const line = inputOf(fuzz, () => {
        const alphabet = ALPHABET.filter((text) => text !== "\ud800");
        const most = random(30) ? 60 : CMDLINE_MAX;
        const text = Array.from({ length: random(most) }, () => pick(random, alphabet)).join("");
        return Buffer.concat([Buffer.from(text), Buffer.from([random(256)])]);
      });
      keep(line);
      checkLine(hello, line, fuzz);
    }
    if (given !== undefined || kind === 1) checkSimple(simples[index % simples.length]!, files, fuzz);
    if (given === undefined && kind === 2) checkArguments(hello, helloWasi, fuzz);
  };
};

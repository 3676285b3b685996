#!/usr/bin/env node
/** `solo5-wasm`: runs a guest from the command line, with the flags, checks and exit statuses of `solo5-hvt`. */
import { DocteurError } from "../src/errors.js";
import { readOwn } from "../src/node/own-files.js";
import { BrokenPipe, writeAll } from "../src/node/write-all.js";
import { type SupervisedOutcome, supervise } from "../src/tender/supervise.js";
import { printable } from "../src/text/printable.js";
import { EXIT } from "./cli/exit.js";
import { type CommandLine, parseCommandLine } from "./solo5/command-line.js";
import { SOLO5_HELP } from "./solo5/help.js";

/** The exit status of a guest that is refused, as of `solo5-hvt`. */
const NOT_STARTED = 1;

function say(message: string): void {
  try {
    writeAll(2, new TextEncoder().encode(`solo5-wasm: ${printable(message)}\n`), "standard error");
  } catch {
    // Only the exit status tells of the error.
  }
}

/** Says how a guest ended, if its own output does not. Returns the exit status. */
function report({ guest, timeLimit }: CommandLine, outcome: SupervisedOutcome): number {
  const { cause, reason, failures } = outcome;
  if (outcome.isPipeBroken) return EXIT.brokenPipe;
  for (const [name, failure] of failures)
    say(`device '${name}' failed: ${failure instanceof Error ? failure.message : String(failure)}`);
  if (cause === "abort") say(`${guest}: guest aborted`);
  if (cause === "trap") say(`${guest}: guest trapped: ${reason}`);
  if (cause === "memory") say(`${guest}: guest stopped: ${reason}`);
  if (cause === "timeout") say(`${guest}: guest stopped: it ran for ${timeLimit! / 1000} s`);
  if (cause === "console") say(reason!);
  return outcome.status & 255;
}

async function runGuest(line: CommandLine): Promise<number> {
  const { guest, memoryLimit, timeLimit, paths, blockSizes, args } = line;
  const devices = Object.fromEntries(
    [...paths].map(([name, path]) => [name, { path, blockSize: blockSizes.get(name) }]),
  );
  const outcome = await supervise(guest, { devices, args, memoryLimit, timeLimit });
  const status = report(line, outcome);
  // The process would not exit before the guest's thread reacts.
  if (outcome.isStuck) process.kill(process.pid, "SIGKILL");
  return status;
}

function version(): string {
  const manifest = readOwn(new URL("../../package.json", import.meta.url)).toString();
  return (JSON.parse(manifest) as { version: string }).version;
}

async function main(argv: readonly string[]): Promise<number> {
  let guest = "";
  try {
    const line = parseCommandLine(argv);
    guest = line.guest;
    if (line.action === "run") return await runGuest(line);
    const text = line.action === "help" ? `${SOLO5_HELP}\n` : `solo5-wasm ${version()}\nABI wasm version 1\n`;
    writeAll(1, new TextEncoder().encode(text), "standard output");
    return 0;
  } catch (error) {
    if (error instanceof BrokenPipe) return EXIT.brokenPipe;
    if (!(error instanceof DocteurError)) throw error;
    say(error.code === "BadGuest" ? `${guest}: ${error.message}` : error.message);
    if (error.hint !== undefined) say(error.hint);
    return guest === "" && error.code === "Io" ? EXIT.io : NOT_STARTED;
  }
}

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});

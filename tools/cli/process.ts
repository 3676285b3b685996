/** A program's life: its main function, the end of its output's reader, and the signals that end it. */

import { DocteurError } from "../../src/errors.js";
import { BrokenPipe } from "../../src/node/write-all.js";
import { reportError } from "./errors.js";
import { EXIT } from "./exit.js";
import { flush } from "./output.js";

/** Prints the error on standard error. A closed pipe is not an error. @returns the exit status */
function statusOf(program: string, error: unknown): number {
  return error instanceof BrokenPipe ? EXIT.brokenPipe : reportError(program, error);
}

/** Writes the rest of the output. @returns the exit status: that of the first error */
function finish(program: string, status: number): number {
  try {
    flush();
    return status;
  } catch (error) {
    const failed = statusOf(program, error);
    return status === EXIT.ok ? failed : status;
  }
}

/**
 * Runs a program's main function to its exit status. Where the reader of standard output has gone, the program ends
 * silently, with the status that a shell shows for SIGPIPE.
 * @param program its name in messages
 */
export function runProgram(program: string, main: (argv: string[]) => Promise<number>): void {
  // If messages cannot be written, only the exit status tells of the error.
  process.stderr.on("error", () => undefined);
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = finish(program, status);
    },
    (error: unknown) => {
      // Output from before the error stands before its message.
      const flushed = finish(program, EXIT.ok);
      process.exitCode = flushed === EXIT.brokenPipe ? flushed : statusOf(program, error);
    },
  );
}

/**
 * Runs work that SIGINT, SIGTERM and SIGHUP end in good order: `work` sees its signal aborted, cleans up and throws;
 * then the process dies of the signal, as its sender expects. The work must let other events in from time to time. Work
 * that leaves nothing to clean up does without this: signals then end it at once, whatever keeps it busy.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const names: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  let received: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    received ??= name;
    controller.abort(new DocteurError("Io", `stopped by ${received}`));
  };
  for (const name of names) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.off(name, onSignal);
    if (received !== undefined && controller.signal.aborted) process.kill(process.pid, received);
  }
}

/**
 * Runs work that goes on until SIGINT, SIGTERM or SIGHUP ends it: `work` sees its signal aborted, and returns. A second
 * signal ends the process at once.
 */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const names: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const onSignal = (): void => controller.abort(new DocteurError("Io", "stopped by a signal"));
  for (const name of names) process.once(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}

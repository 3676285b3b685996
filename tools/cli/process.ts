/** A program's life: its main function, its output's reader that stops, and the signals that end it. */
import { DocteurError } from "../../src/errors.js";
import { reportError } from "./errors.js";

/**
 * Runs a program's main function to its exit status. Whoever reads standard output may stop reading: the program then
 * ends without a word.
 * @param program its name in messages
 */
export function runProgram(program: string, main: (argv: string[]) => Promise<number>): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    process.exit(reportError(program, new DocteurError("Io", `cannot write the output: ${error.message}`)));
  });
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      process.exitCode = reportError(program, error);
    },
  );
}

/**
 * Runs work that SIGINT, SIGTERM and SIGHUP end in good order: `work` sees its signal aborted, cleans up and throws;
 * then the process dies of the signal, as whoever sent it expects.
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

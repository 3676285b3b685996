/** Prints an error, and gives the status that the program then ends with. */
import { DocteurError } from "../../src/errors.js";
import { printableLines } from "../../src/text/printable.js";
import { EXIT, exitStatus } from "./exit.js";
import { sayError, sayHint } from "./messages.js";

/**
 * Prints an error as `program: message`, and `hint: …` below it: a line each, whatever the names in them.
 * @returns its exit status
 */
export function reportError(program: string, error: unknown): number {
  if (!(error instanceof DocteurError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${program}: internal error: ${printableLines(detail)}\n`);
    return EXIT.io;
  }
  const { code, message, hint } = error;
  sayError(message, program);
  if (hint !== undefined) sayHint(hint);
  else if (code === "Usage") sayHint(`${program} --help says more`);
  return exitStatus(code);
}

/** An error of a subcommand. An error in its command line names its help if there is no better hint. */
export function withHelpOf(command: string, error: unknown): unknown {
  if (!(error instanceof DocteurError) || error.code !== "Usage" || error.hint !== undefined) return error;
  return new DocteurError("Usage", error.message, { hint: `${command} --help says more`, cause: error });
}

/** How an error is printed, and the status that the program then ends with. */
import { DocteurError } from "../../src/errors.js";
import { escapeControls } from "../terminal.js";
import { EXIT, exitStatus } from "./exit.js";

/**
 * Prints an error as `program: message`, and `hint: …` below it: a line each, whatever the names in them.
 * @returns its exit status
 */
export function reportError(program: string, error: unknown): number {
  if (!(error instanceof DocteurError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${program}: internal error: ${detail}\n`);
    return EXIT.io;
  }
  const { code, message, hint } = error;
  process.stderr.write(`${program}: ${escapeControls(message)}\n`);
  if (hint !== undefined) process.stderr.write(`hint: ${escapeControls(hint)}\n`);
  else if (code === "Usage") process.stderr.write(`hint: ${program} --help says more\n`);
  return exitStatus(code);
}

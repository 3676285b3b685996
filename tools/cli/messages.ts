/** Messages for people, on standard error. All of them go through here, so that no name in one commands anything. */
import { printable } from "../../src/text/printable.js";

/** Prints a message as one line, whatever is in it. */
export function say(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Prints `docteur: warning: text`. */
export function warn(text: string): void {
  say(`docteur: warning: ${text}`);
}

/** Prints `docteur: note: text`. */
export function note(text: string): void {
  say(`docteur: note: ${text}`);
}

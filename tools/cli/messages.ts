/** Messages for people, on standard error. All of them go through here, so that no name in one commands anything. */
import { printable } from "../../src/text/printable.js";
import { paintMessage, type Style } from "./style.js";

/** A part of a message: text, or text in a style. */
export type Part = string | readonly [style: Style, text: string];

/** Prints a message as one line, whatever is in it. */
export function say(...parts: readonly Part[]): void {
  const line = parts.map((part) =>
    typeof part === "string" ? printable(part) : paintMessage(part[0], printable(part[1])),
  );
  process.stderr.write(`${line.join("")}\n`);
}

/** Prints `docteur: text`, for what failed. */
export function sayError(text: string, program = "docteur"): void {
  say(["red", `${program}:`], ` ${text}`);
}

/** Prints `hint: text`. */
export function sayHint(text: string): void {
  say(["cyan", "hint:"], ` ${text}`);
}

/** Prints `docteur: warning: text`. */
export function warn(text: string): void {
  say(["yellow", "docteur: warning:"], ` ${text}`);
}

/** Prints `docteur: note: text`. */
export function note(text: string): void {
  say(["cyan", "docteur: note:"], ` ${text}`);
}

/** Colours of output and messages: on terminals, and as NO_COLOR and FORCE_COLOR say. */
import * as util from "node:util";
import type { EntryKind } from "../../src/index.js";
import { parseWord } from "./arguments.js";
import { optionHelp } from "./option-help.js";
import { isOnTerminal } from "./output.js";

/** The styles in use, by the names of `util.styleText`. */
export type Style = "blue" | "bold" | "cyan" | "dim" | "green" | "magenta" | "red" | "yellow";

/** Styles by the kind of an entry, as ls has them. */
const KIND_STYLES: Partial<Record<EntryKind, Style>> = {
  directory: "blue",
  executable: "green",
  symlink: "cyan",
  submodule: "magenta",
};

const WHEN = ["auto", "always", "never"] as const;
let choice: (typeof WHEN)[number] = "auto";

/** The option `--color`, for `parse`. */
export const COLOR_OPTIONS = { color: { type: "string", choices: WHEN } } as const;

/** For `--help` of commands that have the option `--color`. @param column the start of the text */
export function colorHelp(column: number): string {
  const text =
    "auto: on a terminal, unless NO_COLOR is set, or wherever FORCE_COLOR is set (default); always; never";
  return optionHelp(column, [["--color WHEN", text]]);
}

/** Takes the value of `--color`. @throws DocteurError `Usage` */
export function chooseColor(when: string | undefined): void {
  if (when === undefined) return;
  choice = parseWord("time for colours", when, WHEN);
  isOutputColoured = undefined;
}

function isColouredOn(isTerminal: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}

let isOutputColoured: boolean | undefined;

/** Whether standard output is coloured. */
export function isColoured(): boolean {
  // Asked for each word: the environment is looked at once.
  isOutputColoured ??= choice === "auto" ? isColouredOn(isOnTerminal()) : choice === "always";
  return isOutputColoured;
}

/** Node has `styleText` from 20.12 on. */
function styled(style: Style, text: string): string {
  if (text === "" || util.styleText === undefined) return text;
  return util.styleText(style, text, { validateStream: false });
}

/** A text in a style, if output is coloured. */
export function paint(style: Style, text: string): string {
  return isColoured() ? styled(style, text) : text;
}

/** A text in a style, if messages on standard error are coloured: `--color` is for the output. */
export function paintMessage(style: Style, text: string): string {
  return isColouredOn(process.stderr.isTTY === true) ? styled(style, text) : text;
}

/** The name of an entry in the style of its kind. */
export function paintKind(kind: EntryKind, text: string): string {
  const style = KIND_STYLES[kind];
  return style === undefined ? text : paint(style, text);
}

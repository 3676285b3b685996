/** What a shell needs to know of a subcommand to complete its line. */
import type { Command } from "../cli/arguments.js";
import { argumentsOf, type HelpArgument, type HelpOption, optionsOf, parseHelp } from "../cli/help-text.js";

/** What an argument or a value can be. */
export type Kind =
  | "none"
  | "file"
  /** A file with a name and = in front, or without. */
  | "named"
  | "directory"
  | "path"
  | "subcommand"
  | { words: readonly string[] };

/** An option, and how its value is completed. */
export interface CompletedOption {
  /** With dashes. */
  names: string[];
  text: string;
  /** Undefined for an option without a value. */
  value: { name: string; kind: Kind } | undefined;
  repeated: boolean;
}

/** A subcommand as scripts complete it. */
export interface CompletedCommand {
  name: string;
  summary: string;
  options: CompletedOption[];
  /** By their place; the last one stands for all further arguments if `isLastRepeated`. */
  arguments: { name: string; kind: Kind }[];
  isLastRepeated: boolean;
  /** The place of the image whose paths the arguments after it are; undefined if there are no such arguments. */
  imageIndex: number | undefined;
}

const FILES = /^(?:IMAGE|A|B|FILE|OLD|PROGRAM|SOURCE|GUEST|.*\.wasm|.*\.json)$/;
const NAMED = /^(?:NAME=IMAGE|PREFIX=SOURCE|NAME=PATH)$/;
const DIRECTORIES = /^(?:DIR|REPO\[@REF\])$/;
const PATHS = /^(?:PATH|GLOB)$/;
/** Values that are called PATH and are no paths in an image: they are of URLs, or of programs and sources. */
const ELSEWHERE: readonly string[] = ["base", "not-found", "dir", "subdir", "path"];

function kindOf(names: readonly string[]): Kind {
  if (names.every((name) => /^[a-z]/.test(name))) return { words: names };
  if (names.some((name) => PATHS.test(name))) return "path";
  if (names.some((name) => NAMED.test(name))) return "named";
  if (names.some((name) => FILES.test(name))) return "file";
  return names.some((name) => DIRECTORIES.test(name)) ? "directory" : "none";
}

/** The first sentence or clause of an option's text: lists of shells have little room. */
function brief(text: string): string {
  return text.replace(/(?:[;:(]|\. ).*$/s, "").trim() || text;
}

function completedOption(option: HelpOption, { options }: Command): CompletedOption {
  const { short, long, value, text } = option;
  const names = [...(short ? [`-${short}`] : []), ...(long ? [`--${long}`] : [])];
  const known = options[long ?? short ?? ""];
  const kind = known?.choices ? { words: known.choices } : kindOf([value ?? ""]);
  const isElsewhere = kind === "path" || (long !== undefined && ELSEWHERE.includes(long));
  return {
    names,
    text: brief(text),
    value:
      value === undefined
        ? undefined
        : { name: value.replaceAll('"', ""), kind: isElsewhere ? "none" : kind },
    repeated: known?.multiple === true,
  };
}

/** One argument out of those that several forms of the command line have at a place. */
function merge(found: readonly HelpArgument[]): { name: string; kind: Kind } {
  const names = [...new Set(found.flatMap((argument) => argument.names))];
  const literal = names.filter((name) => /^[a-z]/.test(name));
  const kind = literal.length > 0 ? kindOf(literal) : kindOf(names);
  return { name: literal.length > 0 ? "ACTION" : names[0]!, kind };
}

/** A word that an option of `solo5-wasm` begins with: `--mem=`, `--block:`. */
export interface TenderOption {
  word: string;
  text: string;
  /** Whether its value ends in a file. */
  hasFile: boolean;
}

/** What there is to complete for `solo5-wasm`, by its help. Its arguments are files. */
export function describeTender(help: string): TenderOption[] {
  return optionsOf(parseHelp(help)).map(({ long, separator = "", value, text }) => ({
    word: `--${long}${separator}`,
    text: brief(text),
    hasFile: kindOf([value ?? ""]) === "named",
  }));
}

/** What there is to complete for a subcommand, by its help and its options. */
export function describeCommand(name: string, command: Command): CompletedCommand {
  const help = parseHelp(command.help);
  const options = optionsOf(help);
  const forms = help.usage.map((form) => argumentsOf(form, options));
  const longest = Math.max(...forms.map((form) => form.length));
  const args = Array.from({ length: longest }, (_, index) =>
    merge(forms.flatMap((form) => (form[index] === undefined ? [] : [form[index]]))),
  );
  const last = forms.flatMap((form) => form.at(-1) ?? []);
  const image = args.findIndex((argument) => /^(?:IMAGE|A)$/.test(argument.name));
  return {
    name,
    summary: command.summary,
    options: options.map((option) => completedOption(option, command)),
    arguments: args,
    isLastRepeated: last.some(({ repeated }) => repeated),
    imageIndex: args.some(({ kind }) => kind === "path") ? image : undefined,
  };
}

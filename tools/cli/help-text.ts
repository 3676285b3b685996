/**
 * Reads the texts that `--help` prints. Man pages and shell completions are generated from what is read here, so that a
 * command has one description. The form of a text:
 *
 *     usage: docteur NAME [OPTION]... ARGUMENT...      one form of the command line or several
 *            docteur NAME --other ARGUMENT
 *
 *     Paragraphs, and indented lines that stay as they are.
 *
 *     Options:                                         or "Options of ACTION:"
 *       -l, --long         the text, which goes on
 *                          in further lines
 *           --name VALUE   a value is in capitals or in quotes
 *
 *     Exit statuses:
 *         0  success
 *
 *     Examples:
 *       docteur NAME ARGUMENT
 */

/** An option. */
export interface HelpOption {
  /** The letter, without the dash. */
  short?: string;
  /** The name, without dashes. */
  long?: string;
  /** The value as the help calls it: `FILE`, `"NAME: VALUE"`. */
  value?: string;
  /** What stands between the name and the value: a space, `=` or `:`. */
  separator?: string;
  text: string;
}

/** An argument in a usage line. */
export interface HelpArgument {
  /** Its names: `["PATH", "GLOB"]` for `[PATH|GLOB]`. A word of small letters stands for itself. */
  names: string[];
  optional: boolean;
  repeated: boolean;
}

/** A piece of prose: words that may be filled, or lines that stay as they are. */
export interface HelpBlock {
  kind: "paragraph" | "lines";
  lines: string[];
}

/** What a help says. */
export interface HelpText {
  /** The forms of the command line, without `usage:`. */
  usage: string[];
  description: HelpBlock[];
  /** In their order, each group under its heading. */
  groups: { title: string; options: HelpOption[] }[];
  exits: { status: number; meaning: string }[];
  /** Prose before and after the exit statuses. */
  aboutExits: { before: HelpBlock[]; after: HelpBlock[] };
  examples: string[];
}

const USAGE = /^(?:usage:| {2} or:| {6}) (\S.*)$/;
const TITLE = /^(?:Options(?: of \w+)?|Exit statuses|Examples?|Subcommands):$/;
const OPTION =
  /^ {2}(?:-(\w)| {4}(?=--))(?:(?:, )?--([\w.-]+))?(?:([ =:])("[^"]*"|[A-Z][\w=:@[\].]*))?(?: +(.*))?$/;
/** Columns in front of the further lines of an option's text, at least. */
const TEXT_COLUMN = 8;

/** An error in the text of a help, which is the program's. */
function malformed(line: string): Error {
  return new Error(`not in the form of a help: ${line}`);
}

/** Pieces between empty lines, and between lines that are indented and those that are not. */
function blocksOf(lines: readonly string[]): HelpBlock[] {
  const blocks: HelpBlock[] = [];
  let open: HelpBlock | undefined;
  for (const line of lines) {
    const kind = line.startsWith(" ") ? "lines" : "paragraph";
    if (line === "") open = undefined;
    else if (open?.kind === kind) open.lines.push(line);
    else {
      open = { kind, lines: [line] };
      blocks.push(open);
    }
  }
  return blocks;
}

function parseOptions(lines: readonly string[]): HelpOption[] {
  const options: HelpOption[] = [];
  for (const line of lines) {
    if (line === "") continue;
    const last = options.at(-1);
    if (line.startsWith(" ".repeat(TEXT_COLUMN))) {
      if (last === undefined) throw malformed(line);
      last.text += `${last.text === "" ? "" : " "}${line.trim()}`;
      continue;
    }
    const [found, short, long, separator, value, text = ""] = OPTION.exec(line) ?? [];
    if (found === undefined || (short ?? long) === undefined) throw malformed(line);
    options.push({
      ...(short && { short }),
      ...(long && { long }),
      ...(value && { value, separator }),
      text,
    });
  }
  return options;
}

function parseExits(lines: readonly string[]): Pick<HelpText, "exits"> & { after: HelpBlock[] } {
  const exits: HelpText["exits"] = [];
  let count = 0;
  for (const line of lines) {
    const [, status, meaning] = /^ +([0-9]+) {2}(\S.*)$/.exec(line) ?? [];
    if (status === undefined) break;
    exits.push({ status: Number(status), meaning: meaning! });
    count++;
  }
  return { exits, after: blocksOf(lines.slice(count)) };
}

/** Examples, each with its comments and the lines that go on with it. */
function parseExamples(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      if (!line.startsWith("  ")) throw malformed(line);
      return line.slice(2);
    });
}

/** The last block of an option group may be prose that leads to the exit statuses. */
function splitTail(lines: readonly string[]): [options: string[], tail: string[]] {
  const at = lines.findIndex((line) => /^\S/.test(line));
  return at < 0 ? [[...lines], []] : [lines.slice(0, at), lines.slice(at)];
}

/** Reads a help. @throws Error for a text of another form */
export function parseHelp(help: string): HelpText {
  const lines = help.trimEnd().split("\n");
  const usage: string[] = [];
  while (usage.length < lines.length && USAGE.test(lines[usage.length]!))
    usage.push(USAGE.exec(lines[usage.length]!)![1]!);
  if (usage.length === 0) throw malformed(lines[0]!);
  const sections: { title: string; lines: string[] }[] = [{ title: "", lines: [] }];
  for (const line of lines.slice(usage.length))
    if (TITLE.test(line)) sections.push({ title: line.slice(0, -1), lines: [] });
    else sections.at(-1)!.lines.push(line);
  const parsed: HelpText = {
    usage,
    description: [],
    groups: [],
    exits: [],
    aboutExits: { before: [], after: [] },
    examples: [],
  };
  for (const { title, lines: own } of sections) {
    if (title === "") parsed.description.push(...blocksOf(own));
    else if (title === "Subcommands") parsed.description.push(...blocksOf([`${title}:`, ...own]));
    else if (title.startsWith("Example")) parsed.examples.push(...parseExamples(own));
    else if (title === "Exit statuses") {
      const { exits, after } = parseExits(own);
      parsed.exits.push(...exits);
      parsed.aboutExits.after.push(...after);
    } else {
      const [options, tail] = splitTail(own);
      parsed.groups.push({ title, options: parseOptions(options) });
      parsed.aboutExits.before.push(...blocksOf(tail));
    }
  }
  return parsed;
}

/** All options of a help. */
export function optionsOf({ groups }: HelpText): HelpOption[] {
  return groups.flatMap(({ options }) => options);
}

/**
 * The arguments in a form of the command line, without options and their values.
 * @param form an element of `usage`
 * @param options the options of the help
 */
export function argumentsOf(form: string, options: readonly HelpOption[]): HelpArgument[] {
  const words = form.split(" ").slice(form.startsWith("docteur ") ? 2 : 1);
  const found: HelpArgument[] = [];
  for (let index = 0; index < words.length; index++) {
    const [, bracket, word, dots] = /^(\[?)(.*?)\]?(\.\.\.)?$/.exec(words[index]!)!;
    if (word === "OPTION" || word === "--") continue;
    if (word!.startsWith("-")) {
      const name = word!.replace(/^-+/, "").split("|")[0]!;
      const option = options.find(({ short, long }) => name === short || name === long);
      if (option?.value !== undefined) index++;
      continue;
    }
    const names = word!.startsWith("oci:") ? ["URL"] : word!.split("|");
    found.push({ names, optional: bracket !== "", repeated: dots !== undefined });
  }
  return found;
}

/** Man pages, in the macros of man(7), out of the texts that `--help` prints. */
import { type HelpBlock, type HelpOption, parseHelp } from "../cli/help-text.js";

/** A program or a subcommand. */
export interface ManSubject {
  /** As the page is called: `docteur-make`. */
  page: string;
  /** One line. */
  summary: string;
  help: string;
  /** Pages that the end of the page names. */
  seeAlso: readonly string[];
}

/** Text for roff: nothing in it is a request or an escape. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("`", "\\(ga")
    .replace(
      /[^\x00-\x7f]/gu,
      (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

/** A line of text: one that begins with a dot would be a request. */
function textLine(text: string): string {
  const line = escaped(text);
  return line.startsWith(".") ? `\\&${line}` : line;
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', "\\(dq")}"`;
}

/** Sentences on lines of their own, as roff wants them, so that it can space them. */
function filled(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .split(/(?<=[.!?]) (?=[A-Z"(])/)
    .map(textLine)
    .join("\n");
}

/** Lines that stay as they are. */
function exact(lines: readonly string[]): string {
  const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return [".RS 4", ".nf", ...lines.map((line) => textLine(line.slice(indent))), ".fi", ".RE"].join("\n");
}

function blocks(all: readonly HelpBlock[]): string[] {
  return all.map(({ kind, lines }, index) => {
    const text = kind === "paragraph" ? filled(lines.join(" ")) : exact(lines);
    return kind === "paragraph" && index > 0 ? `.PP\n${text}` : text;
  });
}

function optionEntry({ short, long, value, separator, text }: HelpOption): string {
  const names = [...(short ? [`-${short}`] : []), ...(long ? [`--${long}`] : [])];
  const shown = names.map((name) => `\\fB${escaped(name)}\\fR`).join(", ");
  const tail = value === undefined ? "" : `${escaped(separator!)}\\fI${escaped(value)}\\fR`;
  return `.TP\n${shown}${tail}\n${filled(text)}`;
}

/** The forms of the command line: programs and options in bold, the rest in italics. */
function synopsis(forms: readonly string[]): string {
  const word = (text: string): string =>
    text
      .split(/([A-Za-z][\w=.@-]*|-{1,2}[\w.-]+)/)
      .map((part) => {
        if (/^[A-Z]/.test(part)) return `\\fI${escaped(part)}\\fR`;
        return /^[a-z-]/.test(part) ? `\\fB${escaped(part)}\\fR` : escaped(part);
      })
      .join("");
  return forms.map((form) => form.split(" ").map(word).join(" ")).join("\n.br\n");
}

/**
 * The source of a man page in section 1.
 * @param version of the package
 */
export function manPage({ page, summary, help, seeAlso }: ManSubject, version: string): string {
  const { usage, description, groups, exits, aboutExits, examples } = parseHelp(help);
  const parts = [
    `.TH ${quoted(page.toUpperCase())} 1 "" ${quoted(`docteur ${version}`)} "docteur manual"`,
    ".SH NAME",
    `${escaped(page)} \\- ${escaped(summary)}`,
    ".SH SYNOPSIS",
    synopsis(usage),
    ".SH DESCRIPTION",
    ...blocks(description),
  ];
  for (const { title, options } of groups)
    if (options.length > 0) parts.push(`.SH ${quoted(title.toUpperCase())}`, ...options.map(optionEntry));
  parts.push('.SH "EXIT STATUS"', ...blocks(aboutExits.before));
  for (const { status, meaning } of exits) parts.push(`.TP\n${status}\n${textLine(meaning)}`);
  if (aboutExits.after.length > 0) parts.push(".PP", ...blocks(aboutExits.after));
  if (examples.length > 0) parts.push(".SH EXAMPLES", exact(examples));
  const others = seeAlso.map((other) => `.BR ${escaped(other)} (1)`);
  parts.push('.SH "SEE ALSO"', others.join(" ,\n"));
  return `${parts.join("\n")}\n`;
}

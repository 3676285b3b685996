/** The lines of a `--help` about options that several commands share, in the columns of each command. */

/** Columns that a line of help has at most. */
export const HELP_WIDTH = 80;

/** An option as the help names it, and the text about it. */
export type OptionRow = readonly [option: string, text: string];

/** Lines of words, of at most `width` characters each where the words allow it. */
export function fill(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  if (line !== "") lines.push(line);
  return lines;
}

/**
 * Options without a letter, and the text about each.
 * @param column the start of the texts
 */
export function optionHelp(column: number, rows: readonly OptionRow[]): string {
  const indent = " ".repeat(column);
  const lines = rows.flatMap(([option, text]) => {
    const head = `      ${option}`;
    const [first = "", ...rest] = fill(text, HELP_WIDTH - column);
    const further = rest.map((line) => indent + line);
    return head.length + 2 > column
      ? [head, indent + first, ...further]
      : [head.padEnd(column) + first, ...further];
  });
  return lines.join("\n");
}

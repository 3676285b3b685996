/**
 * Untrusted text for people: names in an image, text of a git server, arguments. A terminal or the runner of
 * a CI job must not execute any of it as a command, and it must not mislead a reader.
 */

/**
 * Characters that are not visible as themselves: controls (C0, DEL, C1), line and paragraph separators, lone
 * surrogates, and invisible format characters, among them those that turn the direction of writing. Two
 * format characters belong to ordinary words and emoji and stay: the zero-width joiner and non-joiner.
 */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The second `#` of a text that some runners execute as a command anywhere in a line: `##[command]` (GitHub,
 * Azure), `##vso[…]` (Azure), `##teamcity[…]`.
 */
const RUNNER_COMMAND = /(?<=#)#(?=[a-z]*\[)/gi;

/** The escape of one character: `\x1b`, `\u202e`, `\u{e0001}`. */
function escapeOf(char: string): string {
  const code = char.codePointAt(0)!;
  const hex = code.toString(16);
  if (code > 0xffff) return `\\u{${hex}}`;
  return code > 0xff ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
}

/**
 * Replaces each hidden character of a text, and each text that a runner would read as the beginning of a
 * command.
 */
export function replaceHidden(text: string, escapeChar: (char: string) => string): string {
  return text.replace(HIDDEN, escapeChar).replace(RUNNER_COMMAND, escapeChar);
}

/**
 * A text as one line that is safe to show: hidden characters are escapes, `\x1b` or `\u202e`.
 * Every message of the command line tools goes through this.
 */
export function printable(text: string): string {
  return replaceHidden(text, escapeOf);
}

/** A text of several lines that is safe to show: as `printable`, but line feeds and tabs stay. */
export function printableLines(text: string): string {
  return replaceHidden(text, (char) => (char === "\n" || char === "\t" ? char : escapeOf(char)));
}

/**
 * A value as JSON that is safe to show and parses to an equal value: hidden characters are JSON's own
 * escapes.
 */
export function printableJson(value: unknown, indent?: number): string {
  const escapeUnits = (char: string): string =>
    char === "\n"
      ? char
      : Array.from({ length: char.length }, (_, at) => char.charCodeAt(at).toString(16).padStart(4, "0"))
          .map((hex) => `\\u${hex}`)
          .join("");
  return replaceHidden(JSON.stringify(value, null, indent), escapeUnits);
}

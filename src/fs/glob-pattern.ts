/** Patterns of `glob`: `*`, `?`, `[…]`, `{a,b}`, `**`, and `?(…)`, `*(…)`, `+(…)`, `@(…)`, `!(…)`, as in minimatch. */

/** Patterns that braces may stand for. */
const EXPANDED_MAX = 10_000;

/** The end of a group that begins at `start`, or -1. */
function groupEnd(text: string, start: number, open: string, close: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === open) depth++;
    else if (text[at] === close && --depth === 0) return at;
  }
  return -1;
}

/** Cuts at a separator that stands outside of all groups. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\") at++;
    else if ("{(".includes(char)) depth++;
    else if ("})".includes(char)) depth--;
    else if (char === separator && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** `1..5`, `a..e`, with a step: the words; undefined for other text. */
function range(text: string): string[] | undefined {
  const match = /^(-?\d+|[a-zA-Z])\.\.(-?\d+|[a-zA-Z])(?:\.\.(-?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, first, last, by] = match as unknown as [string, string, string, string?];
  const isNumber = /\d/.test(first);
  if (isNumber !== /\d/.test(last)) return undefined;
  const from = isNumber ? Number(first) : first.charCodeAt(0);
  const to = isNumber ? Number(last) : last.charCodeAt(0);
  const step = Math.max(1, Math.abs(Number(by ?? 1)));
  const count = Math.floor(Math.abs(to - from) / step) + 1;
  if (count > EXPANDED_MAX) throw new RangeError(`{${text}} stands for more than ${EXPANDED_MAX} patterns`);
  const padded = [first, last].some((word) => /^-?0\d/.test(word)) ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, index) => {
    const value = from + Math.sign(to - from) * index * step;
    if (!isNumber) return String.fromCharCode(value);
    const digits = String(Math.abs(value)).padStart(padded - (value < 0 ? 1 : 0), "0");
    return value < 0 ? `-${digits}` : digits;
  });
}

/** The patterns without braces that one with them stands for. @throws RangeError for too many */
export function expandBraces(pattern: string): string[] {
  let results = [""];
  for (let at = 0; at < pattern.length; at++) {
    let words = [pattern[at]!];
    if (pattern[at] === "\\") {
      words = [pattern.slice(at, at + 2)];
      at++;
    } else if (pattern[at] === "{") {
      const end = groupEnd(pattern, at, "{", "}");
      const inner = pattern.slice(at + 1, end);
      const parts = end < 0 ? [] : split(inner, ",");
      const found = parts.length > 1 ? parts.flatMap(expandBraces) : end < 0 ? undefined : range(inner);
      if (found !== undefined) {
        words = found;
        at = end;
      }
    }
    if (results.length * words.length > EXPANDED_MAX)
      throw new RangeError(`the pattern stands for more than ${EXPANDED_MAX} patterns`);
    results = results.flatMap((result) => words.map((word) => result + word));
  }
  return results;
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\p{L}\\p{Nl}",
  digit: "\\p{Nd}",
  alnum: "\\p{L}\\p{Nl}\\p{Nd}",
  upper: "\\p{Lu}",
  lower: "\\p{Ll}",
  space: "\\p{Z}\\t\\r\\n\\v\\f",
  blank: "\\p{Zs}\\t",
  punct: "\\p{P}",
  xdigit: "A-Fa-f0-9",
  word: "\\p{L}\\p{Nl}\\p{Nd}\\p{Pc}",
};

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** A character of a class. */
function inClass(char: string): string {
  return /[\\^\][-]/.test(char) ? `\\${char}` : char;
}

/** `[…]` at `start` as an expression, and its end; undefined where it is not closed. */
function classAt(text: string, start: number): { source: string; end: number } | undefined {
  let at = start + 1;
  const isNegated = "!^".includes(text[at] ?? " ");
  if (isNegated) at++;
  let source = "";
  for (let isFirst = true; at < text.length; isFirst = false) {
    const named = /^\[:(\w+):\]/.exec(text.slice(at));
    if (text[at] === "]" && !isFirst) return { source: `[${isNegated ? "^/" : ""}${source}]`, end: at };
    if (named !== null && Object.hasOwn(POSIX_CLASSES, named[1]!)) {
      source += POSIX_CLASSES[named[1]!]!;
      at += named[0].length;
      continue;
    }
    if (text[at] === "\\") at++;
    const char = text.slice(at).match(/./su)?.[0] ?? "";
    const until = /^-(\\?)([^\]])/su.exec(text.slice(at + char.length));
    if (until !== null && until[2]! >= char) {
      source += `${inClass(char)}-${inClass(until[2]!)}`;
      at += char.length + until[0].length;
    } else {
      source += inClass(char);
      at += char.length;
    }
  }
  return undefined;
}

const REPEATS: Readonly<Record<string, string>> = { "?": "?", "*": "*", "+": "+", "@": "" };

/** A pattern of one name as an expression. @param rest what follows the pattern, for `!(…)` */
function sourceOf(pattern: string, rest = ""): string {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if ("?*+@!".includes(char) && pattern[at + 1] === "(") {
      const end = groupEnd(pattern, at + 1, "(", ")");
      if (end > 0) {
        const after = sourceOf(pattern.slice(end + 1), rest) + rest;
        const inner = split(pattern.slice(at + 2, end), "|").map((part) => sourceOf(part, after));
        const either = `(?:${inner.join("|")})`;
        source += char === "!" ? `(?!${either}${after}$)[^/]*?` : either + REPEATS[char];
        at = end;
        continue;
      }
    }
    const found = char === "[" ? classAt(pattern, at) : undefined;
    if (found !== undefined) {
      source += found.source;
      at = found.end;
    } else if (char === "*") {
      while (pattern[at + 1] === "*") at++;
      source += "[^/]*?";
    } else if (char === "?") {
      source += "[^/]";
    } else {
      if (char === "\\" && at + 1 < pattern.length) at++;
      const whole = pattern.slice(at).match(/./su)![0];
      source += escaped(whole);
      at += whole.length - 1;
    }
  }
  return source;
}

/** `**`. */
export const ANY_DEPTH = Symbol("**");

/** A name of a pattern: itself, an expression for it, or any number of names. */
export type Part = string | RegExp | typeof ANY_DEPTH;

const MAGIC = /[*?[\]\\]|[+@!]\(/;

/** The parts of a pattern without braces. */
export function partsOf(pattern: string): Part[] {
  return split(pattern, "/").map((name) => {
    if (name === "**") return ANY_DEPTH;
    if (!MAGIC.test(name)) return name;
    // A dot in front of a name has to stand in the pattern.
    const source = sourceOf(name);
    const isDotted = /^(\\?\.|[?*+@!]\((?:[^()]*\|)?\\?\.)/.test(name);
    return new RegExp(`^${isDotted ? "(?!\\.\\.?$)" : "(?!\\.)"}${source}$`, "su");
  });
}

/** Whether a name fits a part. */
export function fits(part: Part, name: string): boolean {
  if (typeof part === "string") return part === name;
  return part instanceof RegExp ? part.test(name) : !name.startsWith(".");
}

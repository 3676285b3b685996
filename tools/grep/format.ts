/** What `docteur grep` prints of each file. */
import type { FileMatch } from "../../src/sweep/grep.js";
import type { Pattern } from "../../src/sweep/pattern.js";
import { LINE } from "../../src/sweep/search.js";
import { printable } from "../../src/text/printable.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { type JsonArray, quotedField } from "../cli/entries.js";
import { isOnTerminal, print } from "../cli/output.js";
import { isColoured, paint } from "../cli/style.js";

/** How files are told. */
export interface Format {
  form: "lines" | "paths" | "counts" | "parts";
  hasPaths: boolean;
  hasNumbers: boolean;
  /** Whether groups of lines are set apart. */
  hasContext: boolean;
  invert: boolean;
  /** Whether paths end with NUL, and are printed unchanged. */
  isRaw: boolean;
}

/** A line that was found, or is told with one. */
interface Line {
  number: number;
  isFound: boolean;
  /** Whether lines before it are left out. */
  hasGap: boolean;
  bytes: Buffer;
}

/** The lines of a file. */
function* linesOf({ found }: FileMatch): Generator<Line> {
  if (found === undefined) return;
  const { lines } = found;
  const bytes = Buffer.from(found.bytes.buffer, found.bytes.byteOffset, found.bytes.length);
  for (let index = 0, at = 0; index < lines.length; index += 3) {
    const [number, kind, length] = lines.slice(index, index + 3) as [number, number, number];
    const isFound = (kind & LINE.around) === 0;
    yield { number, isFound, hasGap: kind >= LINE.gap, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** A part of a line as it is printed: on a terminal, nothing in it commands anything. */
function shown(bytes: Buffer): Buffer | string {
  if (!isOnTerminal()) return bytes;
  return bytes.toString().replace(/\r$/, "").split("\t").map(printable).join("\t");
}

/** Prints files one by one. */
export class Printer {
  readonly #format: Format;
  readonly #pattern: Pattern;
  #isFirst = true;

  constructor(format: Format, pattern: Pattern) {
    this.#format = format;
    this.#pattern = pattern;
  }

  add(match: FileMatch): void {
    const { form, hasPaths } = this.#format;
    const { path, found } = match;
    if (form === "paths") this.#path(path, "\n");
    else if (form === "counts") {
      if (hasPaths) this.#path(path, ":");
      print(`${found!.count}\n`);
    } else if (found!.isBinary) print(`Binary file ${quotePath(path)} matches\n`);
    else for (const line of linesOf(match)) this.#line(path, line, match.isContinued);
  }

  /** Prints a path, and what follows it. */
  #path(path: Buffer, end: string): void {
    if (this.#format.isRaw) print(Buffer.concat([path, Buffer.of(0)]));
    else print(paint("magenta", quotePath(path)) + (end === "\n" ? end : paint("cyan", end)));
  }

  #line(path: Buffer, line: Line, isContinued: boolean): void {
    const { form, hasContext, invert } = this.#format;
    const { isFound, hasGap, bytes } = line;
    if (form === "parts") {
      if (!isFound || invert) return;
      for (const { start, end } of this.#pattern.spans(bytes)) {
        this.#head(path, line);
        this.#print(paintBytes(bytes.subarray(start, end)), "\n");
      }
      return;
    }
    const begins = line.number !== this.#lastNumber + 1 || this.#lastPath !== path;
    const isNewFile = begins && this.#lastPath !== path && !isContinued;
    if (hasContext && !this.#isFirst && (hasGap || isNewFile)) print(`${paint("cyan", "--")}\n`);
    this.#isFirst = false;
    this.#lastPath = path;
    this.#lastNumber = line.number;
    this.#head(path, line);
    if (!isFound || invert || !isColoured()) {
      this.#print(shown(bytes), "\n");
      return;
    }
    let at = 0;
    for (const { start, end } of this.#pattern.spans(bytes)) {
      this.#print(shown(bytes.subarray(at, start)));
      this.#print(paintBytes(bytes.subarray(start, end)));
      at = end;
    }
    this.#print(shown(bytes.subarray(at)), "\n");
  }

  #lastPath: Buffer | undefined;
  #lastNumber = 0;
  /** A path as it was printed last. */
  #shownPath: Buffer | undefined;
  #shown = "";

  /** Path and number in front of a line. */
  #head(path: Buffer, { number, isFound }: Line): void {
    const { hasPaths, hasNumbers, isRaw } = this.#format;
    const mark = isFound ? ":" : "-";
    const shownNumber = hasNumbers ? paint("green", String(number)) + paint("cyan", mark) : "";
    if (hasPaths && isRaw) this.#path(path, mark);
    if (!hasPaths || isRaw) {
      if (hasNumbers) print(shownNumber);
      return;
    }
    if (this.#shownPath !== path) this.#shown = paint("magenta", quotePath(path));
    this.#shownPath = path;
    print(this.#shown + paint("cyan", mark) + shownNumber);
  }

  #print(...parts: (Buffer | string)[]): void {
    for (const part of parts) if (part.length > 0) print(part);
  }
}

/** A match in its colour. */
function paintBytes(bytes: Buffer): Buffer | string {
  if (!isColoured()) return shown(bytes);
  const [before, after] = paint("red", "\0").split("\0") as [string, string];
  return Buffer.concat([Buffer.from(before), Buffer.from(shown(bytes)), Buffer.from(after)]);
}

/** A line for JSON. If it is not UTF-8, its bytes are there, too. */
function lineJson({ number, isFound, bytes }: Line, pattern: Pattern, invert: boolean): object {
  const text = bytes.toString();
  const isText = Buffer.from(text).equals(bytes);
  const spans = isFound && !invert ? pattern.spans(bytes).map(({ start, end }) => [start, end]) : [];
  return { number, found: isFound, text, ...(isText ? {} : { base64: bytes.toString("base64") }), spans };
}

/** Adds a file to a JSON array. */
export function addJson(array: JsonArray, match: FileMatch, pattern: Pattern, invert: boolean): void {
  const { path, found } = match;
  const text = path.toString();
  const lines = [...linesOf(match)].map((line) => lineJson(line, pattern, invert));
  const { count = 0, isBinary = false } = found ?? {};
  array.add({ path: text, ...quotedField(text, path), binary: isBinary, lineCount: count, lines });
}

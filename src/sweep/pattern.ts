/** The pattern of a search: which lines of some bytes fit it, and where. */
import { isAscii } from "node:buffer";
import { invalid } from "../arguments.js";
import { requiredTexts } from "./literals.js";
import { Needle } from "./needle.js";

/** What is looked for, in a form that threads can pass on. */
export interface PatternSpec {
  /** Lines of a text are alternatives. */
  source: string;
  /** The source is text, not a regular expression. */
  fixed: boolean;
  ignoreCase: boolean;
  /** Only whole words fit: no letter, digit or underscore is next to a match. */
  word: boolean;
}

/** The first bytes of a file that are looked at for a NUL, as git does (`buffer_is_binary`). */
const BINARY_BYTES = 8000;
const LINE_FEED = 10;

/** Letters with a form beyond ASCII that ignoring case takes for equal (CaseFolding.txt): as UTF-8, in latin1. */
const OTHER_FORMS: Readonly<Record<string, string>> = { k: "\xe2\x84\xaa", s: "\xc5\xbf" };

/** Whether content is binary. */
export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, BINARY_BYTES).includes(0);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/**
 * A line as text. A byte that is not UTF-8 is a lone surrogate, U+DC80 to U+DCFF, so that its place can be told.
 */
export function lineText(line: Buffer): string {
  const text = line.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  let result = "";
  for (let at = 0; at < line.length; ) {
    const lead = line[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const char = line.toString("utf8", at, at + length);
    const isWhole = char !== "\ufffd" || (length === 3 && line[at + 1] === 0xbf && line[at + 2] === 0xbd);
    if (isWhole && Buffer.byteLength(char) === length && [...char].length === 1) {
      result += char;
      at += length;
    } else {
      result += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return result;
}

/** Bytes that a text of `lineText` stands for. */
function byteLength(text: string): number {
  let length = Buffer.byteLength(text);
  // A lone surrogate has three bytes there, and stands for one.
  for (const [lone] of text.matchAll(/\p{Surrogate}/gu)) length -= 2 * lone.length;
  return length;
}

/** A search in one piece of content, line by line. */
export class Pattern {
  /** The next matching line, which `next` has found: its start and its end. */
  start = 0;
  end = 0;
  readonly #regex: RegExp;
  /** Whether every match is `#literal` byte for byte. */
  readonly #exact: boolean;
  /** The text that is in every match, or an expression for several, over bytes as latin1. */
  readonly #literal: Needle | undefined;
  readonly #literals: RegExp | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #latin1: string | undefined;
  #isAscii = false;

  /** @throws DocteurError `InvalidArgument` for what is not a regular expression */
  constructor({ source, fixed, ignoreCase, word }: PatternSpec) {
    const lines = source.split("\n");
    const either = lines.map((line) => (fixed ? escaped(line) : `(?:${line})`)).join("|");
    const whole = word ? `(?<![\\p{L}\\p{N}_])(?:${either})(?![\\p{L}\\p{N}_])` : either;
    try {
      // Each line by itself: one may close what another has opened.
      if (!fixed) for (const line of lines) new RegExp(line, "u");
      this.#regex = new RegExp(whole, ignoreCase ? "gsui" : "gsu");
    } catch (cause) {
      const why = (cause as Error).message.replace(/^Invalid regular expression: /, "");
      throw invalid(
        `not a regular expression: ${why}`,
        "it is one of JavaScript, with the flag u: no backslash before a character without another meaning; --fixed-strings takes any text",
        cause,
      );
    }
    const texts = fixed ? (lines.includes("") ? undefined : lines) : requiredTexts(either);
    const isPlain = fixed || !/[\\^$.*+?()[\]{}|]/.test(source);
    const isOne = !ignoreCase && texts?.length === 1;
    this.#exact = isOne && isPlain && lines.length === 1 && !word;
    if (texts === undefined) return;
    if (isOne) this.#literal = new Needle(Buffer.from(texts[0]!));
    else this.#literals = eitherOf(texts, ignoreCase);
  }

  /** Begins with other bytes. They must not change until the search in them ends. */
  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#latin1 = undefined;
    this.#isAscii = false;
    if (this.#literal === undefined) {
      this.#latin1 = bytes.toString("latin1");
      this.#isAscii = isAscii(bytes);
    }
  }

  /** Whether a line matches. */
  isIn(bytes: Buffer): boolean {
    this.begin(bytes);
    return this.next(0);
  }

  /**
   * Finds the next line that matches, at `start` to `end`.
   * @param from the start of a line
   */
  next(from: number): boolean {
    const bytes = this.#bytes;
    for (let at = from; at < bytes.length; at = this.end + 1) {
      const found = this.#candidate(at);
      if (found < 0) return false;
      this.start = found === at ? at : bytes.lastIndexOf(LINE_FEED, found - 1) + 1;
      if (this.start < at) this.start = at;
      const end = bytes.indexOf(LINE_FEED, found);
      this.end = end < 0 ? bytes.length : end;
      if (this.#exact || this.#fits(this.start, this.end)) return true;
    }
    return false;
  }

  /** A place in the next line that may match; -1 for none. */
  #candidate(from: number): number {
    if (this.#literal !== undefined) return this.#literal.find(this.#bytes, from);
    if (this.#literals === undefined) return from;
    this.#literals.lastIndex = from;
    return this.#literals.exec(this.#latin1!)?.index ?? -1;
  }

  #fits(start: number, end: number): boolean {
    const text = this.#isAscii ? this.#latin1!.slice(start, end) : lineText(this.#bytes.subarray(start, end));
    this.#regex.lastIndex = 0;
    return this.#regex.test(text);
  }

  /** The places of all matches in a line that are not empty, in bytes. */
  spans(line: Buffer): { start: number; end: number }[] {
    const text = lineText(line);
    const spans: { start: number; end: number }[] = [];
    let place = 0;
    let bytes = 0;
    for (const found of text.matchAll(this.#regex)) {
      bytes += byteLength(text.slice(place, found.index));
      const start = bytes;
      bytes += byteLength(found[0]);
      place = found.index + found[0].length;
      if (bytes > start) spans.push({ start, end: bytes });
    }
    return spans;
  }
}

/** An expression that finds one of some texts in bytes as latin1; undefined if there is a text it cannot look for. */
function eitherOf(texts: readonly string[], ignoreCase: boolean): RegExp | undefined {
  const sources: string[] = [];
  for (const text of texts) {
    if (!ignoreCase) {
      sources.push(escaped(Buffer.from(text).toString("latin1")));
      continue;
    }
    // Beyond ASCII, forms of a letter can have different bytes.
    const runs = text.split(/[^ -~\t]+/);
    const run = runs.reduce((longest, other) => (other.length > longest.length ? other : longest), "");
    if (run === "") return undefined;
    sources.push(
      run.replace(/./gs, (char) => {
        const lower = char.toLowerCase();
        if (!/[a-z]/.test(lower)) return escaped(char);
        const other = OTHER_FORMS[lower];
        const both = `[${lower}${char.toUpperCase()}]`;
        return other === undefined ? both : `(?:${both}|${other})`;
      }),
    );
  }
  return new RegExp(sources.join("|"), "g");
}

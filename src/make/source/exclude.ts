/**
 * Patterns of names to leave out, with the meaning that they have in a `.gitignore` (gitignore(5); git's wildmatch.c): a
 * pattern without a slash matches a name at any depth, others match from the root.
 *
 * A pattern is a list of segments. A path's state in it is a set of positions, which advances one step for
 * each of the path's names. So a pattern costs at most its length for each name. Inside a segment only the
 * last `*` is ever retried: the match before it stays valid, since a `*` matches any text.
 */
import { DocteurError } from "../../errors.js";

/**
 * A token for one byte: the byte itself, any byte, or a set of 256 flags. `star` matches any number of bytes.
 */
type Token = number | "any" | "star" | Uint8Array;

/** A segment between slashes, or any number of names, even none. */
type Segment = readonly Token[] | "globstar";

interface Pattern {
  segments: readonly Segment[];
  foldersOnly: boolean;
  /** Whether it takes in again entries that earlier patterns leave out. */
  isNegated: boolean;
}

/** Characters of POSIX's named sets, all ASCII. */
const NAMED_SETS: Record<string, RegExp> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

const SLASH = 0x2f;

function refuse(pattern: string, why: string): never {
  throw new DocteurError("InvalidArgument", `not a pattern: ${JSON.stringify(pattern)}: ${why}`, {
    hint: "a pattern is written as in a .gitignore; \\ takes the meaning from *, ?, [ and itself",
  });
}

/** Reads patterns from byte strings ("latin1"). */
class PatternReader {
  /** The original text, for messages. */
  readonly #pattern: string;
  readonly #bytes: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#bytes = Buffer.from(pattern).toString("latin1");
  }

  read(): Pattern {
    const isNegated = this.#bytes.startsWith("!");
    if (isNegated) this.#at = 1;
    const bytes = this.#bytes.slice(this.#at);
    const tokens: Token[] = [];
    while (this.#at < this.#bytes.length) tokens.push(this.#token());
    const foldersOnly = tokens.at(-1) === SLASH;
    if (foldersOnly) tokens.pop();
    if (tokens.length === 0) refuse(this.#pattern, "it names nothing");
    // A slash inside a set counts, too, though no name contains one.
    if (!bytes.slice(0, foldersOnly ? -1 : undefined).includes("/"))
      return { segments: ["globstar", tokens], foldersOnly, isNegated };
    if (tokens[0] === SLASH) tokens.shift();
    const segments = split(tokens);
    // "a/**" matches the entries of a, not a itself.
    if (segments.at(-1) === "globstar") segments.push(["star"]);
    return { segments, foldersOnly, isNegated };
  }

  #next(): string {
    const char = this.#bytes[this.#at++];
    return char ?? refuse(this.#pattern, "it breaks off");
  }

  #token(): Token {
    const char = this.#next();
    switch (char) {
      case "*":
        return "star";
      case "?":
        return "any";
      case "[":
        return this.#set();
      case "\\":
        return this.#next().charCodeAt(0);
      default:
        return char.charCodeAt(0);
    }
  }

  /** A set, after its `[`. */
  #set(): Uint8Array {
    const set = new Uint8Array(256);
    const isNegated = this.#bytes[this.#at] === "!" || this.#bytes[this.#at] === "^";
    if (isNegated) this.#at++;
    /** The byte that may begin a range. */
    let low: number | undefined;
    let char = this.#next();
    // A "]" in the first place is a member.
    do {
      const range = this.#bytes[this.#at];
      if (char === "-" && low !== undefined && range !== undefined && range !== "]") {
        set.fill(1, low, this.#member(this.#next()) + 1);
        low = undefined;
      } else if (char === "[" && this.#named(set)) {
        low = undefined;
      } else {
        low = this.#member(char);
        set[low] = 1;
      }
      char = this.#next();
    } while (char !== "]");
    return isNegated ? set.map((flag) => 1 - flag) : set;
  }

  #member(char: string): number {
    return (char === "\\" ? this.#next() : char).charCodeAt(0);
  }

  /** A named set, `[:name:]`, after its first bracket. @returns whether there is one */
  #named(set: Uint8Array): boolean {
    const name = /^:([^\]]*):\]/.exec(this.#bytes.slice(this.#at, this.#at + 16))?.[1];
    if (name === undefined) return false;
    if (!Object.hasOwn(NAMED_SETS, name)) refuse(this.#pattern, `there is no [:${name}:]`);
    this.#at += name.length + ":".length + ":]".length;
    for (let byte = 0; byte < 128; byte++)
      if (NAMED_SETS[name]!.test(String.fromCharCode(byte))) set[byte] = 1;
    return true;
  }
}

/** Segments of a pattern's tokens. An empty segment matches nothing, since no name is empty. */
function split(tokens: readonly Token[]): Segment[] {
  const segments: Segment[] = [];
  for (let start = 0; start <= tokens.length; ) {
    const slash = tokens.indexOf(SLASH, start);
    const end = slash < 0 ? tokens.length : slash;
    const segment = tokens.slice(start, end);
    segments.push(segment.length >= 2 && segment.every((token) => token === "star") ? "globstar" : segment);
    start = end + 1;
  }
  return segments;
}

function matchesByte(token: Token | undefined, byte: number): boolean {
  if (typeof token === "number") return token === byte;
  if (token === "any") return true;
  return token instanceof Uint8Array && token[byte] === 1;
}

/** Whether a segment matches a whole name. */
function matchesName(tokens: readonly Token[], name: string): boolean {
  let token = 0;
  let at = 0;
  /** The fallback position: after the last star, which then matches one byte more. */
  let star = -1;
  let taken = 0;
  while (at < name.length) {
    if (tokens[token] === "star") {
      star = ++token;
      taken = at;
    } else if (matchesByte(tokens[token], name.charCodeAt(at))) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star;
      at = ++taken;
    } else {
      return false;
    }
  }
  while (tokens[token] === "star") token++;
  return token === tokens.length;
}

/** The state of a folder's path in each pattern: sorted positions of segments that may match the next name. */
export type ExcludeState = readonly (readonly number[])[];

/** A set of patterns. */
export class ExcludePatterns {
  readonly #patterns: readonly Pattern[];
  /** The state of the source's root. */
  readonly root: ExcludeState;
  /** Whether an entry that is left out as a file may be taken in again as a folder. */
  readonly takesFoldersIn: boolean;

  /**
   * @param patterns UTF-8, matched by their bytes
   * @throws DocteurError `InvalidArgument`
   */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => new PatternReader(pattern).read());
    this.takesFoldersIn = this.#patterns.some(({ isNegated, foldersOnly }) => isNegated && foldersOnly);
    this.root = this.#patterns.map(({ segments }) => positions(segments, [0]));
  }

  /**
   * Advances from a folder to one of its entries. The last matching pattern counts.
   * @param name a byte string ("latin1")
   * @returns the entry's state, `undefined` if a pattern leaves it out
   */
  step(state: ExcludeState, name: string, isFolder: boolean): ExcludeState | undefined {
    if (this.#patterns.length === 0) return state;
    const next: number[][] = [];
    let isLeftOut = false;
    for (const [index, { segments, foldersOnly, isNegated }] of this.#patterns.entries()) {
      const reached: number[] = [];
      for (const position of state[index]!) {
        const segment = segments[position]!;
        if (segment === "globstar") reached.push(position);
        else if (matchesName(segment, name)) {
          if (position + 1 < segments.length) reached.push(position + 1);
          else if (isFolder || !foldersOnly) isLeftOut = !isNegated;
        }
      }
      next.push(isFolder ? positions(segments, reached) : []);
    }
    return isLeftOut ? undefined : next;
  }
}

/** A line without the spaces at its end; a backslash keeps the character after it (git's dir.c). */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at++;
    if (line[at] !== " " || line[at - 1] === "\\") end = Math.min(at + 1, line.length);
  }
  return line.slice(0, end);
}

/**
 * The patterns in a file, read as git reads a `.gitignore`: one on each line, without blank lines, comments
 * and unescaped spaces at a line's end.
 */
export function patternsIn(text: string): string[] {
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map(withoutTrailingSpaces)
    .filter((line) => line !== "");
}

/** Positions, with those after a segment that may match no name. */
function positions(segments: readonly Segment[], reached: readonly number[]): number[] {
  const all = new Set(reached);
  // A set's iteration also visits elements added meanwhile. No pattern ends with such a segment.
  for (const position of all) if (segments[position] === "globstar") all.add(position + 1);
  return [...all].sort((a, b) => a - b);
}

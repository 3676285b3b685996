/**
 * Texts of which every match of a regular expression contains one. A search looks for them first. The grammar is that of
 * JavaScript with the flag `u` (ECMA-262, "Patterns"); parts that are not understood here give no text.
 */

/** The most texts that are worth looking for. */
const TEXTS_MAX = 24;

/** What is known of the matches of a part: each contains one of the texts. Undefined if nothing is known. */
type Texts = readonly string[] | undefined;

/** Escapes that stand for one character. */
const CONTROLS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", v: "\v", f: "\f" };

/** The texts that tell more: the shortest of them is longer. */
function better(one: Texts, other: Texts): Texts {
  if (one === undefined || other === undefined) return one ?? other;
  const shortest = (texts: readonly string[]): number => Math.min(...texts.map(({ length }) => length));
  return shortest(other) > shortest(one) ? other : one;
}

class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  /** Alternatives, up to the end or a closing parenthesis. */
  alternatives(): Texts {
    let all: string[] | undefined = [];
    do {
      const texts = this.#sequence();
      all = texts === undefined ? undefined : all?.concat(texts);
    } while (this.#take(/\|/y) !== undefined);
    return all !== undefined && all.length <= TEXTS_MAX ? all : undefined;
  }

  #sequence(): Texts {
    let best: Texts;
    let run = "";
    const endRun = (): void => {
      if (run !== "") best = better(best, [run]);
      run = "";
    };
    while (!this.isAtEnd && !"|)".includes(this.#source[this.#at]!)) {
      const part = this.#part();
      const least = this.#repeats();
      if (typeof part === "string" && least === "once") {
        run += part;
        continue;
      }
      if (typeof part === "string" && least === "some") run += part;
      endRun();
      if (typeof part === "object" && least !== "none") best = better(best, part);
    }
    endRun();
    return best;
  }

  /** How often the part before stands at the least; `some` may be more often. */
  #repeats(): "once" | "some" | "none" {
    const found = this.#take(/[*+?]\??|\{(\d+)(?:,\d*)?\}\??/y);
    if (found === undefined) return "once";
    const [text, least] = found;
    return text[0] === "+" || Number(least) > 0 ? "some" : "none";
  }

  /** One part: a character that stands for itself, texts of a group, or undefined. */
  #part(): string | Texts {
    if (this.#take(/\(/y) !== undefined) return this.#group();
    if (this.#take(/\[(?:\\.|[^\]\\])*\]/suy) !== undefined) return undefined;
    if (this.#take(/\\/y) !== undefined) return this.#escape();
    const [char] = this.#take(/./suy)!;
    return ".^$".includes(char) ? undefined : char;
  }

  #group(): Texts {
    const [intro] = this.#take(/\?(?:<[^=!>][^>]*>|<?[=!]|[a-z-]*:)|/uy)!;
    const texts = this.alternatives();
    this.#take(/\)/y);
    const isPlain = intro === "" || intro === "?:" || /^\?<[^=!]/.test(intro);
    return isPlain ? texts : undefined;
  }

  #escape(): string | undefined {
    const [, hex, unit, point] = this.#take(
      /x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\}|[pP]\{[^}]*\}|k<[^>]*>|c[a-z]|\d+|/iuy,
    )!;
    const code = hex ?? point;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    // Two units may be one character: they are not put together here.
    if (unit !== undefined) {
      const char = String.fromCharCode(Number.parseInt(unit, 16));
      return /\p{Surrogate}/u.test(char) ? undefined : char;
    }
    if (!/[\\]/.test(this.#source[this.#at - 1]!)) return undefined;
    const [char] = this.#take(/./suy)!;
    return /[a-zA-Z]/.test(char) ? CONTROLS[char] : char;
  }
}

/**
 * Texts of which every match contains one.
 * @param source a regular expression that JavaScript takes with the flag `u`
 * @returns undefined if no such texts are known
 */
export function requiredTexts(source: string): readonly string[] | undefined {
  const reader = new Reader(source);
  const texts = reader.alternatives();
  return reader.isAtEnd && texts !== undefined && texts.length > 0 ? texts : undefined;
}

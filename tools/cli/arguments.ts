/** Commands and their arguments: the type of a subcommand, and the reading of its options. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isBlockSize } from "../../src/devices/device.js";
import { DocteurError } from "../../src/errors.js";
import { nearest, suggest } from "../../src/text/nearest.js";

/** Options as `parseArgs` takes them, and the words that the values of some of them are. */
export type OptionTable = Readonly<
  Record<
    string,
    {
      readonly type: "string" | "boolean";
      readonly short?: string;
      readonly multiple?: boolean;
      readonly choices?: readonly string[];
    }
  >
>;

/** A subcommand: a file of `tools/commands/` exports one as `command`. */
export interface Command {
  /** One line, for the list of subcommands. */
  summary: string;
  /** The whole help, printed by `--help`: usage first, then options, exit statuses, examples. No newline at its end. */
  help: string;
  /** The options, besides `--help`: those for `parse`. The help describes each of them. */
  options: OptionTable;
  /**
   * Does the work. Throws if it fails.
   * @param argv the arguments after the subcommand's name
   * @returns the exit status
   */
  run(argv: string[]): Promise<number>;
  /** The arguments that are the subcommand's own, if others follow for a program that it runs. */
  ownArguments?(argv: string[]): string[];
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; strict: true; allowPositionals: true }>
>;

/** An error in the command line. */
export function usageError(message: string, hint?: string): DocteurError {
  return new DocteurError("Usage", message, { hint });
}

/** An option as it was typed. */
interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

/** @throws DocteurError `Usage` for an option that is unknown, or that has a value too many or none */
function checkOption(token: OptionToken, options: Options): void {
  const { name, rawName, value, inlineValue } = token;
  const type = Object.hasOwn(options, name) ? options[name]!.type : undefined;
  if (type === undefined) {
    const known = Object.keys(options).map((option) => `--${option}`);
    const likely = rawName.startsWith("--") ? nearest(rawName, known) : undefined;
    throw usageError(`unknown option ${rawName}`, likely && `did you mean ${likely}?`);
  }
  if (type === "boolean" && value !== undefined) throw usageError(`${rawName} takes no value`);
  if (type === "boolean") return;
  if (value === undefined) throw usageError(`${rawName} needs a value`);
  if (!inlineValue && value.startsWith("-") && value !== "-")
    throw usageError(`${rawName} needs a value`, `if ${value} is the value, write --${name}=${value}`);
}

/** For `parse`: any number of arguments may follow. */
export const MANY = { length: Number.POSITIVE_INFINITY };

/**
 * Parses arguments. An option with a value may not be given twice, unless it is `multiple`.
 * @param positionals names of the arguments that must be given
 * @param optional names of those that may follow, or `MANY`; nothing else may be given
 * @throws DocteurError `Usage`
 */
export function parse<T extends Options>(
  argv: string[],
  options: T,
  positionals: readonly string[],
  optional: { readonly length: number } = [],
): Parsed<T> {
  // Not strict, as the messages of Node's own checks change with its version.
  const parsed = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true });
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    checkOption(token, options);
    if (seen.has(token.name) && options[token.name]!.type === "string" && !options[token.name]!.multiple)
      throw usageError(`${token.rawName} is given twice`);
    seen.add(token.name);
  }
  const missing = positionals[parsed.positionals.length];
  if (missing !== undefined) throw usageError(`${missing} is missing`);
  const extra = parsed.positionals[positionals.length + optional.length];
  if (extra !== undefined) throw usageError(`one argument too many: ${extra}`);
  return parsed as unknown as Parsed<T>;
}

/** The whole number that an option counts something with. */
export function parseCount(
  option: string,
  text: string | undefined,
  range?: { least: number; most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
  const { least, most } = range ?? { least: 0, most: Number.POSITIVE_INFINITY };
  if (count >= least && count <= most) return count;
  const limits = range === undefined ? "" : ` from ${least} to ${most}`;
  throw usageError(`${option} takes a whole number${limits}: ${text}`);
}

/**
 * One of the words that an option takes.
 * @param noun the kind of word, for the message
 */
export function parseWord<T extends string>(noun: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usageError(`no such ${noun}: ${text}`, suggest(text, words));
}

/** Bytes by the letter behind a number. */
const UNITS: Record<string, number> = { "": 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** A number of bytes, which k, M or G multiplies; undefined for other text. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,15})([kmg]?)$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!;
}

/** The bytes that an option takes, as `parseBytes` reads them. @throws DocteurError `Usage` */
export function parseSize(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = parseBytes(text);
  if (size !== undefined && Number.isSafeInteger(size)) return size;
  throw usageError(
    `${option} takes a size: ${text}`,
    "a size is a number of bytes, or one with k, M or G: 64M",
  );
}

/** The block size that `--bs` gives; 512 where it is not given. */
export function parseBlockSize(text: string | undefined): number {
  const size = text === undefined ? 512 : (parseBytes(text) ?? 0);
  if (isBlockSize(size)) return size;
  throw usageError(`not a block size: ${text}`, "a block size (--bs) is a power of two, at least 512");
}

/** The range of `--memory`, in mebibytes. */
const MEMORY_MIN = 2;
const MEMORY_MAX = 4095;

/** The bytes that `--memory` gives: a number with a unit, or of mebibytes. */
export function parseMemory(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const mebibytes = (parseBytes(/^[0-9]+$/.test(text) ? `${text}M` : text) ?? 0) / 2 ** 20;
  if (mebibytes >= MEMORY_MIN && mebibytes <= MEMORY_MAX) return mebibytes * 2 ** 20;
  const hint = `a size (--memory) is from ${MEMORY_MIN}M to ${MEMORY_MAX}M, as in 64M or 1G`;
  throw usageError(`not a size of memory: ${text}`, hint);
}

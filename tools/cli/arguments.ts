/** Commands and their arguments: what a subcommand is, and how its options are read. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isBlockSize } from "../../src/devices/device.js";
import { DocteurError } from "../../src/errors.js";

/** A subcommand: a file of `tools/commands/` exports one as `command`. */
export interface Command {
  /** One line, for the list of subcommands. */
  summary: string;
  /** The whole help, printed by `--help`: usage first, then options, exit statuses, examples. No newline at its end. */
  help: string;
  /**
   * Does the work. Throws what went wrong.
   * @param argv the arguments after the subcommand's name
   * @returns the exit status
   */
  run(argv: string[]): Promise<number>;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; strict: true; allowPositionals: true }>
>;

/** An error in what was typed. */
export function usageError(message: string, hint?: string): DocteurError {
  return new DocteurError("Usage", message, { hint });
}

/**
 * Parses arguments. An option with a value may not be given twice, unless it is `multiple`.
 * @param positionals names of the arguments that must be given
 * @param optional names of those that may follow; nothing else may be given
 * @throws DocteurError `Usage`
 */
export function parse<T extends Options>(
  argv: string[],
  options: T,
  positionals: readonly string[],
  optional: readonly string[] = [],
): Parsed<T> {
  const seen = new Set<string>();
  let parsed: ReturnType<
    typeof parseArgs<{ options: T; strict: true; allowPositionals: true; tokens: true }>
  >;
  try {
    parsed = parseArgs({ args: argv, options, strict: true, allowPositionals: true, tokens: true });
  } catch (cause) {
    const { message } = cause as Error;
    // Node adds sentences of advice, some of them on lines of their own.
    throw usageError(
      message.split(/\.(?: |\n|$)/, 1)[0]!,
      /^To specify an option .*(?=\.$)/m.exec(message)?.[0],
    );
  }
  for (const token of parsed.tokens) {
    if (token.kind !== "option" || options[token.name]?.multiple) continue;
    if (seen.has(token.name) && options[token.name]?.type === "string")
      throw usageError(`${token.rawName} is given twice`);
    seen.add(token.name);
  }
  const missing = positionals[parsed.positionals.length];
  if (missing !== undefined) throw usageError(`${missing} is missing`);
  const extra = parsed.positionals[positionals.length + optional.length];
  if (extra !== undefined) throw usageError(`one argument too many: ${extra}`);
  return parsed as Parsed<T>;
}

/** The block size that `--bs` gives; 512 where it is not given. */
export function parseBlockSize(text: string | undefined): number {
  const size = text === undefined ? 512 : /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  if (isBlockSize(size)) return size;
  throw usageError(`not a block size: ${text}`, "a block size (--bs) is a power of two, at least 512");
}

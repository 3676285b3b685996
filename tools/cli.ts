/** What all command line tools share: options, messages, exit statuses, signals, progress. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isBlockSize } from "../src/devices/device.js";
import { DocteurError, EXIT, exitStatus } from "../src/errors.js";
import { escapeControls } from "./terminal.js";

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

/**
 * Prints an error as `program: message`, and `hint: …` below it: a line each, whatever the names in them.
 * @returns its exit status
 */
export function reportError(program: string, error: unknown): number {
  if (!(error instanceof DocteurError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${program}: internal error: ${detail}\n`);
    return EXIT.io;
  }
  const { code, message, hint } = error;
  process.stderr.write(`${program}: ${escapeControls(message)}\n`);
  if (hint !== undefined) process.stderr.write(`hint: ${escapeControls(hint)}\n`);
  else if (code === "Usage") process.stderr.write(`hint: ${program} --help says more\n`);
  return exitStatus(code);
}

/**
 * Runs a program's main function to its exit status. Whoever reads standard output may stop reading: the program then
 * ends without a word.
 * @param program its name in messages
 */
export function runProgram(program: string, main: (argv: string[]) => Promise<number>): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    process.exit(reportError(program, new DocteurError("Io", `cannot write the output: ${error.message}`)));
  });
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      process.exitCode = reportError(program, error);
    },
  );
}

/**
 * Runs work that SIGINT, SIGTERM and SIGHUP end in good order: `work` sees its signal aborted, cleans up and throws;
 * then the process dies of the signal, as whoever sent it expects.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const names: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  let received: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    received ??= name;
    controller.abort(new DocteurError("Io", `stopped by ${received}`));
  };
  for (const name of names) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.off(name, onSignal);
    if (received !== undefined && controller.signal.aborted) process.kill(process.pid, received);
  }
}

/** The block size that `--bs` gives; 512 where it is not given. */
export function parseBlockSize(text: string | undefined): number {
  const size = text === undefined ? 512 : /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  if (isBlockSize(size)) return size;
  throw usageError(`not a block size: ${text}`, "a block size (--bs) is a power of two, at least 512");
}

/** One line on a terminal's standard error that says how far things are; nothing elsewhere. */
export class ProgressLine {
  readonly #isShown: boolean;
  #last = 0;
  #isDirty = false;

  /** @param quiet show nothing, even on a terminal */
  constructor(quiet = false) {
    this.#isShown = !quiet && process.stderr.isTTY === true;
  }

  /** Shows `text`, though not more than ten times a second. */
  update(text: () => string): void {
    if (!this.#isShown || performance.now() - this.#last < 100) return;
    this.#last = performance.now();
    this.#isDirty = true;
    process.stderr.write(`\r${text().slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  /** Clears the line. */
  clear(): void {
    if (this.#isDirty) process.stderr.write("\r\x1b[K");
    this.#isDirty = false;
  }

  /** Clears the line and leaves `text` on the terminal. */
  finish(text: string): void {
    this.clear();
    if (this.#isShown) process.stderr.write(`${text}\n`);
  }
}

/** A count of bytes for people: "512 B", "1.5 MB". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}

/** "1 file", "2 files". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

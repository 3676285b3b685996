/** The command line of `solo5-wasm`, taken apart as `solo5-hvt` does it. */
import { isBlockSize } from "../../src/devices/device.js";
import { DocteurError } from "../../src/errors.js";
import { isDeviceName } from "../../src/tender/manifest.js";

/** Seconds of a duration's units. */
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

const HINT = "Run `solo5-wasm --help' for the options.";

/** A command line, taken apart. */
export interface CommandLine {
  action: "run" | "help" | "version";
  memoryLimit: number;
  /** Milliseconds. */
  timeLimit: number | undefined;
  /** Paths and block sizes of the devices to attach, by name. */
  paths: Map<string, string>;
  blockSizes: Map<string, number>;
  guest: string;
  args: string[];
}

function usageError(message: string): DocteurError {
  return new DocteurError("Usage", message, { hint: HINT });
}

function parseMem(value: string): number {
  const megabytes = /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (megabytes < 1 || megabytes > 4096) throw usageError("Malformed argument to --mem: 1 to 4096 MB");
  return megabytes * 2 ** 20;
}

/** Milliseconds of a duration as `timeout(1)` takes it; undefined for other text. */
function parseTimeout(value: string): number | undefined {
  const [, count, unit = "s"] = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])?$/.exec(value) ?? [];
  const milliseconds = Math.ceil(Number(count) * 1000 * SECONDS[unit]!);
  if (milliseconds >= 0 && milliseconds < 2 ** 31) return milliseconds === 0 ? undefined : milliseconds;
  throw usageError("Malformed argument to --timeout: a number of seconds, at most 24 days");
}

/** Splits `NAME=VALUE`; undefined if it has another form. */
function parseAssignment(text: string): [name: string, value: string] | undefined {
  const [, name, value] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  return name !== undefined && value !== undefined && isDeviceName(name) ? [name, value] : undefined;
}

/** Takes one option in. Returns whether there is an option of that name. */
function parseOption(option: string, line: CommandLine): boolean {
  const [, flag, rest] = /^(--mem=|--timeout=|--block:|--block-sector-size:)(.*)$/s.exec(option) ?? [];
  if (flag === undefined || rest === undefined) return false;
  if (flag === "--mem=") {
    line.memoryLimit = parseMem(rest);
    return true;
  }
  if (flag === "--timeout=") {
    line.timeLimit = parseTimeout(rest);
    return true;
  }
  const assignment = parseAssignment(rest);
  if (assignment === undefined) return false;
  const [name, value] = assignment;
  if (flag === "--block:") {
    if (line.paths.has(name)) throw usageError(`Device '${name}' attached twice`);
    line.paths.set(name, value);
  } else {
    const size = /^[0-9]{1,10}$/.test(value) ? Number(value) : 0;
    if (!isBlockSize(size))
      throw usageError(`Block size of '${name}' must be a power of two greater than or equal to 512`);
    if (line.blockSizes.has(name)) throw usageError(`Block size of '${name}' given twice`);
    line.blockSizes.set(name, size);
  }
  return true;
}

/** @throws DocteurError `Usage` */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const line: CommandLine = {
    action: "run",
    memoryLimit: 512 * 2 ** 20,
    timeLimit: undefined,
    paths: new Map(),
    blockSizes: new Map(),
    guest: "",
    args: [],
  };
  let index = 0;
  for (; argv[index]?.startsWith("-"); index++) {
    const option = argv[index]!;
    if (option === "--help" || option === "--version")
      return { ...line, action: option === "--help" ? "help" : "version" };
    if (option === "--") {
      index++;
      break;
    }
    if (!parseOption(option, line)) throw usageError(`Invalid option: \`${option}'`);
  }
  const guest = argv[index];
  if (guest === undefined) throw usageError("Missing GUEST operand");
  for (const name of line.blockSizes.keys())
    if (!line.paths.has(name)) throw usageError(`Block size given for '${name}', which is not attached`);
  return { ...line, guest, args: argv.slice(index + 1) };
}

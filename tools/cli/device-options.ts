/** The options of every command that reads an image which may lie on another machine. */
import { readFileSync } from "node:fs";
import type { DeviceOptions } from "../../src/devices/options.js";
import { ioError } from "../../src/node/io-error.js";
import { parseCount, parseSize, usageError } from "./arguments.js";
import type { OptionRow } from "./option-help.js";

/** For `parse`. */
export const DEVICE_OPTIONS = {
  cache: { type: "string" },
  "cache-size": { type: "string" },
  header: { type: "string", multiple: true },
  "request-timeout": { type: "string" },
  retries: { type: "string" },
} as const;

/** For `--help`. */
export const DEVICE_ROWS: readonly OptionRow[] = [
  ["--cache DIR", "of an image at a URL, keep what was fetched in the folder DIR"],
  ["--cache-size SIZE", "the most that DIR may hold, as in 64M (default: 1G)"],
  [
    '--header "NAME: VALUE"',
    "send this header to a server of http or https; @FILE reads such lines from FILE, which nobody else sees. Can be given many times",
  ],
  [
    "--request-timeout N",
    "seconds within which a request must bring its next page, or all that it asks for if the server sends no single pages; and one more for every 32 KiB of that (default: 20)",
  ],
  ["--retries N", "further tries of a request that failed and may succeed later (default: 3)"],
];

/** The values of `DEVICE_OPTIONS`. */
export interface DeviceValues {
  cache?: string;
  "cache-size"?: string;
  header?: string[];
  "request-timeout"?: string;
  retries?: string;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split(/\r?\n/)
      .filter((line) => line !== "");
  } catch (cause) {
    throw ioError("read", path, cause);
  }
}

/** @throws DocteurError `Usage`, which shows no value */
function parseHeader(line: string): [name: string, value: string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
  if (name !== undefined) return [name, value!.trimEnd()];
  throw usageError("--header takes a name, a colon and a value", "--header 'Authorization: Bearer …'");
}

/** The options of devices. @throws DocteurError `Usage`; `Io` for a file of headers */
export function deviceOptions(values: DeviceValues): DeviceOptions {
  const { cache, header = [] } = values;
  const size = parseSize("--cache-size", values["cache-size"]);
  if (cache === "" || (size !== undefined && cache === undefined))
    throw usageError("--cache takes a folder", "--cache-size goes with it");
  const lines = header.flatMap((given) => (given.startsWith("@") ? readLines(given.slice(1)) : [given]));
  const seconds = parseCount("--request-timeout", values["request-timeout"], { least: 1, most: 86_400 });
  return {
    cache: cache === undefined ? undefined : { name: cache, size },
    headers: lines.length === 0 ? undefined : Object.fromEntries(lines.map(parseHeader)),
    timeout: seconds === undefined ? undefined : seconds * 1000,
    retries: parseCount("--retries", values.retries, { least: 0, most: 100 }),
  };
}

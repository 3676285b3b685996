/** The options of every command that reads an image, and the image opened as they say. */
import { type Mode, open, type Volume } from "../src/index.js";
import { usageError } from "./cli.js";

/** For `parse`. */
export const IMAGE_OPTIONS = {
  bs: { type: "string" },
  mode: { type: "string" },
  memory: { type: "string" },
} as const;

/** For `--help`. */
export const IMAGE_HELP = `      --bs BYTES     the block size that the image is read in: a power of two,
                     at least 512 (default: 512)
      --mode MODE    light: walk to what is asked for (default); fast: read all
                     directories first; analyze: trust the PACK alone
      --memory MIB   cap of the reader's memory, caches and all (default: 32
                     for caches, more only for larger objects)`;

const MODES: readonly string[] = ["light", "fast", "analyze"];

/** A positive whole number out of an option. */
export function parseNumber(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw usageError(`not a ${what}: ${text}`);
  return Number(text);
}

/** The block size that `--bs` gives, checked. */
export function parseBlockSize(text: string | undefined): number {
  const size = parseNumber(text, "block size") ?? 512;
  if (size >= 512 && size <= 2 ** 30 && Number.isInteger(Math.log2(size))) return size;
  throw usageError(`not a block size: ${text}`, "a block size (--bs) is a power of two, at least 512");
}

/** Opens an image. @throws DocteurError `Usage` for an option that means nothing, and what `open` throws */
export function openImage(
  image: string,
  values: { bs?: string; mode?: string; memory?: string },
): Promise<Volume> {
  const { mode = "light" } = values;
  if (!MODES.includes(mode)) throw usageError(`no such mode: ${mode}`, `there is ${MODES.join(", ")}`);
  const memory = parseNumber(values.memory, "number of mebibytes");
  if (memory !== undefined && (memory < 2 || memory > 4095))
    throw usageError("--memory must be between 2 and 4095");
  return open(image, {
    blockSize: parseBlockSize(values.bs),
    mode: mode as Mode,
    ...(memory === undefined ? {} : { memoryLimit: memory * 2 ** 20 }),
  });
}

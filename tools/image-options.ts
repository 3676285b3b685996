/** The options of every command that reads an image, and the image opened as they say. */
import { type Mode, open, type Volume } from "../src/index.js";
import { parseBlockSize, usageError } from "./cli.js";

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

/** What `--memory` gives, in bytes. */
function parseMemory(text: string): number {
  const size = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (size >= 2 && size <= 4095) return size * 2 ** 20;
  throw usageError(`not a number of mebibytes from 2 to 4095: ${text}`);
}

/** Opens an image. @throws DocteurError `Usage` for an option that means nothing, and what `open` throws */
export function openImage(
  image: string,
  values: { bs?: string; mode?: string; memory?: string },
): Promise<Volume> {
  const { mode = "light" } = values;
  if (!MODES.includes(mode)) throw usageError(`no such mode: ${mode}`, `there is ${MODES.join(", ")}`);
  return open(image, {
    blockSize: parseBlockSize(values.bs),
    mode: mode as Mode,
    ...(values.memory === undefined ? {} : { memoryLimit: parseMemory(values.memory) }),
  });
}

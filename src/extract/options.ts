/** Options of `extract` and `archive`, their checks, and the volume that they work on. */
import {
  type Check,
  type Checks,
  invalid,
  isAnything,
  isBoolean,
  isFunction,
  isSignal,
  isWhole,
  type Path,
} from "../arguments.js";
import type { ImageSource } from "../devices/open.js";
import { open } from "../open.js";
import type { OpenOptions } from "../opening.js";
import { Volume } from "../volume.js";

/** Options of `extract` and `archive`. */
export interface SelectOptions {
  /**
   * Paths in the image, each with everything below it, and patterns as `docteur/fs` has them: `*`, `?`, `[…]`,
   * `{a,b}`, `**`. A path that is in the image is not a pattern. By default everything.
   */
  paths?: readonly Path[] | undefined;
  /** Names to drop from the front of each path; 0 by default. An entry with no name left is left out. */
  stripComponents?: number | undefined;
  /**
   * Refuse what is not the same on all systems: names that Windows does not have, and names in one directory that
   * differ only in case or in how Unicode composes them.
   */
  portable?: boolean | undefined;
  /** Ends the work: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** How the image is opened, if it is not a volume. */
  open?: Omit<OpenOptions, "signal"> | undefined;
}

const isPaths: Check = (value) => (Array.isArray(value) ? undefined : "an array of paths");

export const SELECT: Checks = {
  paths: isPaths,
  stripComponents: isWhole(0),
  portable: isBoolean,
  signal: isSignal,
  open: isAnything,
};
export const EXTRACT: Checks = {
  ...SELECT,
  overwrite: isBoolean,
  jobs: isWhole(1, 64),
  onProgress: isFunction,
};

/** Opens the image, unless it is a volume. @returns the volume, and what closes it if this opened it */
export async function volumeOf(
  source: ImageSource | Volume,
  { open: options, signal }: SelectOptions,
): Promise<{ volume: Volume; close: () => Promise<void> }> {
  if (!(source instanceof Volume)) {
    const volume = await open(source, { ...options, signal });
    return { volume, close: () => volume.close() };
  }
  if (options !== undefined) throw invalid("a volume is open already: the option open has no effect");
  return { volume: source, close: async () => undefined };
}

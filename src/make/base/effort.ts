/** How thoroughly `make` looks for what makes an image small. */
import type { Check } from "../../arguments.js";

/** The efforts, and their numbers in the packer's Wasm (asm/deflate/effort.ts). */
export const EFFORT = { fast: 0, default: 1, small: 2 } as const;

/**
 * `fast` takes about half the time of `default`, for a larger image; `small` takes up to three times as long, for
 * a smaller one.
 */
export type Effort = keyof typeof EFFORT;

/** For the checks of options. */
export const isEffort: Check = (value) =>
  typeof value === "string" && Object.hasOwn(EFFORT, value) ? undefined : '"fast", "default" or "small"';

/** Options of devices, as `open` takes them, and their checks. */
import { type Checks, isAnything, isFunction, isWhole } from "../arguments.js";
import type { HttpOptions } from "./http.js";

/** How an image is read that does not lie in memory or in a file. */
export interface DeviceOptions extends Omit<HttpOptions, "signal"> {}

/** A power of two in a range. */
function isPower(least: number, most: number): (value: unknown) => string | undefined {
  const check = isWhole(least, most);
  return (value) =>
    check(value) === undefined && ((value as number) & ((value as number) - 1)) === 0
      ? undefined
      : `a power of two, from ${least} to ${most}`;
}

const TIMEOUT_MAX = 0x7fffffff >> 1;

const isHeaders = (value: unknown): string | undefined =>
  (typeof value === "object" && value !== null) || typeof value === "function"
    ? undefined
    : "headers, or a function that gives them";

export const DEVICE: Checks & Record<keyof DeviceOptions, Checks[string]> = {
  blockSize: isAnything,
  pageSize: isPower(4096, 1 << 24),
  cacheSize: isWhole(0),
  timeout: isWhole(1, TIMEOUT_MAX),
  retries: isWhole(0, 100),
  concurrency: isWhole(1, 1000),
  fetch: isFunction,
  headers: isHeaders,
  sign: isFunction,
  maxDownload: isWhole(0),
};

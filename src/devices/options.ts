/** Options of devices, as `open` takes them, and their checks. */
import { type Checks, isAnything, isFunction, isWhole } from "../arguments.js";
import type { HttpOptions } from "./http.js";
import type { PageStore } from "./remote/kept-pages.js";

/** How an image is read that does not lie in memory or in a file. */
export interface DeviceOptions extends Omit<HttpOptions, "signal"> {
  /**
   * Keeps pages beyond the life of this process: a folder in Node, the name of a cache of the Cache Storage in
   * browsers; or such a name with the bytes that it may take, by default 1 GiB; or a store of your own. Only sources
   * with an identity are kept: of HTTP, those with a strong ETag.
   */
  cache?: string | { name: string; size?: number | undefined } | PageStore | undefined;
}

/** Options of devices, and a signal that ends the opening. */
export type SourceOptions = HttpOptions;

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

/** Whether an option is a store of the caller's. */
export function isStore(value: unknown): value is PageStore {
  const { get, set } = (value ?? {}) as Partial<PageStore>;
  return typeof get === "function" && typeof set === "function";
}

const isCache = (value: unknown): string | undefined => {
  const { name, size = 0 } = (typeof value === "object" && value !== null ? value : {}) as {
    name?: unknown;
    size?: unknown;
  };
  const isNamed = typeof name === "string" && name !== "" && isWhole(0)(size) === undefined;
  return isNamed || isStore(value) || (typeof value === "string" && value !== "")
    ? undefined
    : "a name, an object with a name and a size, or a store with get, set and delete";
};

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
  cache: isCache,
};

/** Limits on the time and the storage that a fetch from another machine may take. git itself has none. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DocteurError } from "../errors.js";
import { withOwnSignal } from "../node/own-signal.js";

/** Limits of one fetch. */
export interface FetchLimits {
  /** Seconds that the whole fetch may take. */
  timeout?: number | undefined;
  /** Bytes that the fetch may store. */
  maxFetch?: number | undefined;
}

/** Milliseconds between two measurements of the stored bytes. */
const INTERVAL_MS = 200;

/** Bytes of all files below a folder. Files that disappear meanwhile do not count. */
export async function storedBytes(folder: string): Promise<number> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries)
    if (entry.isFile())
      sum += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  return sum;
}

/**
 * Runs a fetch within limits.
 * @param host for messages
 * @param folder the fetch stores its files below it
 * @param fetch receives a signal that aborts when a limit is reached
 * @throws DocteurError `Network` if it takes too long, `Io` if it stores too much; any error of `fetch`
 */
export async function withinLimits<T>(
  { timeout, maxFetch }: FetchLimits,
  host: string,
  folder: string,
  signal: AbortSignal | undefined,
  fetch: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const tooMuch = (): DocteurError =>
    new DocteurError("Io", `${host} sends more than ${maxFetch} bytes`, {
      hint: "--max-fetch sets how many may be stored",
    });
  return withOwnSignal(signal, async (own, abort) => {
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            const hint = "--timeout sets how long it may take";
            abort(
              new DocteurError("Network", `${host} did not send the commit within ${timeout} s`, { hint }),
            );
          }, timeout * 1000);
    let isLooking = false;
    const look = async (): Promise<void> => {
      if (isLooking) return;
      isLooking = true;
      if ((await storedBytes(folder)) > maxFetch!) abort(tooMuch());
      isLooking = false;
    };
    const watch = maxFetch === undefined ? undefined : setInterval(() => void look(), INTERVAL_MS);
    try {
      const result = await fetch(own);
      if (maxFetch !== undefined && (await storedBytes(folder)) > maxFetch) throw tooMuch();
      return result;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
    }
  });
}

/** Starts threads, where there can be any. For Node. */
import { hasOwn } from "../node/own-files.js";

/** Whether a thread's script is there. A bundle may have left it behind; one without modules has no URL for it. */
export function hasScript(url: () => URL): boolean {
  try {
    return hasOwn(url());
  } catch {
    return false;
  }
}

/**
 * Starts threads.
 * @param url of their script
 * @returns undefined where their script is missing, or Node's permission model forbids threads
 */
export function startThreads<T>(url: () => URL, start: () => T): T | undefined {
  if (!hasScript(url)) return undefined;
  try {
    return start();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED") return undefined;
    throw error;
  }
}

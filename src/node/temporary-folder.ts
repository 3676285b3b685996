/** A folder for this process's own files, in the system's folder for temporary files. */
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { DocteurError } from "../errors.js";
import { ioError } from "./io-error.js";
import { removeAbandoned, temporaryPaths } from "./temporary.js";

/** The error for a file that could not be written there. */
export function temporaryError(cause: unknown): DocteurError {
  if (cause instanceof DocteurError) return cause;
  return ioError("write to", resolve(tmpdir()), cause, "TMPDIR names another folder for temporary files");
}

/** Whether this process may write there: the permissions of Node and Deno may forbid it. */
export function mayWrite(): boolean {
  const { permission } = process as { permission?: { has(scope: string, path?: string): boolean } };
  try {
    const folder = resolve(tmpdir());
    return permission === undefined || permission.has("fs.write", folder);
  } catch {
    // Deno keeps the environment, which names the folder, from programs.
    return false;
  }
}

/**
 * Makes a folder that other users cannot read, and removes it in the end. Leftovers of killed runs are
 * removed, too.
 * @param use receives its path
 * @returns the result of `use`
 * @throws DocteurError `Io`; errors of `use`
 */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const parent = resolve(tmpdir());
  await removeAbandoned(parent);
  const { folder } = temporaryPaths(parent);
  await mkdir(folder, { mode: 0o700 }).catch((cause: unknown) => {
    throw temporaryError(cause);
  });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

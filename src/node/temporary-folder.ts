/** A folder for what only this process needs, in the system's place for temporary files. */
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { DocteurError } from "../errors.js";
import { ioError } from "./io-error.js";
import { removeAbandoned, temporaryPaths } from "./temporary.js";

/** The error of something that could not be written there. */
export function temporaryError(cause: unknown): DocteurError {
  if (cause instanceof DocteurError) return cause;
  return ioError("write to", resolve(tmpdir()), cause, "TMPDIR names another folder for temporary files");
}

/**
 * Makes a folder that nobody else reads, and removes it in the end. What killed runs left there is removed, too.
 * @param use is given its path
 * @returns what `use` returned
 * @throws DocteurError `Io`; what `use` throws
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

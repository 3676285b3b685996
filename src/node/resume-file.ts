/** Files that take long to come: what has come stays beside the target, and the next run goes on from there. */
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "./io-error.js";
import { inspectTarget, syncFolder } from "./replace-file.js";
import { claimPart, releasePart } from "./temporary.js";

/** What `resumeFile` gives to the function that writes. */
export interface ResumedFile {
  /** Open for reading and writing. It is as long as what has come. */
  handle: FileHandle;
  /** Bytes that are there. */
  length: number;
}

/**
 * Writes a file that is there whole or not at all. Where `write` fails, what it has written stays for another run, unless
 * that is nothing.
 * @param target the file; it may exist (a symbolic link is followed, permissions are kept) but must be a regular file
 * @param content 16 hexadecimal digits that stand for the content: what another run left of it is continued
 * @param write makes the file whole; system errors that it lets through are taken for failures of the target's
 * @throws DocteurError `Io`; what `write` threw; the signal's reason
 */
export async function resumeFile<T>(
  target: string,
  content: string,
  write: (file: ResumedFile) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { path, mode } = await inspectTarget(target);
  const part = await claimPart(dirname(path), content);
  let handle: FileHandle | undefined;
  try {
    handle = await open(
      part,
      constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0),
      mode ?? 0o666,
    );
    if (mode !== undefined) await handle.chmod(mode);
    const result = await write({ handle, length: (await handle.stat()).size });
    await handle.sync();
    signal?.throwIfAborted();
    await rename(part, path);
    await syncFolder(dirname(path));
    return result;
  } catch (cause) {
    if ((await handle?.stat().catch(() => undefined))?.size === 0) await rm(part, { force: true });
    if (systemCode(cause) === undefined || cause instanceof DocteurError || signal?.aborted) throw cause;
    throw ioError("write", target, cause);
  } finally {
    await handle?.close().catch(() => undefined);
    releasePart(part);
  }
}

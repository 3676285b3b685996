/**
 * Files that take long to download: the received part stays beside the target, and the next run continues it.
 */
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "./io-error.js";
import { inspectTarget, syncFolder } from "./replace-file.js";
import { claimPart, releasePart } from "./temporary.js";

/** The argument of the function that writes the file. */
export interface ResumedFile {
  /** Open for reading and writing. Its length is that of the received part. */
  handle: FileHandle;
  /** Bytes that were received before. */
  length: number;
}

/**
 * Writes a file that appears whole or not at all. If `write` fails, the part that it has written stays for
 * another run, unless it is empty.
 * @param target the file; it may exist (a symbolic link is followed, permissions are kept) but must be a regular file
 * @param content 16 hexadecimal digits that identify the content: a part of it that another run left is
 *   continued
 * @param write makes the file whole; its system errors count as failures of the target
 * @throws DocteurError `Io`; errors of `write`; the signal's reason
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

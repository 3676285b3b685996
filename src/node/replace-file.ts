/**
 * Output files that appear whole or not at all: the content goes to a temporary file beside the target. It
 * takes the target's place when everything is on the disk, and is removed when anything fails. The next run
 * removes the leftovers of a killed run.
 */
import type { BigIntStats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DocteurError } from "../errors.js";
import type { Sink } from "../sink.js";
import { ioError, systemCode } from "./io-error.js";
import { removeAbandoned, temporaryPaths } from "./temporary.js";

/** Bytes gathered before they go to the file. */
const BUFFER_LEN = 1 << 20;

/** A file under construction: appended to through a buffer, patched at the end. */
export class FileSink implements Sink {
  readonly #handle: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_LEN);
  #buffered = 0;
  #flushed = 0;

  /** @param handle open for writing, empty; the caller closes it */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Bytes appended so far, which is the offset of the next. */
  get position(): number {
    return this.#flushed + this.#buffered;
  }

  /** Appends `bytes`, which may be changed as soon as the promise resolves. */
  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length > BUFFER_LEN - this.#buffered) await this.flush();
    if (bytes.length >= BUFFER_LEN) {
      await this.#writeAll(bytes, this.#flushed);
      this.#flushed += bytes.length;
      return;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Appends `length` zero bytes. */
  async appendZeros(length: number): Promise<void> {
    const zeros = new Uint8Array(Math.min(length, BUFFER_LEN));
    for (let left = length; left > 0; left -= zeros.length)
      await this.append(left < zeros.length ? zeros.subarray(0, left) : zeros);
  }

  /** Overwrites bytes that were appended before. */
  async patch(bytes: Uint8Array, offset: number): Promise<void> {
    await this.flush();
    await this.#writeAll(bytes, offset);
  }

  /** Hands everything that is buffered to the system. */
  async flush(): Promise<void> {
    await this.#writeAll(this.#buffer.subarray(0, this.#buffered), this.#flushed);
    this.#flushed += this.#buffered;
    this.#buffered = 0;
  }

  async #writeAll(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; )
      done += (await this.#handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}

/** The argument of the function that writes the file. */
export interface Replacement {
  /** The new content. */
  sink: FileSink;
  /** The temporary file, absolute. A walk through the target's folder should skip it meanwhile. */
  temporary: string;
  /** The final path of the content, absolute, symbolic links resolved. */
  target: string;
  /** Makes an empty folder beside the target for the caller. It is always removed in the end. */
  scratch(): Promise<string>;
}

/** The real path of `target`, and the permissions of an existing file there. */
export async function inspectTarget(target: string): Promise<{ path: string; mode: number | undefined }> {
  const link = await lstat(target).catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw ioError("write", target, cause);
  });
  if (link === undefined) {
    if (/\/\.{0,2}$/.test(target))
      throw new DocteurError("Io", `cannot write ${target}: there is no such directory`, {
        path: target,
        hint: "give the file to write",
      });
    const folder = dirname(resolve(target));
    // If it is missing, the write reports the error.
    return { path: join(await realpath(folder).catch(() => folder), basename(target)), mode: undefined };
  }
  try {
    const path = await realpath(target);
    const found = await stat(path);
    if (found.isFile()) return { path, mode: found.mode & 0o777 };
  } catch (cause) {
    const hint = link.isSymbolicLink() ? "it is a symbolic link" : undefined;
    throw ioError("write", target, cause, hint);
  }
  throw new DocteurError("Io", `cannot write ${target}: it exists and is not a regular file`, {
    path: target,
    hint: "an image replaces its target whole; write a file, then copy it to the device",
  });
}

/**
 * Makes the rename itself durable. Some systems cannot open or sync a folder: the file is whole either way.
 */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch (cause) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"].includes(systemCode(cause) ?? ""))
      throw ioError("write to", folder, cause);
  } finally {
    await handle?.close();
  }
}

/**
 * Writes a file that is there whole or not at all.
 * @param target the file; it may exist (a symbolic link is followed, permissions are kept) but must be a
 *   regular file
 * @param write writes the content; its system errors count as failures of the target
 * @param signal ends the work before the new file takes the target's place
 * @param onPlaced told of the written file itself when it is in its place, unless another process has written to it by
 *   then; the path may lead to another file already
 * @returns the result of `write`
 * @throws DocteurError `Io`; errors of `write`; the signal's reason
 */
export async function replaceFile<T>(
  target: string,
  write: (replacement: Replacement) => Promise<T>,
  signal?: AbortSignal,
  onPlaced?: (found: BigIntStats) => void,
): Promise<T> {
  const { path, mode } = await inspectTarget(target);
  const folder = dirname(path);
  await removeAbandoned(folder);
  const { file: temporary, folder: scratch } = temporaryPaths(folder);
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, "wx", mode ?? 0o666);
    if (mode !== undefined) await handle.chmod(mode);
    const sink = new FileSink(handle);
    const makeScratch = async (): Promise<string> => {
      await mkdir(scratch, { mode: 0o700, recursive: true });
      return scratch;
    };
    const result = await write({ sink, temporary, target: path, scratch: makeScratch });
    await sink.flush();
    await rm(scratch, { recursive: true, force: true });
    await handle.sync();
    const written = onPlaced && (await handle.stat({ bigint: true }));
    if (written === undefined) await handle.close();
    signal?.throwIfAborted();
    await rename(temporary, path);
    if (written !== undefined) {
      const placed = await handle.stat({ bigint: true });
      if (placed.mtimeNs === written.mtimeNs && placed.size === written.size) onPlaced!(placed);
    }
    await syncFolder(folder);
    return result;
  } catch (cause) {
    if (systemCode(cause) === undefined || cause instanceof DocteurError || signal?.aborted) throw cause;
    const hint =
      handle === undefined ? `a temporary file is made in the folder of ${basename(path)}` : undefined;
    throw ioError("write", target, cause, hint);
  } finally {
    await handle?.close().catch(() => undefined);
    await rm(temporary, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Writes all bytes to a descriptor: a file, a pipe or a socket. */
import { write, writeSync } from "node:fs";
import { promisify } from "node:util";
import { DocteurError } from "../errors.js";
import { systemReason } from "./io-error.js";

/** Thrown when the reader of a pipe has closed it. A program without a reader ends silently. */
export class BrokenPipe extends Error {
  constructor() {
    super("the reader has closed the pipe");
    this.name = "BrokenPipe";
  }
}

/** Milliseconds between two attempts to write to a full pipe. */
const PAUSE = 1;

/** Errors for a reader that has gone: of a pipe, and of a socket whose reader left bytes unread. */
const GONE: readonly (string | undefined)[] = ["EPIPE", "ECONNRESET"];

/** The error for a write that failed. */
function writeError(error: unknown, name: string): Error {
  if (error instanceof DocteurError) return error;
  if (GONE.includes((error as NodeJS.ErrnoException).code)) return new BrokenPipe();
  return new DocteurError("Io", `cannot write to ${name}: ${systemReason(error)}`, { cause: error });
}

/**
 * Writes all of the bytes before it returns. After a short write it continues with the rest. It retries a
 * full pipe that does not block until the reader has made room.
 * @param fd an open descriptor
 * @param name the descriptor's name in error messages, such as "standard output"
 * @throws BrokenPipe if the reader has gone
 * @throws DocteurError `Io` for every other failure, such as a full disk; bytes written before stay written
 */
export function writeAll(fd: number, bytes: Uint8Array, name: string): void {
  let cell: Int32Array | undefined;
  for (let done = 0; done < bytes.length; ) {
    try {
      const count = writeSync(fd, bytes, done);
      if (count === 0) throw new DocteurError("Io", `cannot write to ${name}: it takes no more bytes`);
      done += count;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw writeError(error, name);
      cell ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(cell, 0, 0, PAUSE);
    }
  }
}

const writeSome = promisify(write);
const sleep = promisify(setTimeout);

/**
 * Writes all of the bytes, and lets the program handle signals meanwhile: a reader may keep a pipe full for
 * long.
 * @param signal ends the wait; a write that is under way goes on until the program ends
 * @param fd an open descriptor
 * @param name the descriptor's name in error messages
 * @throws errors of `writeAll`; the signal's reason
 */
export async function writeAllUnder(
  signal: AbortSignal,
  fd: number,
  bytes: Uint8Array,
  name: string,
): Promise<void> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    for (let done = 0; done < bytes.length; ) {
      signal.throwIfAborted();
      try {
        const writing = writeSome(fd, bytes, done, bytes.length - done);
        done += (await Promise.race([writing, aborted])).bytesWritten;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw writeError(error, name);
        await sleep(PAUSE);
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort!);
  }
}

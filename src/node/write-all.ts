/** Writing to a descriptor until the last byte is out, whatever stands at its other end. */
import { write, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { DocteurError } from "../errors.js";
import { systemReason } from "./io-error.js";

/** Thrown where the reader of a pipe has closed it. A program that is not asked for more ends silently. */
export class BrokenPipe extends Error {
  constructor() {
    super("the reader has closed the pipe");
    this.name = "BrokenPipe";
  }
}

/** Milliseconds between two attempts to write to a pipe that is full. */
const PAUSE = 1;

/** The reader has gone: of a pipe, and of a socket whose reader left bytes unread. */
const GONE: readonly (string | undefined)[] = ["EPIPE", "ECONNRESET"];

/** The error for a write that failed. */
function writeError(error: unknown, name: string): Error {
  if (error instanceof DocteurError) return error;
  if (GONE.includes((error as NodeJS.ErrnoException).code)) return new BrokenPipe();
  return new DocteurError("Io", `cannot write to ${name}: ${systemReason(error)}`, { cause: error });
}

/**
 * Writes all of the bytes before it returns. A short write goes on where it stopped; a pipe that is full and does not
 * block is tried again until its reader has made room.
 * @param fd an open descriptor
 * @param name what the descriptor is called in the message of an error, such as "standard output"
 * @throws BrokenPipe where the reader has gone
 * @throws DocteurError `Io` for every other failure, such as a full disk; what was written before stays written
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

/**
 * Writes all of the bytes, and meanwhile lets the program hear of signals: a reader may keep a pipe full for long.
 * @param signal ends the wait; a write that is under way goes on until the program ends
 * @param fd an open descriptor
 * @param name what the descriptor is called in the message of an error
 * @throws what `writeAll` throws; the signal's reason
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

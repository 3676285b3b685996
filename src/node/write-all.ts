/** Writing to a descriptor until the last byte is out, whatever stands at its other end. */
import { writeSync } from "node:fs";
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
      if (error instanceof DocteurError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new BrokenPipe();
      if (code !== "EAGAIN")
        throw new DocteurError("Io", `cannot write to ${name}: ${systemReason(error)}`, { cause: error });
      cell ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(cell, 0, 0, PAUSE);
    }
  }
}

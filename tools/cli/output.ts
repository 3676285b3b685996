/**
 * Standard output of the command line tools. Every command prints with this: a write that fails is an error of the
 * command's, and nothing is lost silently. Bytes gather until there are enough of them for a system call; on a
 * terminal they appear at once.
 */
import { isatty } from "node:tty";
import { writeAll } from "../../src/node/write-all.js";

const STDOUT = 1;
/** Bytes that gather before they are written. */
const GATHERED_MAX = 1 << 16;

let gathered: Uint8Array[] = [];
let gatheredLen = 0;
let isTerminal: boolean | undefined;

/** Whether a person reads standard output. */
export function isOnTerminal(): boolean {
  isTerminal ??= isatty(STDOUT);
  return isTerminal;
}

/**
 * Prints text, as UTF-8, or bytes as they are. Bytes must not change until they are written, which `flush` does.
 * @throws BrokenPipe where the reader has gone
 * @throws DocteurError `Io` where writing fails
 */
export function print(content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (bytes.length >= GATHERED_MAX) {
    flush();
    writeAll(STDOUT, bytes, "standard output");
    return;
  }
  gathered.push(bytes);
  gatheredLen += bytes.length;
  if (gatheredLen >= GATHERED_MAX || isOnTerminal()) flush();
}

/**
 * Writes the gathered bytes. `runProgram` does it at a program's end. A command does it before it waits for long, or
 * before it prints a message on standard error that must come after.
 * @throws the errors of `print`
 */
export function flush(): void {
  if (gatheredLen === 0) return;
  const bytes = Buffer.concat(gathered);
  // Bytes that could not be written are not tried again.
  gathered = [];
  gatheredLen = 0;
  writeAll(STDOUT, bytes, "standard output");
}

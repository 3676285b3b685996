/** git's stderr while it works: progress, which is reported, and messages, which are kept. */
import type { Readable } from "node:stream";
import { STDERR_MAX } from "./process.js";

/** git's progress. */
export interface GitProgress {
  /** git's name of the phase: "Receiving objects". */
  title: string;
  done: number;
  total: number | undefined;
}

/** `Receiving objects:  33% (1/3), 1.2 MiB` or `Enumerating objects: 5, done.`; the server's begin with `remote: `. */
const PROGRESS =
  /^(?:remote: )?([A-Z][a-z]+ [a-z]+): +(?:[0-9]+% \(([0-9]+)\/([0-9]+)\)|([0-9]+)(?:, done\.)?)/;

function parseProgress(line: string): GitProgress | undefined {
  const [match, title, done, total, count] = PROGRESS.exec(line) ?? [];
  if (match === undefined) return undefined;
  return {
    title: title!,
    done: Number(done ?? count),
    total: total === undefined ? undefined : Number(total),
  };
}

/**
 * Reads git's stderr to its end.
 * @returns the lines that are not progress; only the last ones if there are many
 */
export function readMessages(
  stream: Readable,
  onProgress: ((progress: GitProgress) => void) | undefined,
): Promise<string> {
  let messages = "";
  let rest = "";
  const take = (line: string): void => {
    const progress = parseProgress(line);
    if (progress !== undefined) onProgress?.(progress);
    else if (line.trim() !== "") messages = `${messages}${line}\n`.slice(-STDERR_MAX);
  };
  return new Promise((resolve) => {
    stream.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split(/[\r\n]/);
      rest = lines.pop()!.slice(-STDERR_MAX);
      lines.forEach(take);
    });
    // A broken pipe counts as ended: the text up to then is all that there is.
    stream
      .on("error", () => undefined)
      .once("close", () => {
        take(rest);
        resolve(messages);
      });
  });
}

/** Transcripts of documents: commands of `console` blocks, and what they print. */
import { readFileSync } from "node:fs";

/** A command as a reader types it, with its output on a terminal. */
export interface Typed {
  command: string;
  output: string;
}

/** The commands of a document's `console` blocks, in order. @param page from the root of the repository */
export function readTranscripts(page: string): Typed[] {
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/```console\n(.*?)```/gs)].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((typed) => {
        const end = typed.indexOf("\n");
        return { command: typed.slice(0, end), output: typed.slice(end + 1) };
      }),
  );
}

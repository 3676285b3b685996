/**
 * Trees in a file, for sources with many files: the trees take about fifty bytes for each file, which would
 * waste memory.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { FileRange, TreeStore } from "./base/content.js";

/** Contents, written one after the other. */
export class TreeSpool implements TreeStore {
  /** A byte string ("latin1"). */
  readonly #path: string;
  readonly #fd: number;
  #end = 0;

  /**
   * @param path a new file, absolute
   * @throws system errors, as all methods do
   */
  constructor(path: string) {
    this.#path = Buffer.from(path).toString("latin1");
    this.#fd = openSync(path, "wx", 0o600);
  }

  keep(content: Uint8Array): number {
    const offset = this.#end;
    for (let done = 0; done < content.length; )
      done += writeSync(this.#fd, content, done, content.length - done, offset + done);
    this.#end += content.length;
    return offset;
  }

  at(offset: number): FileRange {
    return { path: this.#path, offset };
  }

  /** Ends the writing. The contents can be read as long as the file exists. */
  close(): void {
    closeSync(this.#fd);
  }
}

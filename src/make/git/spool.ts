/**
 * A commit's objects in one file: the output of `git cat-file --batch`, with the place of each content in it.
 * So the packer can read each object any number of times, from any thread.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Workspace } from "../../git-program/workspace.js";
import type { Unreads } from "../base/content.js";
import { BatchReader, catFile } from "./cat-file.js";
import type { CommitObjects } from "./commit-objects.js";
import { Refusals } from "./commit-trees.js";

/** Objects of a commit whose contents are in a file. */
export class SpooledCommit {
  readonly objects: CommitObjects;
  /** A byte string ("latin1"). */
  readonly #file: string;
  readonly #offsets: Float64Array;

  /** @param offsets the offset of each object's content in the file */
  constructor(objects: CommitObjects, file: string, offsets: Float64Array) {
    this.objects = objects;
    this.#file = Buffer.from(file).toString("latin1");
    this.#offsets = offsets;
  }

  /** The places of some contents. */
  unreads(rows: Uint32Array): Unreads {
    return {
      length: rows.length,
      sizeOf: (index) => this.objects.sizeOf(rows[index]!),
      at: (index) => {
        const row = rows[index]!;
        const offset = this.#offsets[row]!;
        const content = { path: this.#file, offset };
        return { size: this.objects.sizeOf(row), content };
      },
    };
  }
}

/**
 * Reads a commit's objects into a file of the workspace's folder.
 * @throws DocteurError `BadSource` if git cannot read them, `Io`; the signal's reason
 */
export async function spoolCommit(
  { env, folder }: Workspace,
  commit: string,
  objects: CommitObjects,
  signal: AbortSignal | undefined,
): Promise<SpooledCommit> {
  const file = join(folder, "objects");
  const offsets = new Float64Array(objects.count);
  let next = 0;
  const batch = new BatchReader({
    begin: ({ oid, type, size, offset }) => {
      const row = next++;
      const fault = type === "missing" ? "missing" : size === objects.sizeOf(row) ? undefined : "content";
      if (fault !== undefined) throw new Refusals(commit).damaged(fault, oid);
      offsets[row] = offset;
    },
  });
  const rows = Uint32Array.from({ length: objects.count }, (_, row) => row);
  await catFile({ env, commit, signal }, "--batch", objects.requests(rows), (output) =>
    pipeline(output, (pieces: AsyncIterable<Buffer>) => batch.pass(pieces), createWriteStream(file)),
  );
  return new SpooledCommit(objects, file, offsets);
}

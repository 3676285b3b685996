/**
 * Examines a commit before it is packed: its trees, the kinds of its objects, and the content that an image
 * of it will lack.
 */

import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { shown } from "../../git/byte-string.js";
import { objectHeader } from "../../git/objects.js";
import { hexOid } from "../../git/oid.js";
import type { Gathered } from "../base/noticed.js";
import { BatchReader, type BatchVisitor, type CatFileRun, catFile } from "./cat-file.js";
import type { CommitObjects } from "./commit-objects.js";
import { listCommit, Refusals } from "./commit-trees.js";
import { findDanglingCommitLinks } from "./dangling-links.js";
import { countPaths, findLfsPointers, type Survey } from "./omissions.js";

/** A commit that an image can hold. */
export interface ExaminedCommit {
  objects: CommitObjects;
  survey: Survey & { danglingLinks: Gathered };
}

/** Splits the output of `cat-file --batch-check` into lines. */
async function* linesOf(output: Readable): AsyncGenerator<string[]> {
  let rest = "";
  output.setEncoding("latin1");
  for await (const text of output as AsyncIterable<string>) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield lines;
  }
}

/** Makes sure that all blobs exist and are blobs, and reads their sizes. */
async function checkBlobs(
  run: CatFileRun,
  objects: CommitObjects,
  onProgress: ((count: number) => void) | undefined,
): Promise<void> {
  const refusals = new Refusals(run.commit);
  const rows = objects.rowsOf("blob");
  if (rows.length === 0) return;
  await catFile(run, "--batch-check", objects.requests(rows), async (output) => {
    let next = 0;
    for await (const lines of linesOf(output)) {
      for (const line of lines) {
        const row = rows[next++]!;
        const [oid = "", type, size] = line.split(" ");
        const path = shown(objects.paths.text(row));
        if (type === "missing") throw refusals.damaged("missing", oid, path);
        if (type !== "blob") throw refusals.unsound(path, `its object is a ${type}`, oid);
        objects.setSize(row, Number(size));
      }
      onProgress?.(next);
    }
  });
}

/**
 * Examines a commit.
 * @param onProgress receives the number of files found so far
 * @throws DocteurError `BadSource` for entries that no image can hold, and for missing or damaged objects;
 *   `NoGit`, `Io`; the signal's reason
 */
export async function examineCommit(
  run: CatFileRun,
  onProgress: ((count: number) => void) | undefined,
): Promise<ExaminedCommit> {
  const listed = await listCommit(run);
  const { objects } = listed;
  await checkBlobs(run, objects, onProgress);
  const counted = countPaths(listed, await findLfsPointers(run, listed));
  const survey = { ...counted, danglingLinks: await findDanglingCommitLinks(run, listed) };
  onProgress?.(survey.fileCount);
  return { objects, survey };
}

/**
 * Makes sure that the contents which git gives match the ids of the commit's blobs. git itself does not check
 * this when it packs them.
 * @throws DocteurError `BadSource`, `Io`; the signal's reason
 */
export async function checkContents(run: CatFileRun, objects: CommitObjects): Promise<void> {
  const rows = objects.rowsOf("blob");
  if (rows.length === 0) return;
  let hash: Hash | undefined;
  let next = 0;
  const visitor: BatchVisitor = {
    begin: ({ size }) => {
      hash = createHash("sha1").update(objectHeader("blob", size));
    },
    data: (bytes) => void hash!.update(bytes),
    end: () => {
      const row = rows[next++]!;
      const oid = hexOid(objects.oidOf(row));
      if (hash!.digest("hex") === oid) return;
      throw new Refusals(run.commit).damaged("content", oid, shown(objects.paths.text(row)));
    },
  };
  const reader = new BatchReader(visitor);
  await catFile(run, "--batch", objects.requests(rows), (output) => reader.read(output));
}

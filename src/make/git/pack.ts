/**
 * Packs a commit with the `git` program in the scratch repository. Configuration, attributes, replace refs
 * and packs, of the source or of the user, do not change a byte there.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { hexOid } from "../../git/oid.js";
import { ended, reasonOf, startGit } from "../../git-program/process.js";
import { type GitProgress, readMessages } from "../../git-program/progress.js";
import type { Workspace } from "../../git-program/workspace.js";
import { ioError } from "../../node/io-error.js";
import type { FileSink } from "../../node/replace-file.js";
import type { CommitObjects } from "./commit-objects.js";

/**
 * git's defaults, stated so that they stay, and the highest deflate level, since an image is made once and
 * read often.
 */
const PACK_OPTIONS = [
  "--delta-base-offset",
  "--no-reuse-object",
  "--threads=1",
  "--window=10",
  "--depth=50",
  "--compression=9",
  "--index-version=2",
];

/** Characters in a chunk of the list that pack-objects reads. */
const REQUEST_LEN = 1 << 16;

/** A pack that git made, in files. */
export interface GitPack {
  packPath: string;
  idx: Uint8Array;
  objectCount: number;
}

/**
 * The objects as pack-objects reads them: the id and the path of each. The path guides the search for deltas.
 */
function* requestsOf(objects: CommitObjects): Generator<Buffer> {
  let lines = "";
  for (let row = 0; row < objects.count; row++) {
    // A path ends at the line's end. pack-objects accepts a blank in place of a line feed.
    const path = objects.isKind(row, "commit") ? "" : ` ${objects.paths.text(row).replaceAll("\n", " ")}`;
    lines += `${hexOid(objects.oidOf(row))}${path}\n`;
    if (lines.length < REQUEST_LEN) continue;
    yield Buffer.from(lines, "latin1");
    lines = "";
  }
  yield Buffer.from(lines, "latin1");
}

/** The progress of packing, as objects done of all. */
type PackProgress = (done: number, total: number) => void;

/**
 * Combines the progress of pack-objects' two passes: deltas are sought for some of the objects
 * ("Compressing"), then all are deflated and written. Each pass counts for a half.
 */
function joinPasses(onProgress: PackProgress): (progress: GitProgress) => void {
  let objectCount = 0;
  return ({ title, done, total }) => {
    if (title === "Enumerating objects") objectCount = done;
    if (total === undefined || total === 0) return;
    const share = done / total / 2;
    if (title === "Compressing objects") onProgress(Math.floor(share * objectCount), objectCount);
    if (title === "Writing objects") onProgress(Math.floor((0.5 + share) * objectCount), objectCount);
  };
}

/** Lets `pack-objects` pack the commit's objects. */
async function runPackObjects(
  { env, folder }: Workspace,
  commit: string,
  objects: CommitObjects,
  onProgress: PackProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = ["pack-objects", onProgress === undefined ? "-q" : "--progress", ...PACK_OPTIONS];
  const packer = startGit([...args, join(folder, "pack")], env, "pipe", signal);
  packer.stdout!.resume();
  const [fed, packed, said] = await Promise.allSettled([
    pipeline(requestsOf(objects), packer.stdin!),
    ended(packer),
    readMessages(packer.stderr!, onProgress && joinPasses(onProgress)),
  ]);
  signal?.throwIfAborted();
  if (packed.status === "rejected") throw packed.reason;
  if (packed.value !== 0) {
    const hint = said.status === "fulfilled" ? reasonOf(said.value) : undefined;
    throw new DocteurError("BadSource", `git cannot pack the commit ${commit}`, { oid: commit, hint });
  }
  if (fed.status === "rejected") throw ioError("run", "git pack-objects", fed.reason);
}

/**
 * Packs a commit, its trees and its blobs, without its history.
 *
 * A commit always gives the same bytes, however its repository stores it: git reuses nothing of the source's
 * packs, and one thread searches for deltas. (Another version of git may choose other deltas.)
 *
 * @param workspace has the commit's objects, or borrows them; the pack is left in its folder
 * @param objects the commit's
 * @param onProgress receives the number of objects done, and their total
 * @throws DocteurError `BadSource` if git fails, `Io`; the signal's reason
 */
export async function packCommit(
  workspace: Workspace,
  commit: string,
  objects: CommitObjects,
  onProgress?: PackProgress,
  signal?: AbortSignal,
): Promise<GitPack> {
  const { folder } = workspace;
  await runPackObjects(workspace, commit, objects, onProgress, signal);
  const packName = (await readdir(folder)).find((name) => name.endsWith(".pack"));
  if (packName === undefined) throw new DocteurError("Io", "git pack-objects left no pack");
  const packPath = join(folder, packName);
  const idx = await readFile(packPath.replace(/pack$/, "idx"));
  const objectCount = idx.readUInt32BE(8 + 255 * 4);
  return { packPath, idx, objectCount };
}

/**
 * Appends a pack file to an image.
 * @throws DocteurError `Io` if the pack does not match its trailer and its index
 */
export async function copyPack({ packPath, idx }: GitPack, sink: FileSink): Promise<void> {
  const bodyLen = (await stat(packPath)).size - 20;
  const hash = createHash("sha1");
  const trailer: Buffer[] = [];
  let at = 0;
  for await (const piece of createReadStream(packPath, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const cut = Math.max(0, Math.min(piece.length, bodyLen - at));
    hash.update(piece.subarray(0, cut));
    trailer.push(piece.subarray(cut));
    at += piece.length;
    await sink.append(piece);
  }
  const digest = hash.digest();
  if (!digest.equals(Buffer.concat(trailer)) || !digest.equals(idx.subarray(-40, -20)))
    throw new DocteurError("Io", `${packPath} is damaged: git wrote something else`, {
      path: packPath,
      hint: "the disk, or the memory, of this machine may be failing",
    });
}

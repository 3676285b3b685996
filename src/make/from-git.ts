/** An image of a git source. */

import { DocteurError } from "../errors.js";
import type { Kind } from "../git/objects.js";
import { hexOid, OID_LEN } from "../git/oid.js";
import { countChanges } from "../git-program/work-tree.js";
import { withOwnSignal } from "../node/own-signal.js";
import type { Replacement } from "../node/replace-file.js";
import { fileContents } from "./base/file-contents.js";
import { noticedOf } from "./base/noticed.js";
import { openOld } from "./from-old.js";
import type { CommitObjects } from "./git/commit-objects.js";
import { checkContents } from "./git/examine.js";
import { copyPack, packCommit } from "./git/pack.js";
import { type GitSource, openGitSource, type ReadyCommit } from "./git/source.js";
import { type SpooledCommit, spoolCommit } from "./git/spool.js";
import { findHot } from "./hot.js";
import { type ImageSizes, writeImage } from "./image.js";
import { writeLayout } from "./layout.js";
import { writeGitLayout } from "./layout-of-git.js";
import { pointsOfOld } from "./old-points.js";
import { DEPTH, type Job, type MakeSummary, SEEK_MIN } from "./options.js";
import { Places } from "./pack/pack-order.js";
import { type PackedObjects, Packer } from "./pack/packer.js";
import { withWorkers } from "./pack/workers.js";

/** The id of the commit's root tree, the second of its objects. */
function treeOf(objects: CommitObjects): string {
  return hexOid(objects.oidOf(1));
}

/** The result of packing. */
interface Packed extends ImageSizes {
  tree: string;
  objectCount: number;
  /** These two are missing if git packed the objects. */
  deltaCount?: number;
  reusedCount?: number;
}

/** Lets git pack the commit, and checks meanwhile that git gives the right contents. */
async function packByGit(
  { workspace, commit, objects }: ReadyCommit,
  { signal, onProgress, onNotice, blockSize, layout }: Job,
  replacement: Replacement,
): Promise<Packed> {
  const report = onProgress && ((done: number, total: number) => onProgress({ phase: "pack", done, total }));
  const { env } = workspace;
  const { sink } = replacement;
  const pack = await withOwnSignal(signal, async (own, abort) => {
    const stop = (reason: unknown): never => {
      abort(reason);
      throw reason;
    };
    const packing = packCommit(workspace, commit, objects, report, own).catch(stop);
    const checking = checkContents({ env, commit, signal: own }, objects).catch(stop);
    await Promise.allSettled([packing, checking]);
    await checking;
    return packing;
  });
  const sizes = await writeImage(sink, blockSize, Buffer.from(commit, "hex"), async () => {
    await copyPack(pack, sink);
    return pack.idx;
  });
  if (layout !== false) await writeGitLayout(replacement, objects, { signal, onNotice });
  sizes.layoutBytes = sink.position - sizes.imageBytes;
  sizes.imageBytes = sink.position;
  return { tree: treeOf(objects), objectCount: pack.objectCount, ...sizes };
}

/** Surveys the objects of a kind. Their ids must be those that git gave. @returns their rows */
async function survey(packer: Packer, kind: Kind, spooled: SpooledCommit): Promise<Uint32Array> {
  const rows = spooled.objects.rowsOf(kind);
  const oids = await packer.survey(kind, spooled.unreads(rows));
  for (const [at, row] of rows.entries()) {
    const oid = hexOid(spooled.objects.oidOf(row));
    if (hexOid(oids.subarray(at * OID_LEN, (at + 1) * OID_LEN)) !== oid)
      throw new DocteurError("BadSource", `git gives other content than that of the object ${oid}`, {
        oid,
        hint: "git fsck tells what else is damaged",
      });
  }
  return rows;
}

/** Trees breadth first: by depth, and in the order of their paths. @returns indexes of rows */
function breadthFirst({ paths }: CommitObjects, rows: Uint32Array): Uint32Array {
  const depths = Uint32Array.from(rows, (row) => {
    const path = paths.text(row);
    return path === "" ? 0 : path.split("/").length;
  });
  return Uint32Array.from(rows.keys()).sort((left, right) => depths[left]! - depths[right]! || left - right);
}

/**
 * The order of the pack: the commit, trees breadth first, blobs. They were surveyed in this order of kinds.
 */
function placesOf(objects: CommitObjects, trees: Uint32Array, blobs: Uint32Array): Places {
  const { paths } = objects;
  const places = new Places();
  places.add(0, paths.text(0));
  for (const at of breadthFirst(objects, trees)) places.add(1 + at, paths.text(trees[at]!));
  for (const [at, row] of blobs.entries()) places.add(1 + trees.length + at, paths.text(row));
  return places;
}

/** Packs the commit as `make` packs directories. */
async function packAnew(
  { workspace, commit, objects }: ReadyCommit,
  job: Job,
  { sink }: Replacement,
): Promise<Packed> {
  const { signal, onProgress, onNotice, blockSize, workers, effort, from, layout } = job;
  const { depth = DEPTH, seek = SEEK_MIN, hot = [] } = job;
  const spooled = await spoolCommit(workspace, commit, objects, signal);
  const old = from === undefined ? undefined : await openOld(from, undefined, depth);
  const { count: objectCount, contentLen } = objects;
  return withWorkers({ workers, effort }, { objectCount, contentLen }, signal, async (executor) => {
    const packer = new Packer(executor, objectCount, {
      depth,
      seekMin: seek,
      effort,
      reuse: old?.reuse,
      signal,
      onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
    });
    await survey(packer, "commit", spooled);
    const trees = await survey(packer, "tree", spooled);
    const blobs = await survey(packer, "blob", spooled);
    const places = placesOf(objects, trees, blobs);
    const unreadTrees = spooled.unreads(trees);
    // The commit alone is before the trees, and the root is the first of these.
    const firstTree = 1;
    const first = findHot(hot, {
      root: firstTree,
      trees: unreadTrees,
      firstTree,
      contents: fileContents,
      numbers: places.numbers,
      oids: packer.oids(),
    });
    let rows: PackedObjects | undefined;
    const sizes = await writeImage(
      sink,
      blockSize,
      Buffer.from(commit, "hex"),
      async () => {
        rows = await packer.write(sink, places, fileContents.sha1, first);
        return rows.idx;
      },
      async (image) => {
        if (layout === false) return;
        const packed = {
          rows: rows!,
          trees: unreadTrees,
          firstTree,
          contents: fileContents,
          commit: objects.oidOf(0),
          tree: objects.oidOf(1),
        };
        await writeLayout(sink, image, packed, {
          signal,
          onNotice,
          oldPoints: old && pointsOfOld(old.reuse.old),
        });
      },
    );
    old?.settle();
    const { deltaCount, reusedCount } = rows!;
    const reused = old === undefined ? {} : { reusedCount };
    return { tree: treeOf(objects), objectCount, deltaCount, ...reused, ...sizes };
  }).finally(() => old?.close());
}

/** Warns of files in the work tree that the image will lack: usually build output. */
async function noticeChanges(source: GitSource, { ref, subdir, signal, onNotice }: Job): Promise<void> {
  if (source.kind !== "git" || ref !== undefined || onNotice === undefined) return;
  const { changed, untracked } = await countChanges(source.path, subdir, signal);
  if (changed + untracked === 0) return;
  const count = (number: number, what: string): string[] =>
    number === 0 ? [] : [`${number} ${what} file${number === 1 ? "" : "s"}`];
  const files = [...count(changed, "changed"), ...count(untracked, "untracked")].join(" and ");
  onNotice(`the image holds the last commit, without ${files} of the work tree (--worktree takes them)`);
}

/**
 * Writes an image of a commit.
 * @throws DocteurError those of `openGitSource`, `BadSource`, `Io`; the signal's reason
 */
export async function makeFromGit(
  source: GitSource,
  job: Job,
  replacement: Replacement,
): Promise<MakeSummary> {
  const ready = await openGitSource(source, job, replacement.scratch);
  await noticeChanges(source, job);
  const packed = await (job.repack ? packAnew : packByGit)(ready, job, replacement);
  const { commit, sourceCommit, strippedCount } = ready;
  const { fileCount, contentBytes, submodules, lfsPointers, danglingLinks } = ready.survey;
  return {
    sourceKind: "git",
    commit,
    sourceCommit,
    ...packed,
    fileCount,
    contentBytes,
    omittedSubmodules: noticedOf(submodules),
    lfsPointers: noticedOf(lfsPointers),
    danglingLinks: noticedOf(danglingLinks),
    blockSize: job.blockSize,
    skipped: [],
    skippedCount: 0,
    strippedCount,
  };
}

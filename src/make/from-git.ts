/** An image of a git source. */
import { DocteurError } from "../errors.js";
import type { Replacement } from "../write-file.js";
import { copyPack, packCommit } from "./git/pack.js";
import { openGitSource, type ReadyCommit } from "./git/source.js";
import { type SpooledObject, spoolCommit } from "./git/spool.js";
import { type ImageSizes, writeImage } from "./image.js";
import { hexOf, type Kind, OID_LEN } from "./objects.js";
import { DEPTH, type Job, type MakeSummary } from "./options.js";
import { Packer } from "./pack/packer.js";
import { Places } from "./pack/places.js";
import { withWorkers } from "./pack/workers.js";
import { fileContents } from "./source/file.js";
import type { GitSource } from "./source/locate.js";

/** What was packed. */
interface Packed extends ImageSizes {
  tree: string;
  objectCount: number;
}

/** Has git pack the commit. */
async function packByGit(
  { workspace, commit }: ReadyCommit,
  { signal, onProgress, blockSize }: Job,
  { sink }: Replacement,
): Promise<Packed> {
  const report = onProgress && ((done: number, total: number) => onProgress({ phase: "pack", done, total }));
  const pack = await packCommit(workspace, commit, report, signal);
  const sizes = await writeImage(sink, blockSize, Buffer.from(commit, "hex"), async () => {
    await copyPack(pack, sink);
    return pack.idx;
  });
  const { tree, objectCount } = pack;
  return { tree, objectCount, ...sizes };
}

/** Surveys objects, which must be what git says that they are. */
async function survey(packer: Packer, kind: Kind, objects: readonly SpooledObject[]): Promise<void> {
  const oids = await packer.survey(kind, objects);
  for (const [at, { oid }] of objects.entries())
    if (hexOf(oids.subarray(at * OID_LEN, (at + 1) * OID_LEN)) !== oid)
      throw new DocteurError("BadSource", `git gives other content than that of the object ${oid}`, {
        oid,
        hint: "git fsck tells what else is damaged",
      });
}

/** Trees breadth first: by depth, and in the order of their paths. */
function breadthFirst(trees: readonly SpooledObject[]): SpooledObject[] {
  const depthOf = ({ path }: SpooledObject): number => (path === "" ? 0 : path.split("/").length);
  return trees
    .map((tree) => ({ tree, depth: depthOf(tree) }))
    .sort((left, right) => left.depth - right.depth)
    .map(({ tree }) => tree);
}

/** Packs the commit as directories are. */
async function packAnew(
  { workspace, commit }: ReadyCommit,
  { signal, onProgress, blockSize, workers, depth = DEPTH }: Job,
  { sink }: Replacement,
): Promise<Packed> {
  const spooled = await spoolCommit(workspace, commit, signal);
  const trees = breadthFirst(spooled.tree);
  const all = [...spooled.commit, ...trees, ...spooled.blob];
  const contentLen = all.reduce((sum, { size }) => sum + size, 0);
  return withWorkers(workers, { objectCount: all.length, contentLen }, signal, async (executor) => {
    const packer = new Packer(executor, all.length, {
      depth,
      signal,
      onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
    });
    await survey(packer, "commit", spooled.commit);
    await survey(packer, "tree", trees);
    await survey(packer, "blob", spooled.blob);
    const places = new Places();
    for (const [number, { path }] of all.entries()) places.add(number, path);
    const sizes = await writeImage(sink, blockSize, Buffer.from(commit, "hex"), async () => {
      const { idx } = await packer.write(sink, places, fileContents.sha1);
      return idx;
    });
    return { tree: trees[0]!.oid, objectCount: all.length, ...sizes };
  });
}

/**
 * Writes an image of a commit.
 * @throws DocteurError `InvalidArgument`, `BadSource`, `Io`; the signal's reason
 */
export async function makeFromGit(
  source: GitSource,
  job: Job,
  replacement: Replacement,
): Promise<MakeSummary> {
  const ready = await openGitSource(source, job, replacement.scratch);
  const packed = await (job.repack ? packAnew : packByGit)(ready, job, replacement);
  const { commit, sourceCommit } = ready;
  return {
    kind: "git",
    commit,
    sourceCommit,
    ...packed,
    ...ready.survey,
    blockSize: job.blockSize,
    skipped: [],
  };
}

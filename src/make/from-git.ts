/** An image of a git source. */

import type { Replacement } from "../write-file.js";
import { copyPack, packCommit } from "./git/pack.js";
import { openGitSource } from "./git/source.js";
import { writeImage } from "./image.js";
import type { Job, MakeSummary } from "./options.js";
import type { GitSource } from "./source/locate.js";

/**
 * Writes an image of a commit.
 * @throws DocteurError `InvalidArgument`, `BadSource`, `Io`; the signal's reason
 */
export async function makeFromGit(
  source: GitSource,
  job: Job,
  { sink, scratch }: Replacement,
): Promise<MakeSummary> {
  const { signal, onProgress, blockSize } = job;
  const { workspace, commit, sourceCommit, survey } = await openGitSource(source, job, scratch);
  const report = onProgress && ((done: number, total: number) => onProgress({ phase: "pack", done, total }));
  const pack = await packCommit(workspace, commit, report, signal);
  const sizes = await writeImage(sink, blockSize, Buffer.from(commit, "hex"), async () => {
    await copyPack(pack, sink);
    return pack.idx;
  });
  const { tree, objectCount } = pack;
  return {
    kind: "git",
    commit,
    sourceCommit,
    tree,
    objectCount,
    ...survey,
    blockSize,
    ...sizes,
    skipped: [],
  };
}

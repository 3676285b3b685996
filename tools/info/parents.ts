/** The parents that a commit names. An image does not hold them. */
import type { Volume } from "../../src/index.js";

/** The most bytes of a commit that are read for its parents. */
const COMMIT_MAX = 64 << 20;

/** Ids of the parents, which follow the commit's first line; none if the commit is very large. */
export async function readParents(volume: Volume): Promise<string[]> {
  const { data } = await volume.object(volume.commit.oid, { maxSize: COMMIT_MAX });
  const lines = Buffer.from(data).toString("latin1").split("\n");
  const parents: string[] = [];
  for (const line of lines.slice(1)) {
    const [, oid] = /^parent ([0-9a-f]{40})$/i.exec(line) ?? [];
    if (oid === undefined) break;
    parents.push(oid.toLowerCase());
  }
  return parents;
}

/** Sound images to mutate: the fixtures, and made ones with deep chains of both kinds, large files and links in circles. */

import { applyBody, randomDelta, readHeader } from "../support/delta-encoder.js";
import { FIXTURES, fixture, gitOid } from "../support/fixtures.js";
import {
  buildImage,
  commitOf,
  KIND,
  objectEntry,
  type PackEntry,
  type Parts,
  parseImage,
  treeEntry,
} from "../support/pack.js";
import { type Random, seeded } from "../support/random.js";

/** A sound image. */
export interface Sample {
  name: string;
  image: Buffer;
  parts: Parts;
}

/** Blobs, each a delta of one before it. */
function chain(length: number, random: Random): PackEntry[] {
  const first = Buffer.alloc(2000, "The quick brown fox jumps over the lazy dog. ");
  const entries = [objectEntry("blob", first)];
  let base = first;
  while (entries.length < length) {
    const content = randomDelta(base.length, random);
    const header = readHeader(content)!;
    if (header.result < 500n || header.result > 9000n) continue;
    const data = Buffer.from(applyBody(content.subarray(header.body), base, Number(header.result))!);
    const oid = gitOid("blob", data);
    if (entries.some((entry) => entry.oid === oid)) continue;
    const kind = random(2) ? KIND.ofsDelta : KIND.refDelta;
    entries.push({ kind, oid, content, base: entries.at(-1)!.oid });
    base = data;
  }
  return entries;
}

function deepChains(): Buffer {
  const blobs = chain(150, seeded(1));
  const entries = blobs.map(({ oid }, index) =>
    treeEntry("100644", `f${String(index).padStart(3, "0")}`, oid),
  );
  const root = objectEntry("tree", Buffer.concat(entries));
  const commit = commitOf(root.oid);
  // Bases named by their id may stand behind what needs them.
  const behind = blobs.splice(0, 1);
  const isFree = blobs[0]!.kind === KIND.refDelta;
  return buildImage(
    commit.oid,
    isFree ? [commit, root, ...blobs, ...behind] : [commit, root, ...behind, ...blobs],
  );
}

function largeAndLinked(): Buffer {
  const random = seeded(2);
  const noise = Buffer.from(Array.from({ length: 70_000 }, () => random(256)));
  const large = objectEntry("blob", Buffer.concat([Buffer.alloc(300_000, "all work and no play "), noise]));
  const link = (target: string): PackEntry => objectEntry("blob", Buffer.from(target));
  const links = ["b", "a", "../..//dir/./large", "dir", "/dir/dir", "nowhere"].map(link);
  let inner = objectEntry("tree", treeEntry("100644", "large", large.oid));
  const trees = [inner];
  for (let depth = 0; depth < 40; depth++) {
    inner = objectEntry(
      "tree",
      Buffer.concat([treeEntry("40000", "dir", inner.oid), treeEntry("100755", "large", large.oid)]),
    );
    trees.push(inner);
  }
  const root = objectEntry(
    "tree",
    Buffer.concat([
      treeEntry("120000", "a", links[0]!.oid),
      treeEntry("120000", "b", links[1]!.oid),
      treeEntry("40000", "dir", inner.oid),
      treeEntry("120000", "far", links[2]!.oid),
      treeEntry("120000", "folder", links[3]!.oid),
      treeEntry("120000", "folder2", links[4]!.oid),
      treeEntry("120000", "nowhere", links[5]!.oid),
      treeEntry("160000", "sub", "12".repeat(20)),
    ]),
  );
  const commit = commitOf(root.oid);
  return buildImage(commit.oid, [commit, root, ...trees, ...links, large]);
}

/** All of them. */
export function samples(): Sample[] {
  const images: [string, Buffer][] = FIXTURES.map((name) => [name, Buffer.from(fixture(`${name}.img`))]);
  images.push(["deep chains", deepChains()], ["large and linked", largeAndLinked()]);
  return images.map(([name, image]) => ({ name, image, parts: parseImage(image) }));
}

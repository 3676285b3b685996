/** A sound image that has some of everything, small enough to be read thousands of times. */

import { encodeSize } from "./delta-encoder.js";
import { gitOid } from "./fixtures.js";
import { buildImage, commitOf, KIND, objectEntry, type PackEntry, treeEntry } from "./pack.js";
import { seeded } from "./random.js";

/** Bytes that no compression makes shorter. */
export function noise(length: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

/** A base with a few bytes put before it, as a delta. */
function prefixed(prefix: string, base: Buffer, baseOid: string, kind: number): PackEntry {
  const data = Buffer.concat([Buffer.from(prefix), base]);
  const copies: number[] = [];
  for (let at = 0; at < base.length; at += 0xffff) {
    const length = Math.min(0xffff, base.length - at);
    copies.push(0xbf, at & 255, (at >> 8) & 255, (at >> 16) & 255, at >>> 24, length & 255, length >> 8);
  }
  const sizes = [...encodeSize(base.length), ...encodeSize(data.length)];
  const content = Buffer.from([...sizes, prefix.length, ...Buffer.from(prefix), ...copies]);
  return { kind, oid: gitOid("blob", data), content, base: baseOid };
}

function fillerName(index: number): string {
  return `f${String(index).padStart(3, "0")}`;
}

/** The image, and what a reader must find in it. */
export interface RichImage {
  image: Buffer;
  commit: string;
  /** Contents of files and targets of links by path. */
  files: Map<string, Buffer>;
}

/**
 * Makes one.
 * @param largeLen bytes of its large files: one that is stored whole, and one that is a delta
 * @param fillerCount files of 5000 bytes in `/fill`
 */
export function richImage(largeLen: number, fillerCount = 9): RichImage {
  const small = Buffer.from("a small file\n");
  const text = Buffer.from("all work and no play makes a dull file\n".repeat(120));
  const large = noise(largeLen, 7);
  const blobs = {
    small: objectEntry("blob", small),
    text: objectEntry("blob", text),
    large: objectEntry("blob", large),
    link: objectEntry("blob", Buffer.from("docs/text")),
  };
  const ofs = prefixed("ofs: ", text, blobs.text.oid, KIND.ofsDelta);
  const ref = prefixed("ref: ", text, blobs.text.oid, KIND.refDelta);
  const delta = prefixed("delta: ", large, blobs.large.oid, KIND.ofsDelta);
  const files = new Map<string, Buffer>([
    ["/docs/ofs", Buffer.concat([Buffer.from("ofs: "), text])],
    ["/docs/ref", Buffer.concat([Buffer.from("ref: "), text])],
    ["/docs/text", text],
    ["/large/delta", Buffer.concat([Buffer.from("delta: "), large])],
    ["/large/whole", large],
    ["/link", Buffer.from("docs/text")],
    ["/run", small],
  ]);
  const docs = objectEntry(
    "tree",
    Buffer.concat([
      treeEntry("100644", "ofs", ofs.oid),
      treeEntry("100644", "ref", ref.oid),
      treeEntry("100644", "text", blobs.text.oid),
    ]),
  );
  const folder = objectEntry(
    "tree",
    Buffer.concat([treeEntry("100644", "delta", delta.oid), treeEntry("100644", "whole", blobs.large.oid)]),
  );
  // Between the others, so that each object lies in sectors of its own.
  const fillers = Array.from({ length: fillerCount }, (_, index) =>
    objectEntry("blob", noise(5000, 100 + index)),
  );
  const fill = objectEntry(
    "tree",
    Buffer.concat(fillers.map(({ oid }, index) => treeEntry("100644", fillerName(index), oid))),
  );
  for (const [index, { content }] of fillers.entries()) files.set(`/fill/${fillerName(index)}`, content);
  const root = objectEntry(
    "tree",
    Buffer.concat([
      treeEntry("40000", "docs", docs.oid),
      treeEntry("40000", "fill", fill.oid),
      treeEntry("40000", "large", folder.oid),
      treeEntry("120000", "link", blobs.link.oid),
      treeEntry("100755", "run", blobs.small.oid),
    ]),
  );
  const commit = commitOf(root.oid);
  const spread = [commit, root, docs, folder, blobs.link, blobs.small, blobs.text, ofs, ref];
  const entries = spread.flatMap((entry, index) => [entry, ...fillers.slice(index, index + 1)]);
  return {
    image: buildImage(commit.oid, [...entries, ...fillers.slice(spread.length), fill, blobs.large, delta]),
    commit: commit.oid,
    files,
  };
}

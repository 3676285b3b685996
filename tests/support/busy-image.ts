/** An image for many operations at once: whatever takes memory, time and steps, within the smallest memory's reach. */
import { CraftedImage, copy, delta, insert, type Placed, treeEntry } from "./crafted-image.js";
import { gitOid } from "./fixtures.js";
import { seeded } from "./random.js";

/** Bytes of each large file: they stream where memory is small. */
export const LARGE_BYTES = 400_000;
/** Entries of the large directory, whose tree is streamed in the smallest memory. */
const ENTRIES = 16_000;
/** Files of a chain, each a delta to the one before. */
const CHAIN = 40;

/** The image, its files' contents by path, and objects by id. */
export interface BusyImage {
  bytes: Uint8Array;
  files: Map<string, Buffer>;
  oids: string[];
}

/** Text that deflate makes about four times smaller. */
function text(length: number, seed: number): Buffer {
  const random = seeded(seed);
  const letters = "aaabbbccddeeeeefgh \n";
  return Buffer.from(Uint8Array.from({ length }, () => letters.charCodeAt(random(letters.length))));
}

/** A large content behind a few bytes of its own, as a delta. */
function addBehind(image: CraftedImage, base: Placed, content: Buffer, prefix: string): Placed {
  const parts: Buffer[] = [insert(prefix)];
  for (let at = 0; at < content.length; at += 0xffff)
    parts.push(copy(at, Math.min(0xffff, content.length - at)));
  const result = Buffer.concat([Buffer.from(prefix), content]);
  return image.ofsDelta(gitOid("blob", result), base.offset, delta(content.length, result.length, ...parts));
}

function folder(files: Map<string, Buffer>, path: string, entries: [string, Placed, Buffer][]): Buffer[] {
  for (const [name, , content] of entries) files.set(`${path}/${name}`, content);
  return entries.map(([name, { oid }]) => treeEntry("100644", name, oid));
}

export function busyImage(): BusyImage {
  const image = new CraftedImage();
  const files = new Map<string, Buffer>();
  const oids: string[] = [];
  const large = Array.from({ length: 4 }, (_, index) => text(LARGE_BYTES, index + 1));
  const placed = large.map((content) => image.object("blob", content));
  const behind = placed.map((base, index) => addBehind(image, base, large[index]!, `prefix ${index}: `));
  const largeTree = image.tree(
    ...folder(files, "/large", [
      ...placed.map((at, index): [string, Placed, Buffer] => [`a${index}`, at, large[index]!]),
      ...behind.map((at, index): [string, Placed, Buffer] => [
        `b${index}`,
        at,
        Buffer.concat([Buffer.from(`prefix ${index}: `), large[index]!]),
      ]),
    ]),
  );
  let content = text(3000, 77);
  let last = image.object("blob", content);
  const chain: [string, Placed, Buffer][] = [["c00", last, content]];
  for (let index = 1; index < CHAIN; index++) {
    const line = `line ${index}\n`;
    const next = Buffer.concat([Buffer.from(line), content]);
    const body = delta(content.length, next.length, insert(line), copy(0, content.length));
    const oid = gitOid("blob", next);
    last = index % 3 === 0 ? image.refDelta(oid, last.oid, body) : image.ofsDelta(oid, last.offset, body);
    content = next;
    chain.push([`c${String(index).padStart(2, "0")}`, last, content]);
  }
  oids.push(last.oid, placed[0]!.oid, behind[1]!.oid);
  const chainTree = image.tree(...folder(files, "/deep/er/chain", chain));
  const deeper = image.tree(treeEntry("40000", "chain", chainTree.oid));
  const deep = image.tree(
    treeEntry("40000", "er", deeper.oid),
    treeEntry("120000", "up", image.object("blob", "../large/a0").oid),
  );
  const small = Array.from({ length: 8 }, (_, index) => {
    const bytes = Buffer.from(`small ${index}\n`);
    return { bytes, oid: image.object("blob", bytes).oid };
  });
  const many: Buffer[] = [];
  for (let index = 0; index < ENTRIES; index++) {
    const name = `entry-${String(index).padStart(6, "0")}-with-a-name`;
    many.push(treeEntry("100644", name, small[index % 8]!.oid));
    if (index % 800 === 0) files.set(`/many/${name}`, small[index % 8]!.bytes);
  }
  const root = image.tree(
    treeEntry("40000", "deep", deep.oid),
    treeEntry("40000", "large", largeTree.oid),
    treeEntry("40000", "many", image.tree(...many).oid),
    treeEntry("160000", "sub", "12".repeat(20)),
  );
  image.commit(root.oid);
  oids.push(root.oid, chainTree.oid);
  return { bytes: image.finish().bytes, files, oids };
}

/** Images with one flaw each, of every kind that `verify` knows. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import {
  CraftedImage,
  copy,
  delta,
  entryHeader,
  type FinishOptions,
  insert,
  KIND,
  OK_TEXT,
  type Placed,
  treeEntry,
} from "./crafted-image.js";
import { gitOid } from "./fixtures.js";

const NOWHERE = "0123456789abcdef0123456789abcdef01234567";

/** How an image is made beside its flaw. */
export interface Surroundings {
  /** Bytes of a file that is stored as it is: a PACK that is worth several threads. */
  ballast?: number;
  /** Files in the directory that has the flaw, which then is a delta of another directory. */
  files?: number;
}

/** Entries of a directory, given the ids of a file and of a directory. */
type Entries = (ok: string, dir: string) => Buffer[];

const file = (name: string, oid: string, mode = "100644"): Buffer => treeEntry(mode, name, oid);

/** Directories with one defect each, beside whatever else is in them. */
const ENTRIES: Record<string, Entries> = {
  badTree: (ok) => [file("~", ok, "10x644")],
  "badTree, cut off": (ok) => [file("~", ok).subarray(0, -1)],
  treeNotSorted: (ok) => [file("~b", ok), file("~a", ok)],
  duplicateEntries: (ok) => [file("~a", ok), file("~a", ok)],
  "duplicateEntries, a directory": (ok, dir) => [file("~a", ok), file("~a-b", ok), file("~a", dir, "40000")],
  emptyName: (ok) => [file("", ok)],
  fullPathname: (ok) => [file("~/a", ok)],
  hasDot: (ok) => [file(".", ok)],
  hasDotdot: (ok) => [file("..", ok)],
  hasDotgit: (ok) => [file(".git", ok)],
  largePathname: (ok) => [file("~".repeat(4097), ok)],
  gitmodulesSymlink: (ok) => [file(".gitmodules", ok, "120000")],
  gitmodulesBlob: (_, dir) => [file(".gitmodules", dir, "40000")],
  "a missing file": () => [file("~", NOWHERE)],
  "a missing directory": () => [file("~", NOWHERE, "40000")],
  "a file that is a directory": (_, dir) => [file("~", dir)],
  "a directory that is a file": (ok) => [file("~", ok, "40000")],
};

/** The image of a commit whose `/d` holds such entries. */
function withDirectory(entries: Entries, { ballast = 0, files = 0 }: Surroundings): CraftedImage {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const inner = image.tree(treeEntry("100644", "f", ok.oid));
  const bad = Buffer.concat(entries(ok.oid, inner.oid));
  const many = Buffer.concat(
    Array.from({ length: files }, (_, index) => file(`f${String(index).padStart(9, "0")}`, ok.oid)),
  );
  const at: Buffer[] = [];
  if (files === 0) at.push(treeEntry("40000", "d", image.object("tree", bad).oid));
  else {
    // Its base is as large: to read it again takes both.
    const base = image.object("tree", many);
    const isFirst = bad[bad.indexOf(0x20) + 1]! < 0x66;
    const content = Buffer.concat(isFirst ? [bad, many] : [many, bad]);
    const copied: Buffer[] = [];
    for (let from = 0; from < many.length; from += 0xffff)
      copied.push(copy(from, Math.min(0xffff, many.length - from)));
    const inserted: Buffer[] = [];
    for (let from = 0; from < bad.length; from += 127)
      inserted.push(insert(bad.subarray(from, from + 127).toString("latin1")));
    const instructions = isFirst ? [...inserted, ...copied] : [...copied, ...inserted];
    const made = delta(many.length, content.length, ...instructions);
    const oid = gitOid("tree", content);
    image.ofsDelta(oid, base.offset, made);
    at.push(treeEntry("40000", "c", base.oid), treeEntry("40000", "d", oid));
  }
  if (ballast > 0) {
    const bytes = createHash("shake256", { outputLength: ballast }).update("ballast").digest();
    at.unshift(treeEntry("100644", "b", image.object("blob", bytes).oid));
  }
  image.commit(image.tree(...at, treeEntry("100644", "ok", ok.oid)).oid);
  return image;
}

/** A sound image whose `/f` another function makes. */
function withFile(add: (image: CraftedImage, ok: Placed) => string): CraftedImage {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const oid = add(image, ok);
  image.commit(image.tree(treeEntry("100644", "f", oid), treeEntry("100644", "ok", ok.oid)).oid);
  return image;
}

const TEXT = Buffer.from("the content of a file\n");
const header = (size = TEXT.length): Buffer => entryHeader(KIND.blob, size);
const spoiled = (at: number): Buffer => {
  const stream = deflateSync(TEXT);
  stream[at < 0 ? stream.length + at : at]! ^= 1;
  return stream;
};

/** Objects with one defect each. */
const OBJECTS: Record<string, (image: CraftedImage, ok: Placed) => string> = {
  "another id": (image) => image.object("blob", TEXT, "1".repeat(40)).oid,
  "a wrong Adler-32": (image) => image.raw(gitOid("blob", TEXT), header(), spoiled(-1)).oid,
  "a wrong zlib header": (image) => image.raw(gitOid("blob", TEXT), header(), spoiled(0)).oid,
  "a wrong size": (image) => image.raw(gitOid("blob", TEXT), header(TEXT.length + 1), deflateSync(TEXT)).oid,
  "a byte behind the stream": (image) =>
    image.raw(gitOid("blob", TEXT), header(), deflateSync(TEXT), Buffer.alloc(1)).oid,
  "a missing base": (image) => image.refDelta("2".repeat(40), NOWHERE, delta(4, 4, insert("abcd"))).oid,
  "a delta beyond its base": (image, ok) =>
    image.ofsDelta("3".repeat(40), ok.offset, delta(OK_TEXT.length, 40, copy(0, 40))).oid,
  "a delta of another size": (image, ok) =>
    image.ofsDelta(gitOid("blob", Buffer.from("abcd")), ok.offset, delta(OK_TEXT.length, 5, insert("abcd")))
      .oid,
  "an object twice": (image) => {
    image.object("blob", TEXT);
    return image.object("blob", TEXT, "4".repeat(40)).oid;
  },
};

/** Commits with one defect each. */
const COMMITS: Record<string, (image: CraftedImage, root: Placed) => void> = {
  "no commit": (image) => image.head({ oid: NOWHERE, offset: 0 }),
  "a commit that is a tree": (image, root) => image.head(root),
  "a malformed commit": (image) => image.head(image.object("commit", "no tree\n")),
  "a commit of a missing tree": (image) => image.commit(NOWHERE),
  "a commit whose tree is a file": (image) => image.commit(gitOid("blob", Buffer.from(OK_TEXT))),
};

/** Frames with one defect each. */
const FRAMES: Record<string, FinishOptions> = {
  "a wrong CRC-32": { editIdx: (idx) => void idx.writeUInt8(idx[1032 + 4 * 20]! ^ 1, 1032 + 4 * 20) },
  "a wrong fanout": { editIdx: (idx) => void idx.writeUInt8(idx[1031]! ^ 1, 1031) },
  "a wrong copy of the PACK's checksum": {
    editIdx: (idx) => void idx.writeUInt8(idx.at(-21)! ^ 1, idx.length - 21),
  },
  "an object too few": { count: 3 },
};

/** A sound image. */
export function soundImage(surroundings: Surroundings = {}): Uint8Array {
  return withDirectory((ok) => [file("~", ok)], surroundings).finish().bytes;
}

/** Images with a defect in a directory, by its name. */
export function flawedDirectories(surroundings: Surroundings = {}): Map<string, Uint8Array> {
  return new Map(
    Object.entries(ENTRIES).map(([name, entries]) => [
      name,
      withDirectory(entries, surroundings).finish().bytes,
    ]),
  );
}

/** Images of every flaw, by its name. */
export function unsoundImages(): Map<string, Uint8Array> {
  const images = flawedDirectories();
  for (const [name, add] of Object.entries(OBJECTS)) images.set(name, withFile(add).finish().bytes);
  for (const [name, add] of Object.entries(COMMITS)) {
    const image = new CraftedImage();
    const ok = image.object("blob", OK_TEXT);
    add(image, image.tree(treeEntry("100644", "ok", ok.oid)));
    images.set(name, image.finish().bytes);
  }
  const text = (image: CraftedImage): string => image.object("blob", TEXT).oid;
  for (const [name, options] of Object.entries(FRAMES))
    images.set(name, withFile(text).finish(options).bytes);
  const { bytes, packEnd } = withFile(text).finish({ padding: 512 });
  bytes[packEnd + 20] = 1;
  images.set("something between PACK and IDX", bytes);
  const trailer = withFile(text).finish();
  trailer.bytes[trailer.packEnd - 1]! ^= 1;
  images.set("a wrong checksum of the PACK", trailer.bytes);
  return images;
}

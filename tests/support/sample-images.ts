/** Three small images that differ in all that an image can: who made it, kinds of deltas, kinds of entries, streams. */
import { deflateSync } from "node:zlib";
import { type MemoryFile, makeImage } from "../../src/make/index.js";
import { DATE } from "./checked-image.js";
import { CraftedImage, copy, delta, entryHeader, insert, KIND, treeEntry } from "./crafted-image.js";
import { noise } from "./families.js";
import { fixture, gitOid } from "./fixtures.js";
import { seeded } from "./random.js";
import { edited, randomText } from "./similar.js";

/** Names of the images. */
export const SAMPLES = ["original", "made", "crafted"] as const;
export type SampleName = (typeof SAMPLES)[number];

/** As `docteur make` makes it of a directory: deltas upon deltas, executables, symlinks, folders in folders. */
async function madeImage(): Promise<Uint8Array> {
  const random = seeded(11);
  const files: Record<string, MemoryFile> = {
    "README.md": "# A sample\n",
    "bin/run": { content: "#!/bin/sh\nexec true\n", executable: true },
    "bin/latest": { link: "run" },
    "docs/up": { link: "../README.md" },
    empty: "",
    "ü/日本/\u{1f600}.txt": "names of more than ASCII\n",
  };
  let text = randomText(random, 700);
  for (let version = 0; version < 6; version++) {
    files[`docs/${"abcdef"[version]}/notes.txt`] = text;
    text = edited(random, text, 1);
  }
  // tests/malformed/layout.test.ts turns the bits of a layout section.
  return (await makeImage(files, { date: DATE, layout: false })).image;
}

/**
 * By hand: both kinds of deltas, upon each other and in either order; a root tree and a commit that are deltas; a blob over
 * several sectors, stored; codes that are dynamic, fixed and none; a tag that nothing leads to.
 */
function craftedImage(): Uint8Array {
  const image = new CraftedImage();
  const stored = noise(5, 2900);
  const blob = image.raw(
    gitOid("blob", stored),
    entryHeader(KIND.blob, stored.length),
    deflateSync(stored, { level: 0 }),
  );
  const text = randomText(seeded(3), 900);
  const [head, tail] = [text.subarray(0, 300), text.subarray(600)];
  const second = Buffer.concat([head, Buffer.from("in the middle"), tail]);
  const third = Buffer.concat([second.subarray(0, 200), Buffer.from("!"), second.subarray(250)]);
  const fourth = Buffer.concat([Buffer.from("four"), third]);
  const oid = (content: Buffer): string => gitOid("blob", content);
  // A delta that comes before its base.
  const early = image.refDelta(
    oid(second),
    oid(text),
    delta(text.length, second.length, copy(0, 300), insert("in the middle"), copy(600, tail.length)),
  );
  const whole = image.object("blob", text);
  const upon = image.refDelta(
    oid(third),
    early.oid,
    delta(second.length, third.length, copy(0, 200), insert("!"), copy(250, second.length - 250)),
  );
  const last = image.ofsDelta(
    oid(fourth),
    upon.offset,
    delta(third.length, fourth.length, insert("four"), copy(0, third.length)),
  );
  const small = image.raw(
    oid(Buffer.from("aaaaaaa")),
    entryHeader(KIND.blob, 7),
    deflateSync("aaaaaaa", { strategy: 4 }),
  );
  const none = image.object("blob", "");
  const link = image.object("blob", "folder/second");
  const folder = image.tree(
    treeEntry("100755", "second", early.oid),
    treeEntry("100644", "third", upon.oid),
    treeEntry("100644", "whole", whole.oid),
  );
  const entries = [
    treeEntry("100644", "empty", none.oid),
    treeEntry("40000", "folder", folder.oid),
    treeEntry("100644", "fourth", last.oid),
    treeEntry("120000", "link", link.oid),
    treeEntry("160000", "module", "7".repeat(40)),
    treeEntry("100644", "small", small.oid),
    treeEntry("100644", "stored", blob.oid),
  ];
  const base = image.tree(...entries.slice(0, -1));
  const root = Buffer.concat(entries);
  const added = root.length - entries.at(-1)!.length;
  const tree = image.ofsDelta(
    gitOid("tree", root),
    base.offset,
    delta(added, root.length, copy(0, added), insert(entries.at(-1)!.toString("latin1"))),
  );
  const who = "A U Thor <author@example.org> 1717740550 +0200";
  const message = `tree ${tree.oid}\nauthor ${who}\ncommitter ${who}\n\nmessage\n`;
  const other = message.replace("message", "another message");
  const draft = image.object("commit", other);
  const at = other.length - "another message\n".length;
  image.head(
    image.ofsDelta(
      gitOid("commit", Buffer.from(message)),
      draft.offset,
      delta(other.length, message.length, copy(0, at), insert("message\n")),
    ),
  );
  image.object("tag", `object ${tree.oid}\ntype tree\ntag v1\ntagger ${who}\n\na tag\n`);
  return image.finish().bytes;
}

/** One of the images. */
export async function sampleImage(name: SampleName): Promise<Uint8Array> {
  if (name === "made") return madeImage();
  return name === "crafted" ? craftedImage() : fixture("gitmodes.img");
}

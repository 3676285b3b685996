/**
 * Fuzzes the listing of tar archives: members of every kind, shuffled and mutated, their checksums made right again. An archive is
 * refused with a typed error, or comes to a listing of which every part can be relied on, and which makes sound trees.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DocteurError } from "../../src/errors.js";
import { hashObject, type Kind } from "../../src/git/objects.js";
import { OID_LEN } from "../../src/git/oid.js";
import { MemoryTrees } from "../../src/make/memory-trees.js";
import { takeSnapshot } from "../../src/make/snapshot.js";
import { ExcludePatterns } from "../../src/make/source/exclude.js";
import type { Listing } from "../../src/make/source/listing.js";
import { listTar } from "../../src/make/source/tar.js";
import { archiveOf } from "../support/archive.js";
import { entriesOf } from "../support/listing.js";
import type { Random } from "../support/random.js";
import { fixChecksum, paxHeader, type TarMember, tarMember } from "../support/tar-writer.js";
import { mutate } from "./mutate.js";
import { inputOf, processorTime, type Target } from "./target.js";

const NAMES = [
  "a",
  "a/b",
  "a/b/c",
  "./b",
  "/c",
  "a/",
  "b/",
  "d",
  "d/e",
  "f//g",
  "h",
  "i",
  "a/.git/x",
  ".git",
];
const BAD_NAMES = ["..", ".", "git~1", "", "a/../b", "x/.GIT"];
const TYPES = [..."0000\x00555122336677LKxgVD"];
const BAD_TYPES = ["S", "M", "?"];
const KEYS = ["path", "linkpath", "size", "mtime", "GNU.sparse.major", "comment"];
const VALUES = ["a", "b/c", "", "0", "512", "17.5"];
const BAD_VALUES = ["-1", "1e9", "9007199254740991", "../x", "a\0b"];

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

const nameOf = (random: Random): string => pick(random, random(40) ? NAMES : BAD_NAMES);

function randomMember(random: Random): TarMember {
  const type = pick(random, random(40) ? TYPES : BAD_TYPES);
  if (type === "x" || type === "g") {
    const header = paxHeader({ [pick(random, KEYS)]: pick(random, random(8) ? VALUES : BAD_VALUES) }, type);
    return random(4)
      ? header
      : { ...header, content: mutate(Buffer.from(header.content as string), random, 2) };
  }
  const content =
    type === "L" || type === "K" ? `${nameOf(random)}\0` : "x".repeat(pick(random, [0, 1, 511, 512, 513]));
  const hasContent = "07\0LK".includes(type) || random(8) === 0;
  const magic = random(4) ? "ustar\x0000" : pick(random, ["", "ustar  \0"]);
  const prefix = random(4) ? "" : nameOf(random);
  return {
    name: nameOf(random),
    link: nameOf(random),
    type,
    magic,
    prefix,
    content: hasContent ? content : "",
  };
}

function randomArchive(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random(8) }, () => tarMember(randomMember(random)));
  for (const part of parts) {
    if (random(16) > 0) continue;
    const header = mutate(part.subarray(0, 512), random, 2).subarray(0, 512);
    header.copy(part);
    if (random(4)) fixChecksum(part);
  }
  const whole = Buffer.concat([...parts, Buffer.alloc(random(8) ? 1024 : random(3) * 512)]);
  return random(8) ? whole : mutate(whole, random, 3);
}

/** A listing keeps what its types promise. */
function check(listing: Listing, size: number): void {
  const { blobs } = listing;
  for (let index = 0; index < blobs.length; index++) {
    const { content, size: length } = blobs.at(index);
    if (content instanceof Uint8Array) assert.equal(content.length, length);
    else assert.ok(content.offset >= 512 && length > 0 && content.offset + length <= size);
  }
  const entries = entriesOf(listing);
  assert.equal(new Set(entries.map(({ path }) => path.replace(/\/$/, ""))).size, entries.length);
  for (const { path } of entries)
    for (const name of path.replace(/\/$/, "").split("/"))
      assert.ok(name !== "" && !name.includes("\0") && ![".", "..", ".git"].includes(name));
  const used = new Set(entries.flatMap(({ blob }) => blob ?? []));
  assert.deepEqual(
    [...used].sort((a, b) => a - b),
    Array.from({ length: blobs.length }, (_, index) => index),
  );
}

/** A case is one archive, listed with some options. */
export const tar: Target = async () => {
  return async (fuzz) => {
    const { random, keep, count } = fuzz;
    const bytes = inputOf(fuzz, randomArchive);
    keep(bytes);
    const exclude = new ExcludePatterns(random(4) ? [] : [pick(random, ["a", "/a/b", "d/*", "**/c"])]);
    const start = processorTime();
    let listing: Listing;
    try {
      listing = await listTar(archiveOf(bytes), { exclude, skipSpecial: random(4) > 0 });
    } catch (error) {
      if (!(error instanceof DocteurError) || error.code !== "BadSource") throw error;
      count("refused");
      return;
    } finally {
      assert.ok(processorTime() - start < 2000, "the listing takes its time");
    }
    check(listing, bytes.length);
    const oidOf = (kind: Kind, content: Uint8Array): Uint8Array =>
      hashObject(createHash("sha1"), kind, content);
    const oids = new Uint8Array(listing.blobs.length * OID_LEN);
    const snapshot = takeSnapshot(listing, oids, oidOf, new MemoryTrees());
    assert.equal(snapshot.places.count, 1 + snapshot.trees.length + Math.min(listing.blobs.length, 1));
    count(listing.blobs.length > 0 ? "listed" : "empty");
  };
};

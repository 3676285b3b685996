/**
 * Fuzzes the listing of zip archives: members of every kind, with headers that disagree, mutated. An archive is refused with
 * a typed error, or comes to a listing of which every part can be relied on, and which makes sound trees.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DocteurError } from "../../src/errors.js";
import { hashObject, type Kind } from "../../src/git/objects.js";
import { OID_LEN } from "../../src/git/oid.js";
import { MemoryTrees } from "../../src/make/memory-trees.js";
import { takeSnapshot } from "../../src/make/snapshot.js";
import { ExcludePatterns } from "../../src/make/source/exclude.js";
import type { Listing } from "../../src/make/source/listing.js";
import { MemberSpool } from "../../src/make/source/member-spool.js";
import { listZip } from "../../src/make/source/zip.js";
import { archiveOf } from "../support/archive.js";
import { entriesOf } from "../support/listing.js";
import type { Random } from "../support/random.js";
import { extraField, type ZipMember, zipOf } from "../support/zip-writer.js";
import { mutate } from "./mutate.js";
import { inputOf, processorTime, type Target } from "./target.js";

const NAMES = ["a", "a/b", "a/b/c", "./b", "/c", "a/", "b/", "d", "d\\e", "f//g", "h", "a/.git/x", "\u00fc"];
const BAD_NAMES = ["..", ".", "git~1", "", "a/../b", "x/.GIT", "a\0b"];
const MODES = [0o100644, 0o100644, 0o100755, 0o120777, 0o040755, 0o010644, 0o140644, 0];
const CONTENTS = ["", "x", "target", "y".repeat(5000)];

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

function randomMember(random: Random): ZipMember {
  const name = pick(random, random(40) ? NAMES : BAD_NAMES);
  const member: ZipMember = {
    name,
    content: pick(random, CONTENTS),
    mode: pick(random, MODES),
    host: pick(random, [3, 3, 3, 0, 10, 19]),
    method: pick(random, [0, 8]),
    flags: pick(random, [0, 0, 0, 8, 0x800]),
  };
  if (random(20) === 0)
    member.extra = extraField(pick(random, [1, 0x7075, 0x5455, 10]), mutate(Buffer.alloc(9, 1), random, 3));
  if (random(40) === 0) member.local = pick(random, [{ name: "z" }, { crc: 1 }, { size: 2 }, { method: 8 }]);
  if (random(40) === 0) member.offset = random(200);
  if (random(40) === 0) member.size = random(10_000);
  if (random(40) === 0) member.stored = random(200);
  return member;
}

function randomArchive(random: Random): Buffer {
  const members = Array.from({ length: random(7) }, () => randomMember(random));
  const whole = zipOf(members, random(30) ? members.length : random(9));
  return random(4) ? whole : mutate(whole, random, 3);
}

/** A listing keeps what its types promise. */
function check(listing: Listing, spooled: number): void {
  const { blobs } = listing;
  for (let index = 0; index < blobs.length; index++) {
    const { content, size } = blobs.at(index);
    if (content instanceof Uint8Array) assert.equal(content.length, size);
    else assert.ok(size > 0 && content.offset + size <= spooled);
  }
  const entries = entriesOf(listing);
  assert.equal(new Set(entries.map(({ path }) => path.replace(/\/$/, ""))).size, entries.length);
  for (const { path } of entries)
    for (const name of path.replace(/\/$/, "").split("/"))
      assert.ok(name !== "" && !name.includes("\0") && ![".", "..", ".git"].includes(name));
}

/** A case is one archive, listed with some options. */
export const zip: Target = async () => {
  const folder = await mkdtemp(join(tmpdir(), "zip-fuzz-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return async (fuzz) => {
    const { random, keep, count } = fuzz;
    const bytes = inputOf(fuzz, randomArchive);
    keep(bytes);
    const exclude = new ExcludePatterns(random(4) ? [] : [pick(random, ["a", "/a/b", "d/*", "**/c"])]);
    const spooled = join(folder, "contents");
    rmSync(spooled, { force: true });
    // Large members are read from the file.
    const path = join(folder, "archive");
    writeFileSync(path, bytes);
    const archive = { ...archiveOf(bytes), path };
    const start = processorTime();
    let listing: Listing;
    try {
      listing = await listZip(archive, new MemberSpool(spooled), {
        exclude,
        skipSpecial: random(4) > 0,
      });
    } catch (error) {
      if (!(error instanceof DocteurError) || error.code !== "BadSource") throw error;
      count("refused");
      return;
    } finally {
      assert.ok(processorTime() - start < 2000, "the listing takes its time");
    }
    const length = readFileSync(spooled).length;
    // No archive inflates beyond what its own bytes can stand for.
    assert.ok(length <= 1032 * bytes.length);
    check(listing, length);
    const oidOf = (kind: Kind, content: Uint8Array): Uint8Array =>
      hashObject(createHash("sha1"), kind, content);
    takeSnapshot(listing, new Uint8Array(listing.blobs.length * OID_LEN), oidOf, new MemoryTrees());
    count(listing.blobs.length > 0 ? "listed" : "empty");
  };
};

/** Earlier images that are sound, and unlike those that `make` writes: entries in any order, ref-deltas, long headers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildIdx } from "../../src/git/build-idx.js";
import { crc32 } from "../../src/git/crc32.js";
import { encodeBaseDistance, encodeEntryHeader, entryHeader, KIND, parseEntry } from "../../src/git/entry.js";
import { make } from "../../src/make/index.js";
import { OldPack } from "../../src/make/pack/old-pack.js";
import { verify } from "../../src/verify/index.js";
import { DATE } from "../support/checked-image.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const PACK = 28;
const OID = 20;

/** An entry of a PACK, apart from where it stands. */
interface Entry {
  number: number;
  oid: Uint8Array;
  kind: number;
  size: number;
  /** The number of its base, or -1. */
  base: number;
  stream: Uint8Array;
}

/** The index of an image, and its entries by number. */
function entriesOf(path: string): { old: OldPack; entries: Entry[] } {
  const bytes = readFileSync(path);
  const idx = Number(bytes.readBigUInt64LE(20));
  const old = new OldPack(path);
  old.load();
  const entries = Array.from({ length: old.count }, (_, number): Entry => {
    const header = entryHeader();
    const offset = old.offsetOf(number);
    assert.equal(parseEntry(header, bytes, PACK + offset, offset, idx - PACK), 0);
    const { size, start, end } = old.entry(number);
    const at = idx + 8 + 1024 + number * OID;
    return {
      number,
      oid: bytes.subarray(at, at + OID),
      kind: header.kind,
      size,
      base: old.baseOf(number),
      stream: bytes.subarray(PACK + start, PACK + end),
    };
  });
  return { old, entries };
}

/** The size's last byte says that another follows, which adds nothing. */
function longer(header: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from([...header, 0]);
  bytes[header.length - 1]! |= 0x80;
  return bytes;
}

/** An image with these entries. @param random decides which headers are longer than they need be, and which are ref-deltas */
function encodeImage(
  commit: Uint8Array,
  entries: readonly Entry[],
  random: (below: number) => number,
): Buffer {
  const parts: Uint8Array[] = [Buffer.from("PACK\0\0\0\x02"), Buffer.alloc(4)];
  (parts[1] as Buffer).writeUInt32BE(entries.length);
  const offsets = new Float64Array(entries.length);
  const offsetOf = new Map<number, number>();
  let position = 12;
  for (const [row, { number, kind, size, base, stream }] of entries.entries()) {
    const baseAt = offsetOf.get(base);
    const isDelta = base >= 0;
    const isRef = isDelta && (baseAt === undefined || random(2) === 0);
    const head = encodeEntryHeader(isRef ? KIND.refDelta : kind, size);
    const reference = !isDelta
      ? []
      : isRef
        ? entries.find((entry) => entry.number === base)!.oid
        : encodeBaseDistance(position - baseAt!);
    const bytes = Buffer.concat([random(3) === 0 ? longer(head) : head, Uint8Array.from(reference), stream]);
    offsets[row] = position;
    offsetOf.set(number, position);
    parts.push(bytes);
    position += bytes.length;
  }
  const pack = Buffer.concat(parts);
  const trailer = createHash("sha1").update(pack).digest();
  const crcs = Uint32Array.from(parts.slice(2), (bytes) => crc32(bytes));
  const oids = Buffer.concat(entries.map(({ oid }) => oid));
  const idx = buildIdx({ count: entries.length, oids, crcs, offsets }, trailer, createHash("sha1"));
  const block = (length: number): Buffer => Buffer.alloc(512 - (length % 512));
  const padded = PACK + pack.length + OID;
  const head = Buffer.alloc(PACK);
  head.set(commit);
  head.writeBigUInt64LE(BigInt(padded + block(padded).length), 20);
  return Buffer.concat([head, pack, trailer, block(padded), idx, block(idx.length)]);
}

test("entries in any order, ref-deltas and long headers: the new image has none of them", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  const random = seeded(23);
  mkdirSync(source);
  for (let family = 0; family < 6; family++) {
    const lines = Array.from({ length: 60 }, () => `${random(1e9)} ${random(1e9)}`);
    for (let member = 0; member < 8; member++) {
      lines[random(lines.length)] = `changed ${member}`;
      writeFileSync(join(source, `f${family}-${member}`), lines.join("\n"));
    }
  }
  const anew = join(work, "anew");
  const { objectCount, commit, deltaCount } = await make(source, anew, { date: DATE });
  const { old, entries } = entriesOf(anew);
  old.close();
  assert.ok(deltaCount! > 20);
  for (let round = 0; round < 8; round++) {
    // Behind their bases or anywhere: a sort by random keys.
    const order =
      round === 0
        ? entries
        : entries
            .map((entry) => ({ entry, key: random(1e9) }))
            .sort((a, b) => a.key - b.key)
            .map(({ entry }) => entry);
    const crafted = join(work, "crafted");
    writeFileSync(crafted, encodeImage(Buffer.from(commit, "hex"), order, random));
    assert.deepEqual((await verify(crafted)).findings, []);
    const image = join(work, "image");
    const made = await make(source, image, { date: DATE, from: crafted });
    assert.deepEqual([made.commit, made.reusedCount, made.deltaCount], [commit, objectCount, deltaCount]);
    assert.deepEqual((await verify(image)).findings, []);
    const result = entriesOf(image);
    for (const { number, kind, oid } of result.entries) {
      assert.ok(result.old.isPlain(number) && kind !== KIND.refDelta);
      assert.deepEqual(oid, entries[number]!.oid);
    }
    result.old.close();
    rmSync(image);
  }
});

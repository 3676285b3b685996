import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { buildIdx } from "../../src/git/build-idx.js";
import { fixture } from "../support/fixtures.js";
import { takeApart } from "../support/image.js";
import { seeded } from "../support/random.js";

const TRAILER = new Uint8Array(20).fill(7);

/** Rows of random oids, of which many share their first four bytes. */
function rows(count: number, offsetOf: (row: number) => number) {
  const random = seeded(2);
  const oids = Uint8Array.from({ length: count * 20 }, () => random(256));
  for (let row = 0; row < count; row += 2) oids.fill(row % 3, row * 20, row * 20 + 4);
  const crcs = Uint32Array.from({ length: count }, () => random(2 ** 32));
  const offsets = Float64Array.from({ length: count }, (_, row) => offsetOf(row));
  return { count, oids, crcs, offsets };
}

/** What git reads out of an index: "OFFSET OID (CRC)" lines in the order of the offsets. */
function showIndex(idx: Uint8Array): string[] {
  return execFileSync("git", ["show-index"], { input: idx, encoding: "utf8" }).trimEnd().split("\n").sort();
}

function expectedLines({ count, oids, crcs, offsets }: ReturnType<typeof rows>): string[] {
  const lines: string[] = [];
  for (let row = 0; row < count; row++) {
    const oid = Buffer.from(oids.subarray(row * 20, row * 20 + 20)).toString("hex");
    lines.push(`${offsets[row]} ${oid} (${crcs[row]!.toString(16).padStart(8, "0")})`);
  }
  return lines.sort();
}

test("git reads back what was written, however many share their first bytes", () => {
  for (const count of [1, 2, 3, 255, 1000]) {
    const entries = rows(count, (row) => 12 + row * 30);
    assert.deepEqual(
      showIndex(buildIdx(entries, TRAILER, createHash("sha1"))),
      expectedLines(entries),
      `${count} objects`,
    );
  }
});

test("offsets of 2^31 and more go to the table of 64-bit offsets", () => {
  const offsets = [12, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 2 ** 40, 2 ** 52 + 1];
  const entries = rows(offsets.length, (row) => offsets[row]!);
  const idx = buildIdx(entries, TRAILER, createHash("sha1"));
  assert.equal(idx.length, 8 + 1024 + 8 * 28 + 6 * 8 + 40);
  assert.deepEqual(showIndex(idx), expectedLines(entries));
});

test("columns may be longer than the count, and views on a larger buffer", () => {
  const entries = rows(10, (row) => 12 + row);
  const roomy = new Uint8Array(1 + 20 * 20);
  roomy.set(entries.oids, 1);
  const other = { ...entries, oids: roomy.subarray(1), crcs: Uint32Array.of(...entries.crcs, 1, 2) };
  assert.deepEqual(
    buildIdx(other, TRAILER, createHash("sha1")),
    buildIdx(entries, TRAILER, createHash("sha1")),
  );
});

test("an index without objects", () => {
  const idx = buildIdx(
    rows(0, () => 0),
    TRAILER,
    createHash("sha1"),
  );
  assert.equal(idx.length, 8 + 1024 + 40);
  assert.ok(idx.subarray(8, 8 + 1024).every((byte) => byte === 0));
});

test("the same object twice is refused", () => {
  const entries = rows(5, (row) => row);
  entries.oids.copyWithin(80, 20, 40);
  assert.throws(() => buildIdx(entries, TRAILER, createHash("sha1")), /twice/);
});

test("docteur's own index of an image, byte for byte, from shuffled rows", () => {
  const { idx } = takeApart(Buffer.from(fixture("delta.img")));
  const count = idx.readUInt32BE(8 + 255 * 4);
  const order = Array.from({ length: count }, (_, rank) => rank).sort(
    (a, b) => ((a * 7919) % 311) - ((b * 7919) % 311),
  );
  const entries = {
    count,
    oids: Buffer.concat(order.map((rank) => idx.subarray(1032 + rank * 20, 1052 + rank * 20))),
    crcs: Uint32Array.from(order, (rank) => idx.readUInt32BE(1032 + count * 20 + rank * 4)),
    offsets: Float64Array.from(order, (rank) => idx.readUInt32BE(1032 + count * 24 + rank * 4)),
  };
  assert.deepEqual(Buffer.from(buildIdx(entries, idx.subarray(-40, -20), createHash("sha1"))), idx);
});

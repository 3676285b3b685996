/** The tables that stand for a million objects: ids and paths. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Content } from "../../src/make/content.js";
import { OidSet } from "../../src/make/oid-set.js";
import { Places } from "../../src/make/pack/places.js";
import { SourceBlobs } from "../../src/make/source/blobs.js";
import { seeded } from "../support/random.js";

const SEED = 90210;

test("a set of ids knows each once, whatever their first bytes", () => {
  const random = seeded(SEED);
  const count = 3000;
  const oids = new Uint8Array(count * 20);
  for (let index = 0; index < count; index++) {
    const oid = oids.subarray(index * 20, index * 20 + 20);
    for (let at = 0; at < 20; at++) oid[at] = random(256);
    // Many share the place where the search begins, some all but one byte, some all.
    if (random(2) === 0) oid.fill(7, 0, 4);
    const before = random(index + 1);
    if (random(3) === 0) oid.set(oids.subarray(before * 20, before * 20 + 20));
    if (random(6) === 0) oid[4 + random(16)]! ^= 1;
  }
  // Ids that do not begin their buffer.
  const buffer = new Uint8Array(oids.length + 3);
  buffer.set(oids, 3);
  const set = new OidSet(buffer.subarray(3));
  const known = new Set<string>();
  for (let index = 0; index < count; index++) {
    const key = Buffer.from(oids.subarray(index * 20, index * 20 + 20)).toString("hex");
    assert.equal(set.add(index), !known.has(key), `${index}`);
    known.add(key);
  }
  assert.ok(known.size < count);
});

/** What two byte strings are to each other. */
const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

test("places compare paths byte by byte, on every page", () => {
  const random = seeded(SEED);
  const paths = ["", "a", "a/b", "a.b", "\xff", "\x7f", "x".repeat(3 << 20), `${"x".repeat(3 << 20)}y`, ""];
  while (paths.length < 1200) {
    const start = paths[random(9)]!.slice(0, 2000);
    paths.push(start + String.fromCharCode(random(256), random(256)).repeat(random(1500)));
  }
  const places = new Places();
  for (const [index, path] of paths.entries()) places.add(7 * index, path);
  assert.equal(places.count, paths.length);
  assert.deepEqual(
    [...places.numbers],
    paths.map((_, index) => 7 * index),
  );
  for (let pair = 0; pair < 20_000; pair++) {
    const left = random(paths.length);
    const right = pair < paths.length ? pair : random(paths.length);
    assert.equal(
      Math.sign(places.comparePaths(left, right)),
      order(paths[left]!, paths[right]!),
      `${left} ${right}`,
    );
  }
});

test("the value of a name is that of its last 32 characters, blanks apart", () => {
  const places = new Places();
  const tail = "source/of/some/thing/named/it.ts";
  for (const path of [tail, `other/${tail}`, tail.replace("it", "i t"), tail.replace("it", "at"), ""])
    places.add(0, path);
  const values = [0, 1, 2, 3, 4].map((row) => places.nameValue(row));
  assert.equal(tail.length, 32);
  assert.equal(values[0], values[1]);
  assert.equal(values[0], values[2]);
  assert.notEqual(values[0], values[3]);
  assert.equal(values[4], 0);
  // Each character, above a quarter of what the ones before it came to.
  places.add(0, "ts");
  assert.equal(places.nameValue(5), ((0x74 << 22) + 0x73 * 0x1000000) >>> 0);
});

test("what there is to read comes back as it was given", () => {
  const random = seeded(SEED);
  const blobs = new SourceBlobs();
  const given: { size: number; content: Content }[] = [];
  const paths = ["/archive.tar", "/a/\xff\x00b", "/c"];
  for (let index = 0; index < 1500; index++) {
    const size = random(4);
    const content =
      random(3) === 0
        ? new Uint8Array(size).fill(index)
        : {
            path: paths[random(paths.length)]!,
            offset: random(2) * 2 ** 40 + random(1000),
            isWhole: random(2) === 0,
            followsLinks: random(2) === 0,
          };
    given.push({ size, content });
    assert.equal(blobs.add(size, content), index);
  }
  assert.equal(blobs.length, given.length);
  for (const [index, expected] of given.entries()) {
    assert.deepEqual(blobs.at(index), expected, `${index}`);
    assert.equal(blobs.sizeOf(index), expected.size);
  }
});

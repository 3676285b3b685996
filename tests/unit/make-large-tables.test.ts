/** The tables that stand for a million objects: ids and paths. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Content, STAMP_LEN } from "../../src/make/base/content.js";
import { GrowingOidSet, OidSet } from "../../src/make/base/oid-set.js";
import { nameValue } from "../../src/make/pack/candidates.js";
import { Places } from "../../src/make/pack/pack-order.js";
import { SourceBlobs, TOP } from "../../src/make/source/blobs.js";
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
  const growing = new GrowingOidSet();
  known.clear();
  for (let index = 0; index < count; index++) {
    const oid = oids.subarray(index * 20, index * 20 + 20);
    const key = Buffer.from(oid).toString("hex");
    assert.equal(growing.add(oid), !known.has(key), `${index}, one by one`);
    known.add(key);
  }
});

test("the value of a name is that of its last 32 characters, blanks apart", () => {
  const tail = "source/of/some/thing/named/it.ts";
  assert.equal(tail.length, 32);
  const value = nameValue(tail);
  assert.equal(nameValue(`other/${tail}`), value);
  assert.equal(nameValue(tail.replace("it", "i t")), value);
  assert.notEqual(nameValue(tail.replace("it", "at")), value);
  assert.equal(nameValue(""), 0);
  // Each character, above a quarter of what the ones before it came to.
  assert.equal(nameValue("ts"), ((0x74 << 22) + 0x73 * 0x1000000) >>> 0);
});

test("places keep numbers in order, and names by number", () => {
  const places = new Places();
  const count = 1000;
  for (let row = 0; row < count; row++) places.add(3 * (count - 1 - row), `dir/${row}`);
  assert.equal(places.count, count);
  assert.deepEqual(
    [...places.numbers],
    Array.from({ length: count }, (_, row) => 3 * (count - 1 - row)),
  );
  const names = places.names(3 * count);
  for (let row = 0; row < count; row++) assert.equal(names[3 * (count - 1 - row)], nameValue(`dir/${row}`));
});

/** Contents of all sorts, and what they should come back as. */
function createBlobs(random: (limit: number) => number): {
  blobs: SourceBlobs;
  given: { size: number; content: Content }[];
} {
  const blobs = new SourceBlobs("/top/\xff");
  const given: { size: number; content: Content }[] = [];
  const folders = [{ number: TOP, path: "/top/\xff" }];
  const archives = ["/archive.tar", "/a/\xff\x00b", "/c"];
  for (let index = 0; index < 1500; index++) {
    const size = random(4);
    const kind = random(3);
    let content: Content;
    if (kind === 0) {
      content = new Uint8Array(size).fill(index);
      assert.equal(blobs.add(content), index);
    } else if (kind === 1) {
      content = { path: archives[random(archives.length)]!, offset: random(2) * 2 ** 40 + random(1000) };
      assert.equal(blobs.addRange(size, content.path, content.offset), index);
    } else {
      const parent = folders[random(folders.length)]!;
      if (random(3) === 0)
        folders.push({
          number: blobs.addFolder(parent.number, `d${index}`),
          path: `${parent.path}/d${index}`,
        });
      const ids = { dev: BigInt(random(9)), ino: 1n << BigInt(random(62)) };
      const times = { mtimeNs: -BigInt(random(1000)), ctimeNs: BigInt(index) << 40n };
      const stamp = { ...ids, ...times, followsLinks: random(2) === 0 };
      content = { path: `${parent.path}/f${index}`, offset: 0, stamp };
      assert.equal(blobs.addFile(size, parent.number, `f${index}`, stamp), index);
    }
    given.push({ size, content });
  }
  return { blobs, given };
}

function assertGiven(blobs: SourceBlobs, given: readonly { size: number; content: Content }[]): void {
  assert.equal(blobs.length, given.length);
  for (const [index, expected] of given.entries()) {
    assert.deepEqual(blobs.at(index), expected, `${index}`);
    assert.equal(blobs.sizeOf(index), expected.size);
    const { stamps } = blobs;
    const { content } = expected;
    const row = blobs.stampRowOf(index);
    assert.equal(row >= 0, "stamp" in content, `${index}`);
    if ("stamp" in content) assert.equal(stamps[row * STAMP_LEN + 3], content.stamp!.ctimeNs);
  }
}

test("what there is to read comes back as it was given", () => {
  const { blobs, given } = createBlobs(seeded(SEED));
  assertGiven(blobs, given);
});

test("what there is to read comes back after the rest was forgotten, again and again", () => {
  const random = seeded(SEED);
  const { blobs, given } = createBlobs(random);
  let left = given;
  for (let turn = 0; turn < 4; turn++) {
    const indexes = Uint32Array.from(left.keys()).filter(() => random(3) > 0);
    left = [...indexes].map((index) => left[index]!);
    blobs.keep(indexes);
    assertGiven(blobs, left);
  }
  assert.ok(left.length > 100 && left.length < given.length / 2);
  blobs.keep(new Uint32Array(0));
  assertGiven(blobs, []);
});

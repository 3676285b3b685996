/** The packer's table of its objects takes memory for what is different in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Forgetting } from "../../src/make/base/content.js";
import { Surveyed } from "../../src/make/pack/object-table.js";
import { FEATURE_COUNT } from "../../src/make/pack/plan.js";

/** Objects of the contents with these numbers, surveyed in parts. */
function survey(contents: readonly number[], part: number): { table: Surveyed; objects: Forgetting } {
  const table = new Surveyed(1);
  let left = contents;
  const objects: Forgetting = {
    get length() {
      return left.length;
    },
    sizeOf: (index) => left[index]!,
    at: (index) => ({ size: left[index]!, content: new Uint8Array(0) }),
    keep: (indexes) => {
      left = Array.from(indexes, (index) => left[index]!);
    },
  };
  table.add("blob", objects);
  for (let start = 0; start < contents.length; start += part) {
    const some = contents.slice(start, start + part);
    const oids = new Uint8Array(some.length * 20);
    const view = new DataView(oids.buffer);
    for (const [at, content] of some.entries()) view.setUint32(at * 20, content);
    table.fill({
      oids,
      wholeCosts: Uint32Array.from(some),
      features: Uint32Array.from(some.flatMap((content) => new Array<number>(FEATURE_COUNT).fill(content))),
      pieceHashes: new Map(),
      segments: new Map(),
    });
  }
  table.settle();
  return { table, objects };
}

test("equal contents have one row of features, whatever part they come in", () => {
  const contents = Array.from({ length: 50_000 }, (_, at) => (at * 7) % 100);
  for (const part of [1, 64, 512]) {
    const { table } = survey(contents, part);
    assert.ok(table.features.length <= 4096 * FEATURE_COUNT);
    for (const [number, content] of contents.entries()) {
      assert.equal(table.features[table.featureRows[number]! * FEATURE_COUNT + 3], content);
      assert.equal(table.wholeCostOf(number), content);
    }
  }
});

test("the table of features grows with the contents", () => {
  const { table } = survey(
    Array.from({ length: 20_000 }, (_, at) => at),
    512,
  );
  for (const number of [0, 4095, 4096, 19_999])
    assert.equal(table.features[table.featureRows[number]! * FEATURE_COUNT], number);
});

test("a table forgets objects, and takes others after those that are left", () => {
  const contents = Array.from({ length: 3000 }, (_, at) => 1000 + ((at * 7) % 100));
  const { table, objects } = survey(contents, 64);
  const numbers = Uint32Array.from(contents.keys()).filter((number) => number % 3 === 1);
  table.setEntries(
    0,
    Int32Array.from(contents, (content) => content - 1),
  );
  table.keep(objects, numbers);
  assert.equal(table.count, numbers.length);
  assert.equal(objects.length, numbers.length);
  const more = [7, 8, 9];
  table.add("tree", {
    length: more.length,
    sizeOf: (index) => more[index]!,
    at: (index) => ({ size: more[index]!, content: new Uint8Array(0) }),
  });
  for (const [number, before] of numbers.entries()) {
    const content = contents[before]!;
    assert.equal(new DataView(table.oids(number, number + 1).slice().buffer).getUint32(0), content);
    assert.equal(table.sizeOf(number), content);
    assert.equal(table.jobObject(number).size, content);
    assert.equal(table.wholeCostOf(number), content);
    assert.equal(table.features[table.featureRows[number]! * FEATURE_COUNT], content);
    assert.equal(table.entries[number], content - 1);
    assert.equal(table.kindOf(number), "blob");
  }
  assert.equal(table.kindOf(numbers.length), "tree");
  assert.equal(table.sizeOf(numbers.length + 2), 9);
});

/** The packer's table of its objects takes memory for what is different in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Unreads } from "../../src/make/base/content.js";
import { Surveyed } from "../../src/make/pack/object-table.js";
import { FEATURE_COUNT } from "../../src/make/pack/plan.js";

/** Objects of the contents with these numbers, surveyed in parts. */
function survey(contents: readonly number[], part: number): Surveyed {
  const table = new Surveyed(1);
  const objects: Unreads = {
    length: contents.length,
    sizeOf: (index) => contents[index]!,
    at: () => assert.fail("nothing is read"),
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
    });
  }
  table.settle();
  return table;
}

test("equal contents have one row of features, whatever part they come in", () => {
  const contents = Array.from({ length: 50_000 }, (_, at) => (at * 7) % 100);
  for (const part of [1, 64, 512]) {
    const table = survey(contents, part);
    assert.ok(table.features.length <= 4096 * FEATURE_COUNT);
    for (const [number, content] of contents.entries()) {
      assert.equal(table.features[table.featureRows[number]! * FEATURE_COUNT + 3], content);
      assert.equal(table.wholeCostOf(number), content);
    }
  }
});

test("the table of features grows with the contents", () => {
  const table = survey(
    Array.from({ length: 20_000 }, (_, at) => at),
    512,
  );
  for (const number of [0, 4095, 4096, 19_999])
    assert.equal(table.features[table.featureRows[number]! * FEATURE_COUNT], number);
});

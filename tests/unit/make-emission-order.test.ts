/** The order in which objects are written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_BASE } from "../../src/make/pack/bases.js";
import { emissionOrder } from "../../src/make/pack/emission-order.js";
import { seeded } from "../support/random.js";

const orderOf = (numbers: number[], bases: number[] | undefined, hot?: number[]): number[] => [
  ...emissionOrder(Uint32Array.from(numbers), bases && Int32Array.from(bases), hot),
];

test("a family lies together, in the order of paths", () => {
  // 3 is the base of 0 and 5, and 0 that of 4; 1 and 2 are whole.
  assert.deepEqual(orderOf([2, 0, 1, 3, 4, 5], [3, -1, -1, -1, 0, 3]), [2, 3, 0, 4, 5, 1]);
});

test("without deltas, objects stay in their order, but for those that are named", () => {
  assert.deepEqual(orderOf([2, 0, 1], undefined), [2, 0, 1]);
  assert.deepEqual(orderOf([2, 0, 1], undefined, [1]), [1, 2, 0]);
});

test("named objects come first with their bases; the rest of their families stays together", () => {
  // A chain 3, 0, 4; another delta of 3, and a delta of 4.
  const bases = [3, -1, -1, -1, 0, 3, 4];
  assert.deepEqual(orderOf([2, 0, 1, 3, 4, 5, 6], bases, [1, 4, 1]), [1, 3, 0, 4, 2, 5, 6]);
  assert.deepEqual(orderOf([2, 5, 0, 1, 3, 4, 6], bases, [0]), [3, 0, 2, 5, 1, 4, 6]);
});

test("random forests: each object once, bases first, chains without strangers", () => {
  const random = seeded(17);
  for (let turn = 0; turn < 200; turn++) {
    const count = 1 + random(40);
    // A base has a lower label; numbers are the labels, shuffled.
    const numberOf = Array.from({ length: count }, (_, label) => label);
    for (let at = count - 1; at > 0; at--) {
      const other = random(at + 1);
      [numberOf[at], numberOf[other]] = [numberOf[other]!, numberOf[at]!];
    }
    const bases = new Array<number>(count).fill(NO_BASE);
    for (let label = 1; label < count; label++)
      if (random(3) > 0) bases[numberOf[label]!] = numberOf[random(label)]!;
    const rootOf = (number: number): number => (bases[number]! < 0 ? number : rootOf(bases[number]!));
    const numbers = Array.from({ length: count }, (_, at) => at);
    const hot = Array.from({ length: random(4) }, () => random(count));
    const order = orderOf(numbers, bases, hot);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      numbers,
    );
    const places = new Map(order.map((number, place) => [number, place]));
    for (const number of numbers)
      if (bases[number]! >= 0) assert.ok(places.get(bases[number]!)! < places.get(number)!);
    if (hot.length > 0) continue;
    const families = order.map(rootOf);
    const changes = families.filter((family, place) => family !== families[place - 1]).length;
    assert.equal(changes, new Set(families).size, "a family is in two places");
  }
});

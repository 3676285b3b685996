/** Plans of deltas: candidates, and the choice among them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as bases from "../../src/make/pack/bases.js";
import { candidatePairs, nameValue } from "../../src/make/pack/candidates.js";
import { FEATURE_COUNT, type Likeness, type PlanObjects } from "../../src/make/pack/plan.js";
import { type Random, seeded } from "../support/random.js";

const SEED = 5077;

/** An object to plan for. */
interface Item {
  kind?: number;
  size: number;
  path: string;
  features: number[];
}

type Objects = PlanObjects & Likeness;

/** Objects in the order of their paths. */
function objectsOf(items: readonly Item[]): Objects {
  const ids = Uint32Array.from(items.keys());
  return {
    order: ids.sort((left, right) => (items[left]!.path < items[right]!.path ? -1 : 1)),
    kinds: Uint8Array.from(items, ({ kind = 3 }) => kind),
    sizes: Float64Array.from(items, ({ size }) => size),
    wholeCosts: Uint32Array.from(items, ({ size }) => Math.ceil(size / 3)),
    names: Uint32Array.from(items, ({ path }) => nameValue(path)),
    featureRows: Uint32Array.from(items.keys()),
    features: Uint32Array.from(items.flatMap(({ features }) => features)),
  };
}

/** Pairs, by column. */
interface Pairs {
  bases: Uint32Array;
  targets: Uint32Array;
}

interface MeasuredPairs extends Pairs {
  costs: Uint32Array;
}

function columns(ids: Uint32Array): Pairs {
  return { bases: ids.filter((_, at) => at % 2 === 0), targets: ids.filter((_, at) => at % 2 === 1) };
}

function pairsOf(objects: Objects, chosen?: Int32Array): Pairs {
  return columns(candidatePairs(objects, objects, chosen).ids);
}

function joined({ bases, targets, costs }: MeasuredPairs): { ids: Uint32Array; costs: Uint32Array } {
  const ids = new Uint32Array(2 * costs.length);
  for (let pair = 0; pair < costs.length; pair++) ids.set([bases[pair]!, targets[pair]!], 2 * pair);
  return { ids, costs };
}

function chooseBases(objects: Objects, rounds: readonly MeasuredPairs[], depth: number): Int32Array {
  return bases.chooseBases(objects, rounds.map(joined), depth);
}

function worthwhile(objects: Objects, pairs: MeasuredPairs): MeasuredPairs {
  const { ids, costs } = bases.worthwhile(objects, joined(pairs));
  return { ...columns(ids), costs };
}

function randomFeatures(random: Random): number[] {
  return Array.from({ length: FEATURE_COUNT }, () => random(0x1_0000_0000));
}

/** Families of objects that share most of their features, members far apart by name and place. */
function families(random: Random, familyCount: number, members: number): Item[] {
  const items: Item[] = [];
  for (let family = 0; family < familyCount; family++) {
    const features = randomFeatures(random);
    const size = 200 + random(20_000);
    for (let member = 0; member < members; member++)
      items.push({
        size: size + random(100),
        path: `${random(1_000_000)}/${random(1000)}/${family}-${member}.${random(50)}`,
        features: features.map((feature) => (random(8) === 0 ? random(0x1_0000_0000) : feature)),
      });
  }
  return items;
}

/** Costs that follow from what two objects are, not from where they stand: a tenth of the target for each feature that differs. */
function measure(objects: Objects, pairs: Pairs): MeasuredPairs {
  const costs = Uint32Array.from(pairs.bases, (base, pair) => {
    const target = pairs.targets[pair]!;
    let differ = 0;
    for (let at = 0; at < FEATURE_COUNT; at++)
      if (objects.features[base * FEATURE_COUNT + at] !== objects.features[target * FEATURE_COUNT + at])
        differ++;
    const grown = Math.max(0, objects.sizes[target]! - objects.sizes[base]!);
    return differ > 9 ? 0xffffffff : 10 + Math.floor((objects.wholeCosts[target]! * differ) / 10 + grown);
  });
  return { ...pairs, costs };
}

function plan(objects: Objects, depth: number): { chosen: Int32Array; rounds: MeasuredPairs[] } {
  const first = measure(objects, pairsOf(objects));
  const chosen = chooseBases(objects, [first], depth);
  const second = measure(objects, pairsOf(objects, chosen));
  return { chosen: chooseBases(objects, [first, second], depth), rounds: [first, second] };
}

function costOf(objects: Objects, chosen: Int32Array, rounds: readonly MeasuredPairs[]): number {
  const costs = Float64Array.from(objects.wholeCosts, (cost, id) => (chosen[id]! < 0 ? cost : Number.NaN));
  for (const { bases, targets, costs: measured } of rounds)
    for (let pair = 0; pair < bases.length; pair++)
      if (chosen[targets[pair]!] === bases[pair]) costs[targets[pair]!] = measured[pair]! + 3;
  return costs.reduce((sum, cost) => sum + cost, 0);
}

/** The levels of all objects; fails where a chain does not end. */
function levels(chosen: Int32Array): number[] {
  return Array.from(chosen, (_, id) => {
    let level = 0;
    for (let up = chosen[id]!; up >= 0; up = chosen[up]!) assert.ok(++level <= chosen.length, "a cycle");
    return level;
  });
}

test("no cycles, and no chain longer than it may be", () => {
  const random = seeded(SEED);
  const objects = objectsOf(families(random, 40, 25));
  let last = Number.POSITIVE_INFINITY;
  for (const depth of [0, 1, 2, 5, 50, 4095]) {
    const { chosen, rounds } = plan(objects, depth);
    assert.ok(Math.max(...levels(chosen)) <= depth, `depth ${depth}`);
    const cost = costOf(objects, chosen, rounds);
    assert.ok(Number.isFinite(cost), "every choice was measured");
    assert.ok(
      cost <= last * 1.02,
      `longer chains make no larger packs: ${cost} after ${last}, depth ${depth}`,
    );
    last = cost;
    if (depth === 0) assert.ok(chosen.every((base) => base === -1));
  }
  assert.ok(last < objects.wholeCosts.reduce((sum, cost) => sum + cost, 0) / 3);
});

test("random costs, cheap both ways round: no cycles, bounded chains, nothing that costs more than whole", () => {
  const random = seeded(SEED);
  for (let round = 0; round < 60; round++) {
    const count = 2 + random(40);
    const items = Array.from({ length: count }, (_, id) => ({
      size: 300,
      path: `${id}`,
      features: randomFeatures(random),
    }));
    const objects = objectsOf(items);
    const bases: number[] = [];
    const targets: number[] = [];
    for (let pair = random(count * 6); pair > 0; pair--) {
      const base = random(count);
      const target = random(count);
      if (base === target) continue;
      bases.push(base);
      targets.push(target);
    }
    const costs = Uint32Array.from(bases, () => (random(5) ? random(130) : 0xffffffff));
    const pairs = { bases: Uint32Array.from(bases), targets: Uint32Array.from(targets), costs };
    const depth = random(8);
    const chosen = chooseBases(objects, [pairs], depth);
    assert.ok(Math.max(...levels(chosen)) <= depth);
    chosen.forEach((base, target) => {
      if (base < 0) return;
      const measured = bases.flatMap((from, pair) =>
        from === base && targets[pair] === target ? [costs[pair]!] : [],
      );
      assert.ok(
        measured.some((cost) => cost + 3 < 100),
        "it was measured, and saves something",
      );
    });
  }
});

test("the base may be larger or smaller, and the cheaper direction is taken", () => {
  const features = randomFeatures(seeded(SEED));
  const objects = objectsOf([
    { size: 900, path: "a", features },
    { size: 3000, path: "b", features },
  ]);
  const pairs = pairsOf(objects);
  assert.deepEqual([...pairs.bases].sort(), [0, 1]);
  const costs = (intoSmall: number, intoLarge: number): MeasuredPairs => ({
    ...pairs,
    costs: Uint32Array.from(pairs.targets, (target) => (target === 0 ? intoSmall : intoLarge)),
  });
  assert.deepEqual([...chooseBases(objects, [costs(10, 900)], 50)], [1, -1]);
  assert.deepEqual([...chooseBases(objects, [costs(290, 20)], 50)], [-1, 0]);
});

test("the order of the input plays no part", () => {
  const random = seeded(SEED);
  const items = families(random, 30, 12);
  const planned = (order: number[]): string[] => {
    const objects = objectsOf(order.map((id) => items[id]!));
    const { chosen } = plan(objects, 10);
    return Array.from(
      chosen,
      (base, at) => `${items[order[at]!]!.path} <- ${base < 0 ? "" : items[order[base]!]!.path}`,
    ).sort();
  };
  const order = items.map((_, id) => id);
  const expected = planned(order);
  for (let round = 0; round < 3; round++) {
    for (let at = order.length - 1; at > 0; at--) {
      const other = random(at + 1);
      [order[at], order[other]] = [order[other]!, order[at]!];
    }
    assert.deepEqual(planned(order), expected);
  }
});

test("duplicates far apart find each other, of one kind only; what is too small or too large has no part", () => {
  const random = seeded(SEED);
  const items: Item[] = Array.from({ length: 5000 }, (_, id) => ({
    size: 100 + random(50_000),
    path: `${String(id).padStart(4, "0")}/${random(1_000_000)}`,
    features: randomFeatures(random),
  }));
  const like = (id: number, size: number, path: string, kind = 3): number =>
    items.push({ kind, size, path, features: items[id]!.features }) - 1;
  const near = like(17, items[17]!.size + 5, "~/elsewhere/entirely.txt");
  const tree = like(17, items[17]!.size, "~/a/tree", 2);
  const tiny = like(18, 49, "~/tiny");
  const huge = like(18, 64 * 1024 * 1024 + 1, "~/huge");
  const { bases, targets } = pairsOf(objectsOf(items));
  const has = (base: number, target: number): boolean =>
    bases.some((id, pair) => id === base && targets[pair] === target);
  assert.ok(has(17, near) && has(near, 17));
  for (const alone of [tree, tiny, huge]) assert.ok(!bases.includes(alone) && !targets.includes(alone));
});

test("files of one name are paired though their contents share no feature", () => {
  const random = seeded(SEED);
  const items: Item[] = ["a/x/config.json", "b/y/config.json", "b/y/readme.md"].map((path) => ({
    size: 500,
    path,
    features: randomFeatures(random),
  }));
  const { bases, targets } = pairsOf(objectsOf(items));
  const pairs = Array.from(bases, (base, pair) => `${base} ${targets[pair]}`);
  assert.ok(pairs.includes("0 1") && pairs.includes("1 0"));
});

test("a family without a base finds one in the second round, though its members hide all others in the first", () => {
  const random = seeded(SEED);
  const common = randomFeatures(random);
  const family = (name: string): Item[] => {
    const own = common.map((feature, at) => (at % 2 ? feature : random(0x1_0000_0000)));
    return Array.from({ length: 20 }, (_, id) => ({
      size: 4000,
      path: `${name}/${id}/${name}`,
      features: own,
    }));
  };
  const objects = objectsOf([...family("p"), ...family("q")]);
  const { chosen, rounds } = plan(objects, 50);
  const crosses = ({ bases, targets }: MeasuredPairs): boolean =>
    bases.some((base, pair) => base < 20 !== targets[pair]! < 20);
  assert.ok(crosses(rounds[1]!));
  assert.equal(chosen.filter((base) => base < 0).length, 1);
});

test("pairs come once each, those of a base together", () => {
  const objects = objectsOf(families(seeded(SEED), 60, 10));
  const { bases, targets } = pairsOf(objects);
  const seen = new Set<number>();
  const done = new Set<number>();
  bases.forEach((base, pair) => {
    assert.notEqual(base, targets[pair]);
    seen.add(base * objects.order.length + targets[pair]!);
    if (pair > 0 && bases[pair - 1] !== base) done.add(bases[pair - 1]!);
    assert.ok(!done.has(base), "a base comes back");
  });
  assert.equal(seen.size, bases.length);
});

test("200,000 objects are planned in seconds", () => {
  const random = seeded(SEED);
  const objects = objectsOf(families(random, 12_500, 16));
  const start = process.cpuUsage();
  const { chosen, rounds } = plan(objects, 50);
  const { user, system } = process.cpuUsage(start);
  assert.ok((user + system) / 1e6 < 20, `${(user + system) / 1e6} s`);
  assert.ok(rounds.reduce((sum, { bases }) => sum + bases.length, 0) < 8 * objects.order.length);
  assert.ok(chosen.filter((base) => base >= 0).length > 0.85 * objects.order.length);
});

test("pairs that save nothing have no part in the choice", () => {
  const random = seeded(SEED);
  const objects = objectsOf(families(random, 40, 8));
  const pairs = measure(objects, pairsOf(objects));
  const expected = chooseBases(objects, [pairs], 20);
  const count = pairs.costs.length;
  const left = worthwhile(objects, { ...pairs });
  assert.ok(left.costs.length > 0 && left.costs.length < count, `${left.costs.length} of ${count}`);
  assert.equal(left.bases.length, left.costs.length);
  assert.equal(left.targets.length, left.costs.length);
  assert.deepEqual(chooseBases(objects, [left], 20), expected);
});

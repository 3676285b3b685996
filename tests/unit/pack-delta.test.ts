/** The delta encoder: deltas that make their targets, small ones, in bounded time. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { encodeSize } from "../support/delta-encoder.js";
import { gitOid } from "../support/fixtures.js";
import { git } from "../support/git.js";
import { buildPack, KIND, objectEntry, type PackEntry } from "../support/pack.js";
import { PackProbe, packProbes } from "../support/pack-delta.js";
import { seeded } from "../support/random.js";
import { edited, randomBytes, randomText } from "../support/similar.js";
import { temporaryFolder } from "../support/temporary.js";
import { probeVariants } from "../support/wasm.js";

const SEED = 20241123;

/** A sequence in which each word of `length` out of `letters` letters comes once (de Bruijn; Lyndon words, Fredricksen and Maiorana). */
function deBruijn(letters: number, length: number): Buffer {
  const word = new Array<number>(length + 1).fill(0);
  const sequence: number[] = [];
  const extend = (at: number, period: number): void => {
    if (at > length) {
      if (length % period === 0) sequence.push(...word.slice(1, period + 1));
      return;
    }
    word[at] = word[at - period]!;
    extend(at + 1, period);
    for (let letter = word[at - period]! + 1; letter < letters; letter++) {
      word[at] = letter;
      extend(at + 1, at);
    }
  };
  extend(1, 1);
  return Buffer.from(sequence);
}

function header(base: Buffer, target: Buffer): number[] {
  return [...encodeSize(base.length), ...encodeSize(target.length)];
}

test("a delta depends on nothing that was encoded before", () => {
  const random = seeded(SEED);
  const like = randomBytes(random, 40);
  // All words of what the base and the target share come once before, where a copy of them would cost more than it saves.
  const decoys = Array.from({ length: like.length - 7 }, (_, at) =>
    Buffer.concat([like.subarray(at, at + 8), randomBytes(random, 4)]),
  );
  const base = Buffer.concat([randomBytes(random, 300), ...decoys, like]);
  const target = Buffer.concat([like, randomBytes(random, 40_000)]);
  const room = target.length * 2;
  // Its last copy ends behind all that comes later.
  const large = randomBytes(random, 1 << 20);
  for (const [at, used] of packProbes().entries()) {
    used.encode(large, large);
    const delta = used.encode(base, target)!;
    assert.ok(delta.equals(packProbes()[at]!.encode(base, target)!), used.label);
    used.encode(large, large);
    assert.equal(used.measure(base, target, room), packProbes()[at]!.measure(base, target, room), used.label);
  }
});

for (const probe of packProbes()) {
  test(`${probe.label}: the smallest deltas, byte by byte`, () => {
    const base = Buffer.from("The quick brown fox jumps over the lazy dog, and sleeps.");
    const cases: [Buffer, number[]][] = [
      [Buffer.from("short"), [5, ...Buffer.from("short")]],
      [base, [0x90, base.length]],
      [base.subarray(4), [0x91, 4, base.length - 4]],
      [Buffer.concat([base, Buffer.from("!?")]), [0x90, base.length, 2, 0x21, 0x3f]],
      [Buffer.concat([Buffer.from("#"), base.subarray(0, 40)]), [1, 0x23, 0x90, 40]],
      [Buffer.concat([base, base]), [0x90, base.length, 0x90, base.length]],
    ];
    for (const [target, body] of cases)
      assert.deepEqual(
        [...probe.encode(base, target)!],
        [...header(base, target), ...body],
        target.toString(),
      );
    // Its delta would be shorter than git applies.
    assert.equal(probe.encode(base, Buffer.alloc(0)), undefined);
    assert.deepEqual(
      [...probe.encode(Buffer.alloc(0), base)!],
      [...header(Buffer.alloc(0), base), base.length, ...base],
    );
  });

  test(`${probe.label}: copies of more than 65,536 bytes and literals of more than 127 are cut`, () => {
    const random = seeded(SEED);
    const base = randomBytes(random, 200_000);
    const fresh = randomBytes(random, 300);
    const target = Buffer.concat([base.subarray(1, 150_000), fresh]);
    const expected = [
      ...[...header(base, target), 0x81, 1, 0x85, 1, 1, 0xb5, 1, 2, 0xef, 0x49],
      ...[127, ...fresh.subarray(0, 127), 127, ...fresh.subarray(127, 254), 46, ...fresh.subarray(254)],
    ];
    assert.deepEqual([...probe.encode(base, target)!], expected);
  });

  test(`${probe.label}: an edited text takes little more than its edits`, () => {
    const random = seeded(SEED);
    for (const [size, edits] of [
      [600, 1],
      [20_000, 8],
      [400_000, 20],
    ] as const) {
      const base = randomText(random, size);
      const target = edited(random, base, edits);
      for (const isFine of [false, true]) {
        const delta = probe.encode(base, target, { isFine })!;
        assert.ok(
          delta.length < 12 + edits * 130,
          `${delta.length} bytes for ${edits} edits of ${size} bytes`,
        );
      }
    }
  });

  test(`${probe.label}: whatever does not fit is refused, and nothing is written behind the room`, () => {
    const random = seeded(SEED);
    const base = randomText(random, 3000);
    const target = edited(random, base, 10);
    const { length } = probe.encode(base, target)!;
    for (let room = 0; room < length; room += 7)
      assert.equal(probe.encode(base, target, { room }), undefined);
    assert.equal(probe.encode(base, target, { room: length + 8 })!.length, length);
  });

  test(`${probe.label}: estimates are near what zlib makes of the deltas`, () => {
    const random = seeded(SEED);
    for (const size of [300, 4000, 60_000, 900_000]) {
      const base = randomText(random, size);
      for (const edits of [1, 10, 60]) {
        const target = edited(random, base, edits);
        const actual = deflateSync(probe.encode(base, target, { isFine: false })!, { level: 9 }).length;
        const estimate = probe.measure(base, target, 300_000)!;
        // A long target is measured by samples, which hit few of its edits, or many.
        const factor = target.length > 256 << 10 ? 4 : 1.25;
        const near = estimate <= actual * factor + 20 && (size > 500_000 || estimate >= actual / factor - 20);
        assert.ok(near, `${estimate} for ${actual} bytes: ${size} bytes, ${edits} edits`);
      }
      const unlike = randomBytes(random, size);
      assert.equal(probe.measure(base, unlike, Math.min(size, 1 << 18)), undefined, "useless");
    }
  });

  test(`${probe.label}: work grows no faster than repetitive content`, () => {
    const random = seeded(SEED);
    const withEdits = (content: Buffer): Buffer => {
      const copy = Buffer.from(content);
      for (let at = 50; at < copy.length; at += 997) copy[at] = 0x7a;
      return copy;
    };
    const repeat = (unit: Buffer, length: number): Buffer => Buffer.alloc(length, unit);
    const families: Record<string, (length: number) => [Buffer, Buffer]> = {
      "one byte": (n) => [repeat(Buffer.from("a"), n), withEdits(repeat(Buffer.from("a"), n))],
      "one byte, many edits in the base": (n) => [
        withEdits(repeat(Buffer.from("a"), n)),
        repeat(Buffer.from("a"), n),
      ],
      "period 7": (n) => [repeat(Buffer.from("abcdefg"), n), withEdits(repeat(Buffer.from("abcdefg"), n))],
      "period 4099": (n) => {
        const unit = randomBytes(random, 4099);
        return [repeat(unit, n), withEdits(repeat(unit, n))];
      },
      "two values": (n) => [randomBytes(random, n, 2), randomBytes(random, n, 2)],
      "de Bruijn": (n) => {
        const sequence = deBruijn(4, 8);
        return [repeat(sequence, n), withEdits(repeat(Buffer.from(sequence).reverse(), n))];
      },
    };
    for (const [name, make] of Object.entries(families)) {
      const stepsFor = (length: number): number => {
        const [base, target] = make(length);
        const before = probe.steps;
        probe.encode(base, target);
        return probe.steps - before;
      };
      for (const isThorough of [false, true]) {
        probe.setThorough(isThorough);
        const small = stepsFor(50_000);
        const large = stepsFor(400_000);
        const label = `${name}${isThorough ? ", thorough" : ""}`;
        assert.ok(large < (isThorough ? 300 : 30) * 400_000, `${label}: ${large} steps`);
        assert.ok(large < 16 * small + 100_000, `${label}: ${small} steps, and ${large} for 8 times as much`);
      }
      probe.setThorough(false);
    }
  });
}

test("every build makes the same deltas, which git reads", (t) => {
  const random = seeded(SEED);
  const probes = packProbes();
  const entries: PackEntry[] = [];
  for (const size of [40, 700, 9000, 70_000, 300_000]) {
    const base = objectEntry("blob", size === 9000 ? randomBytes(random, size, 3) : randomText(random, size));
    entries.push(base);
    for (let version = 0; version < 4; version++) {
      const target = edited(random, base.content, 1 + 5 * version);
      const [delta, ...others] = probes.map((probe) => probe.encode(base.content, target));
      for (const other of others) assert.deepEqual(other, delta);
      entries.push({ kind: KIND.ofsDelta, oid: gitOid("blob", target), content: delta!, base: base.oid });
    }
  }
  const folder = temporaryFolder(t);
  const { pack, idx } = buildPack(entries);
  writeFileSync(join(folder, "test.pack"), pack);
  git(folder, "init", "-q", "--bare", "repository");
  git(folder, "index-pack", "--strict", "-o", "test.idx", "test.pack");
  writeFileSync(join(folder, "ours.idx"), idx);
  git(folder, "diff", "--no-index", "--quiet", "ours.idx", "test.idx");
});

test("thorough deltas are shorter, measured better, and the same from every build", () => {
  const random = seeded(SEED);
  // The start of each paragraph is common to many, so that a look-up has more places than it tries by default.
  const paragraphs = Array.from({ length: 60 }, () => `<p class="text">\n${randomText(random, 300)}\n</p>\n`);
  const pick = (): string => paragraphs[random(paragraphs.length)]!;
  const base = Buffer.from(paragraphs.join(""));
  const target = edited(random, Buffer.from(Array.from({ length: 80 }, pick).join("")), 60);
  const results = packProbes().map((probe) => {
    const of = (): [Buffer, number] => [
      probe.encode(base, target)!,
      probe.measure(base, target, target.length)!,
    ];
    const [quick, quicklyMeasured] = of();
    probe.setThorough(true);
    const [thorough, measured] = of();
    probe.setThorough(false);
    assert.ok(thorough.length < quick.length, `${thorough.length}, ${quick.length}`);
    assert.ok(measured < quicklyMeasured, `${measured}, ${quicklyMeasured}`);
    assert.ok(probe.encode(base, target)!.equals(quick));
    return thorough;
  });
  for (const other of results) assert.deepEqual(other, results[0]);
});

test("an index that memory has no room for is refused, and the heap is as it was", () => {
  for (const variant of probeVariants("pack-delta")) {
    const probe = new PackProbe(variant, 4 << 20);
    assert.equal(probe.canIndex(64 << 20), false);
    const text = Buffer.from("what is left serves a small one");
    assert.ok(probe.encode(text, text)!.length < 10);
  }
});

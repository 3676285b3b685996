/** The store of checkpoints: their order, distances, shares and memory, under random use, on every build. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const MIB = 1 << 20;
/** What one takes at the least: 32 KiB of history. */
const CHECKPOINT = 32 << 10;
const STEP_MIN = 256 << 10;

for (const { label, debug, exports: wasm } of probeVariants("checkpoints")) {
  /** All places of an object, in order. */
  const placesOf = (object: number, size: number): number[] => {
    const places: number[] = [];
    for (let at = 0; ; ) {
      at = Number(wasm.after(BigInt(object), BigInt(at), BigInt(size)));
      if (at === size) return places;
      places.push(at);
    }
  };

  describe(`checkpoints (${label})`, () => {
    it("are found in order, apart, as they were added, within the memory", () => {
      for (const [seed, limit] of [
        [1, 0],
        [2, 100_000],
        [3, 300_000],
        [4, MIB],
        [5, 4 * MIB],
      ] as const) {
        const random = seeded(seed);
        wasm.start(16 * MIB);
        wasm.checkpointsInit(limit);
        const empty: number = wasm.heapUsed();
        const sizes = Array.from({ length: 40 }, () => MIB + random(random(2) ? 4 * MIB : 400 * MIB));
        const seeds = new Map<string, number>();
        for (let round = 0; round < (debug ? 3000 : 20_000); round++) {
          // Few objects are read at a time.
          const index = (round >> 9) % 35 < 30 ? ((round >> 10) + random(4)) % 40 : random(40);
          const object = 12 + index * 1000;
          const size = sizes[index]!;
          wasm.checkpointsUse(BigInt(object), BigInt(size));
          const position = 40_000 + random(size - 40_000);
          const note = random(2 ** 31);
          wasm.add(BigInt(object), BigInt(position), note);
          if (
            wasm.before(BigInt(object), BigInt(position)) === BigInt(position) &&
            !seeds.has(`${object} ${position}`)
          )
            seeds.set(`${object} ${position}`, note);
          if (random(300) === 0) wasm.checkpointsDrop(BigInt(object));
          const [at, places] = [random(size), placesOf(object, size)];
          const nearest = places.filter((place) => place <= at).at(-1) ?? 0;
          assert.equal(Number(wasm.before(BigInt(object), BigInt(at))), nearest);
          for (const [i, place] of places.entries())
            assert.ok(place - (places[i - 1] ?? 0) >= STEP_MIN, `${places[i - 1]}, ${place}`);
          assert.ok(wasm.heapUsed() - empty <= limit + 64 * (limit / CHECKPOINT));
        }
        assert.equal(seeds.size > 0, limit >= CHECKPOINT * 2);
        wasm.checkpointsShed();
        assert.equal(wasm.heapUsed(), empty, "all memory goes back");
      }
    });

    it("are spread over the whole of the one object that is read, and shared equally by several", () => {
      wasm.start(16 * MIB);
      wasm.checkpointsInit(4 * MIB);
      const size = 400 * MIB;
      const pass = (object: number): void => {
        for (let at = 64 << 10; at < size; at += 64 << 10) {
          wasm.checkpointsUse(BigInt(object), BigInt(size));
          wasm.add(BigInt(object), BigInt(at), 1);
        }
      };
      pass(100);
      const places = placesOf(100, size);
      assert.ok(places.length > 100, `${places.length}`);
      const widest = Math.max(...places.map((place, i) => place - (places[i - 1] ?? 0)));
      assert.ok(widest < 4.5 * MIB && size - places.at(-1)! < 4.5 * MIB, `${widest}`);
      // Another one pushes it out, as it is idle by then.
      pass(200);
      assert.ok(placesOf(200, size).length > 100);
      assert.ok(placesOf(100, size).length < 30);
      // Two that are read in turns come to equal shares.
      for (let at = 64 << 10; at < size; at += 64 << 10)
        for (const object of [300, 400]) {
          wasm.checkpointsUse(BigInt(object), BigInt(size));
          wasm.add(BigInt(object), BigInt(at), 1);
        }
      const [one, other] = [placesOf(300, size).length, placesOf(400, size).length];
      assert.ok(one > 40 && other > 40 && Math.abs(one - other) < 12, `${one}, ${other}`);
    });

    it("agree with a stream that has taken and made as much of the same, and with no other", () => {
      wasm.start(16 * MIB);
      wasm.checkpointsInit(4 * MIB);
      wasm.checkpointsUse(100n, BigInt(9 * MIB));
      wasm.add(100n, BigInt(MIB), 1000);
      assert.ok(wasm.agrees(100n, BigInt(MIB), 1000));
      assert.ok(!wasm.agrees(100n, BigInt(MIB), 1001), "of other bits and bytes");
      assert.ok(!wasm.agrees(100n, BigInt(MIB), 1008), "of other bytes");
      assert.ok(wasm.agrees(100n, BigInt(MIB + 1), 5), "where there is none");
      assert.ok(wasm.agrees(200n, BigInt(MIB), 5), "of an object without any");
    });

    it("do without memory that there is not", () => {
      wasm.start(3 * MIB);
      wasm.checkpointsInit(2 * MIB);
      const block: number = wasm.takeAll(50_000);
      wasm.checkpointsUse(100n, BigInt(90 * MIB));
      wasm.add(100n, BigInt(4 * MIB), 1);
      assert.deepEqual(placesOf(100, 90 * MIB), []);
      wasm.free(block);
      wasm.add(100n, BigInt(4 * MIB), 1);
      assert.deepEqual(placesOf(100, 90 * MIB), [4 * MIB]);
    });
  });
}

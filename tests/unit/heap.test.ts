/** The allocator against a model, on every build of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const CAP = 8 << 20;

describe("heap", () => {
  for (const { label, exports: e } of probeVariants("heap")) {
    const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(e.memory.buffer, ptr, length);

    it(`keeps allocations apart and whole (${label})`, () => {
      e.heapInit(CAP);
      const random = seeded(11);
      const blocks = new Map<number, { length: number; mark: number }>();
      let used = 0;
      let refused = 0;
      for (let i = 0; i < 12_000; i++) {
        const live = [...blocks.keys()];
        // Fills up and empties in turn.
        if (live.length === 0 || random(10) < (i % 4000 < 2500 ? 7 : 3)) {
          const length = random(8) === 0 ? random(200_000) : random(2) ? random(64) : random(3000);
          const ptr = (random(2) === 0 ? e.heapAlloc : e.heapAllocHigh)(length);
          if (ptr === 0) {
            refused++;
            assert.ok(used + length > CAP / 3, "refused with much of the cap free");
            continue;
          }
          assert.equal(ptr % 16, 0);
          assert.ok(e.heapSizeOf(ptr) >= length);
          assert.ok(ptr + e.heapSizeOf(ptr) <= CAP && e.memory.buffer.byteLength <= CAP);
          const mark = random(256);
          bytes(ptr, length).fill(mark);
          blocks.set(ptr, { length, mark });
          used += e.heapSizeOf(ptr);
        } else {
          const ptr = live[random(live.length)]!;
          const block = blocks.get(ptr)!;
          assert.ok(
            bytes(ptr, block.length).every((byte) => byte === block.mark),
            "a neighbour wrote here",
          );
          used -= e.heapSizeOf(ptr);
          blocks.delete(ptr);
          e.heapFree(ptr);
        }
        assert.equal(e.heapUsed(), used);
      }
      assert.ok(refused > 0, "the cap was reached");
      for (const [ptr, { length, mark }] of blocks) {
        assert.ok(bytes(ptr, length).every((byte) => byte === mark));
        e.heapFree(ptr);
      }
      assert.equal(e.heapUsed(), 0);
      assert.notEqual(
        e.heapAlloc(e.memory.buffer.byteLength - (128 << 10)),
        0,
        "free blocks have merged into one",
      );
    });

    it(`finds the one block that is large enough, however many are not (${label})`, () => {
      e.heapInit(CAP);
      // 10,240 to 12,287 bytes are one list.
      const small = Array.from({ length: 400 }, () => [e.heapAlloc(10_300), e.heapAlloc(16)]);
      assert.ok(small.every(([a, b]) => a && b));
      const big = e.heapAlloc(12_000);
      const guard = e.heapAlloc(16);
      // The rest of memory, to the last block.
      for (let size = CAP; size >= 16; size >>= 1) while (e.heapAlloc(size));
      e.heapFree(big);
      for (const [ptr] of small) e.heapFree(ptr);
      assert.equal(e.heapAlloc(11_900), big);
      assert.equal(e.heapAlloc(11_900), 0);
      e.heapFree(guard);
    });

    it(`refuses absurd sizes and starts anew (${label})`, () => {
      e.heapInit(CAP);
      for (const size of [CAP, 0x7ffffff0, 0x7fffffff, 0x80000000, 0xffffffff])
        assert.equal(e.heapAlloc(size), 0);
      const first = e.heapAlloc(1);
      e.heapInit(CAP);
      assert.equal(e.heapUsed(), 0);
      assert.equal(e.heapAlloc(1), first);
      e.heapFree(0);
    });
  }
});

describe("heap whose memory others grow, too", () => {
  for (const { label, exports: e } of probeVariants("shared-heap")) {
    const PAGE = 65536;
    const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(e.memory.buffer, ptr, length);

    it(`gives nothing before it has a limit (${label})`, () => {
      assert.equal(e.heapAlloc(16), 0);
    });

    it(`leaves what others have taken alone, and caps its own parts alone (${label})`, () => {
      const random = seeded(12);
      const foreign: [start: number, end: number][] = [];
      for (let round = 0; round < 3; round++) {
        e.heapInit(CAP);
        const blocks = new Map<number, { length: number; mark: number }>();
        let refused = 0;
        for (let i = 0; i < 4000; i++) {
          if (random(50) === 0) {
            const start = e.memory.buffer.byteLength;
            e.memory.grow(1 + random(3));
            bytes(start, e.memory.buffer.byteLength - start).fill(0xa5);
            foreign.push([start, e.memory.buffer.byteLength]);
          }
          const live = [...blocks.keys()];
          if (live.length === 0 || random(10) < 6) {
            const length = random(8) === 0 ? random(300_000) : random(3000);
            if (random(20) === 0) e.heapReserve(length);
            const ptr = (random(2) === 0 ? e.heapAlloc : e.heapAllocHigh)(length);
            if (ptr === 0) {
              refused++;
              continue;
            }
            assert.ok(foreign.every(([start, end]) => ptr + length <= start || ptr >= end));
            const mark = random(256);
            bytes(ptr, length).fill(mark);
            blocks.set(ptr, { length, mark });
          } else {
            const ptr = live[random(live.length)]!;
            const block = blocks.get(ptr)!;
            assert.ok(bytes(ptr, block.length).every((byte) => byte === block.mark));
            blocks.delete(ptr);
            e.heapFree(ptr);
          }
          assert.ok(e.heapSize() <= CAP);
        }
        assert.ok(refused > 0, "the cap was reached");
      }
      assert.ok(foreign.length > 100);
      for (const [start, end] of foreign) assert.ok(bytes(start, end - start).every((byte) => byte === 0xa5));
      const others = foreign.reduce((sum, [start, end]) => sum + end - start, 0);
      // The rest is the heap's, and the module's static data.
      assert.ok(e.memory.buffer.byteLength - others - e.heapSize() <= 2 * PAGE);
      const size = e.heapSize();
      e.heapInit(CAP);
      assert.equal(e.heapUsed(), 0);
      for (let length = 1 << 20; length > 1024; length >>= 1) while (e.heapAlloc(length) !== 0);
      assert.ok(e.heapUsed() > 0.9 * CAP, "what it had is used again");
      assert.ok(e.heapSize() <= Math.max(size, CAP));
    });
  }
});

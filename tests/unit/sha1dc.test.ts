/** The detection of SHA-1 collision attacks: finds those that are known, nothing else, and hashes as SHA-1 does. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { COLLISIONS } from "../support/collisions.js";
import { type Condition, conditionsOf, type Vector } from "../support/disturbance.js";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const sha1 = (data: Uint8Array): string => createHash("sha1").update(data).digest("hex");

for (const { label, debug, exports: wasm } of probeVariants("checksum")) {
  const state = wasm.memory.grow(32) * 65536;
  const digest = state + 128;
  const data = state + 256;
  const memory = Buffer.from(wasm.memory.buffer);

  /** The hash of a message in two parts, and whether it is found to be part of an attack. */
  const hash = (message: Uint8Array, split = 0): { sha1: string; found: boolean } => {
    memory.set(message, data);
    wasm.sha1dcInit(state);
    wasm.sha1dcUpdate(state, data, split);
    wasm.sha1dcUpdate(state, data + split, message.length - split);
    const found = wasm.sha1dcFinal(state, digest) !== 0;
    return { sha1: memory.toString("hex", digest, digest + 20), found };
  };

  describe(`SHA-1 with detection (${label})`, () => {
    it("finds the published collisions, however they are cut", () => {
      for (const { name, data: message, sha1: expected } of COLLISIONS) {
        assert.equal(sha1(message), expected, name);
        for (let split = 0; split <= message.length; split += debug ? 97 : 1)
          assert.deepEqual(hash(message, split), { sha1: expected, found: true }, `${name}, ${split}`);
      }
    });

    it("finds them inside of longer messages, in every lane", () => {
      const random = seeded(3);
      const { data: message } = COLLISIONS[0]!;
      // An attack on SHA-1 holds behind its own beginning alone; what follows it does not matter.
      for (let rest = 0; rest < 600; rest += 37) {
        const longer = Buffer.concat([message, Buffer.from(Array.from({ length: rest }, () => random(256)))]);
        assert.deepEqual(hash(longer), { sha1: sha1(longer), found: true });
        assert.deepEqual(hash(longer.subarray(64)), { sha1: sha1(longer.subarray(64)), found: false });
      }
    });

    it("does not find what one changed bit makes of them", () => {
      for (const { name, data: message } of COLLISIONS)
        for (let bit = debug ? 5 : 0; bit < message.length * 8; bit += debug ? 401 : 17) {
          const changed = Buffer.from(message);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          assert.deepEqual(hash(changed), { sha1: sha1(changed), found: false }, `${name}, bit ${bit}`);
        }
    });

    it("hashes as SHA-1 does, and finds nothing in noise, zeros and text", () => {
      const random = seeded(4);
      const noise = Buffer.from(Array.from({ length: 20_000 }, () => random(256)));
      for (let len = 0; len < 300; len += debug ? 13 : 1)
        for (const split of [0, 1, random(len + 1), len]) {
          const message = noise.subarray(len, 2 * len);
          assert.deepEqual(hash(message, Math.min(split, len)), { sha1: sha1(message), found: false });
        }
      const long = Buffer.concat(Array.from({ length: debug ? 2 : 60 }, () => noise));
      for (const message of [long, Buffer.alloc(70_001), Buffer.alloc(70_001, "a line of text\n")])
        assert.deepEqual(hash(message, 777), { sha1: sha1(message), found: false });
    });

    it("is what an object's id is refused by, where that is asked for", () => {
      const { data: message } = COLLISIONS[0]!;
      for (const [level, status] of [
        [2, 0],
        [3, 103],
      ] as const) {
        wasm.proofSet(level);
        wasm.sha1dcInit(state);
        memory.set(message, data);
        wasm.idUpdate(state, data, message.length);
        assert.equal(wasm.idEnd(state, digest), status);
      }
    });

    it("asks for the conditions that follow from the vectors", () => {
      const view = new DataView(wasm.memory.buffer);
      const vectors = Array.from({ length: 32 }, (_, index): Vector => {
        const byte = memory[wasm.vectors.value + index]!;
        return { type: byte & 128 ? 2 : 1, k: byte & 63, b: byte & 64 ? 2 : 0 };
      });
      const table = vectors.map((): Condition[] => []);
      for (let at = 0; at < wasm.CONDITIONS_LEN.value; at += 8) {
        const [t, u, i, j] = memory.subarray(wasm.conditions.value + at) as Buffer &
          [number, number, number, number];
        const mask = view.getUint32(wasm.conditions.value + at + 4, true);
        const condition = { t, i, u, j: j & 31, differ: j > 127 };
        for (let index = 0; index < 32; index++) if ((mask >>> index) & 1) table[index]!.push(condition);
      }
      const sorted = (list: Condition[]): string[] =>
        list.map((condition) => JSON.stringify(condition)).sort();
      for (const [index, vector] of vectors.entries())
        assert.deepEqual(sorted(table[index]!), sorted(conditionsOf(vector)), JSON.stringify(vector));
    });
  });
}

/** Adler-32, CRC-32 and SHA-1 against Node's, in all four builds. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const sha1 = (data: Uint8Array): string => createHash("sha1").update(data).digest("hex");
/** What zlib writes after a stream: Adler-32, high byte first; and after a gzip stream: CRC-32, low byte first. */
const adlerOf = (data: Uint8Array): number => deflateSync(data, { level: 0 }).subarray(-4).readUInt32BE();
const crcOf = (data: Uint8Array): number => gzipSync(data, { level: 0 }).subarray(-8).readUInt32LE();

for (const { label, debug, exports: wasm } of probeVariants("checksum")) {
  const state = wasm.memory.grow(64) * 65536;
  const digest = state + 128;
  const data = state + 256;
  const memory = Buffer.from(wasm.memory.buffer);
  const random = seeded(20);
  const bytes = Buffer.from(Array.from({ length: 256 }, () => random(256)));
  const hash = (chunks: [ptr: number, len: number][]): string => {
    wasm.sha1Init(state);
    for (const [ptr, len] of chunks) wasm.sha1Update(state, ptr, len);
    wasm.sha1Final(state, digest);
    return memory.toString("hex", digest, digest + 20);
  };
  const adler = (start: number, ptr: number, len: number): number => wasm.adler32(start, ptr, len) >>> 0;
  const crc = (start: number, ptr: number, len: number): number => wasm.crc32(start, ptr, len) >>> 0;

  describe(`Checksums (${label})`, () => {
    it("answers the published vectors", () => {
      memory.write("abc123456789", data, "latin1");
      assert.equal(hash([[data, 3]]), "a9993e364706816aba3e25717850c26c9cd0d89d");
      assert.equal(hash([]), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
      assert.equal(crc(0, data + 3, 9), 0xcbf43926);
      memory.write("Wikipedia", data, "latin1");
      assert.equal(adler(1, data, 9), 0x11e60398);
      assert.equal(adler(1, data, 0), 1);
      assert.equal(crc(0, data, 0), 0);
    });

    it("is right for every split of a message of 0 to 200 bytes", () => {
      memory.set(bytes, data);
      for (let len = 0; len <= 200; len += debug ? 7 : 1) {
        const message = bytes.subarray(0, len);
        const expected = { sha1: sha1(message), adler: adlerOf(message), crc: crcOf(message) };
        for (let split = 0; split <= len; split++) {
          const rest = data + split;
          const got = {
            sha1: hash([
              [data, split],
              [rest, len - split],
            ]),
            adler: adler(adler(1, data, split), rest, len - split),
            crc: crc(crc(0, data, split), rest, len - split),
          };
          assert.deepEqual(got, expected, `${split} of ${len}`);
        }
      }
    });

    it("is right at every alignment", () => {
      for (let shift = 0; shift < 33; shift++) {
        memory.set(bytes, data + shift);
        assert.equal(hash([[data + shift, 256]]), sha1(bytes));
        assert.equal(adler(1, data + shift, 256), adlerOf(bytes));
        assert.equal(crc(0, data + shift, 256), crcOf(bytes));
      }
    });

    it("is right for long messages in chunks of all sizes", () => {
      const long = Buffer.alloc(debug ? 200_000 : 3_000_000);
      for (let at = 0; at < long.length; at += 4) long.writeInt32LE(random(2 ** 32) | 0, at);
      memory.set(long, data);
      const chunks: [number, number][] = [];
      for (let at = 0; at < long.length; ) {
        const len = Math.min(long.length - at, random(random(8) ? 300 : 40_000));
        chunks.push([data + at, len]);
        at += len;
      }
      assert.equal(hash(chunks), sha1(long));
      assert.equal(
        chunks.reduce((sum, [ptr, len]) => adler(sum, ptr, len), 1),
        adlerOf(long),
      );
      assert.equal(
        chunks.reduce((sum, [ptr, len]) => crc(sum, ptr, len), 0),
        crcOf(long),
      );
    });

    it("sums the largest bytes without an overflow", () => {
      memory.fill(0xff, data, data + 70_000);
      for (const len of [5535, 5536, 5552, 5553, 11_104, 65_521, 70_000]) {
        const ones = Buffer.alloc(len, 0xff);
        assert.equal(adler(1, data, len), adlerOf(ones));
        // Both sums at their largest before the chunk.
        const before = 0xfff0_fff0;
        let [a, b] = [65520, 65520];
        for (let i = 0; i < len; i++) {
          a = (a + 0xff) % 65521;
          b = (b + a) % 65521;
        }
        assert.equal(adler(before, data, len), ((b << 16) | a) >>> 0);
      }
    });

    it("counts a message of more than 4 GiB in 64 bits", { skip: debug }, () => {
      // A state as 2^32 + 64 zero bytes leave it cannot be reached in a test's time: the chaining value is any, the length
      // is not. The padding block, known then, is hashed as data and must give the same digest.
      const length = 2n ** 32n + 64n;
      const view = new DataView(wasm.memory.buffer);
      wasm.sha1Init(state);
      view.setBigUint64(state + 24, length, true);
      wasm.sha1Final(state, digest);
      const final = memory.toString("hex", digest, digest + 20);
      memory.fill(0, data, data + 64);
      memory[data] = 0x80;
      memory.writeBigUInt64BE(length * 8n, data + 56);
      wasm.sha1Init(state);
      wasm.sha1Update(state, data, 64);
      const words = Array.from({ length: 5 }, (_, i) => view.getUint32(state + 4 * i, true));
      assert.equal(final, words.map((word) => word.toString(16).padStart(8, "0")).join(""));
    });

    it("carries the length past 4 GiB", () => {
      wasm.sha1Init(state);
      const view = new DataView(wasm.memory.buffer);
      view.setBigUint64(state + 24, 2n ** 32n - 64n, true);
      wasm.sha1Update(state, data, 100);
      assert.equal(view.getBigUint64(state + 24, true), 2n ** 32n + 36n);
    });
  });
}

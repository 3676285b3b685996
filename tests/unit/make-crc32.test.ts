import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../../src/git/crc32.js";
import { seeded } from "../support/random.js";

/** The definition, a bit at a time (RFC 1952, section 8, without its table). */
function slowCrc32(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) state = state & 1 ? (state >>> 1) ^ 0xedb88320 : state >>> 1;
  }
  return ~state >>> 0;
}

test("the CRC-32 of known strings", () => {
  assert.equal(crc32(Buffer.from("123456789")), 0xcbf43926);
  assert.equal(crc32(Buffer.alloc(0)), 0);
  assert.equal(crc32(Buffer.from("The quick brown fox jumps over the lazy dog")), 0x414fa339);
});

test("every length up to 40, split anywhere, as the definition has it", () => {
  const random = seeded(1);
  for (let length = 0; length <= 40; length++) {
    const bytes = Uint8Array.from({ length }, () => random(256));
    const expected = slowCrc32(bytes);
    for (let cut = 0; cut <= length; cut++)
      assert.equal(
        crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))),
        expected,
        `${length} at ${cut}`,
      );
  }
});

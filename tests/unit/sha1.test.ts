/** SHA-1 in scripts, and comparisons of bytes: held against Node's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createSha1 } from "../../src/git/sha1.js";
import { compareBytes, isZeros } from "../../src/verify/compare.js";
import { seeded } from "../support/random.js";

const next = seeded(1);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => next(256));

test("SHA-1 of every length around a block, in parts of any length", () => {
  for (let length = 0; length < 200; length++) {
    const message = bytes(length);
    const hash = createSha1();
    for (let at = 0; at < length; ) {
      const part = message.subarray(at, at + 1 + next(90));
      hash.update(part);
      at += part.length;
    }
    assert.deepEqual(Buffer.from(hash.digest()), createHash("sha1").update(message).digest(), `${length}`);
  }
});

test("a single byte that is not zero is found, wherever it is", () => {
  for (let start = 0; start < 9; start++)
    for (let length = 0; length < 30; length++) {
      const part = new Uint8Array(64).subarray(start, start + length);
      assert.equal(isZeros(part), true);
      for (let at = 0; at < length; at++)
        for (const byte of [1, 0x80]) {
          part[at] = byte;
          assert.equal(isZeros(part), false, `${start} ${length} ${at}`);
          part[at] = 0;
        }
    }
});

test("ids are ordered as Node orders them", () => {
  for (let count = 0; count < 2000; count++) {
    const left = bytes(20);
    const right = left.slice();
    if (count % 10 > 0) right[next(20)] = next(256);
    assert.equal(Math.sign(compareBytes(left, right)), Buffer.compare(left, right));
  }
});

/** An image cut short anywhere is an error of a known code, for readers and for verify: never a crash, a hang or wrong bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError, open, STATUS } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";

const image = fixture("tiny.img");
const blobs = fixtureBlobs("tiny");

/** Where the IDX of `tiny` ends: all after it is padding. */
const SIGNIFICANT = 0x600 + 8 + 1024 + 28 * 21 + 40;

function isKnown(error: unknown): boolean {
  assert.ok(error instanceof DocteurError, String((error as Error).stack));
  assert.ok(error.code in STATUS, error.code);
  return true;
}

test("verify finds a cut at every byte", async () => {
  for (let length = 0; length < SIGNIFICANT; length++)
    await assert.rejects(assertSound(image.slice(0, length)), isKnown, `${length}`);
});

test("verify finds a cut at every byte that zeros make up for", async () => {
  for (let length = 0; length < SIGNIFICANT; length++) {
    const cut = image.slice();
    cut.fill(0, length);
    if (cut.every((byte, index) => byte === image[index])) continue;
    await assert.rejects(assertSound(cut), isKnown, `${length}`);
  }
});

for (const { label, module } of await coreVariants()) {
  test(`readers return right bytes or a typed error after every cut (${label})`, async () => {
    for (const mode of MODES) {
      for (let length = 512; length < SIGNIFICANT; length += length < 1600 ? 7 : 61) {
        const cut = image.slice();
        cut.fill(0, length);
        let volume: Awaited<ReturnType<typeof open>>;
        try {
          volume = await open(cut, { module, mode });
        } catch (error) {
          isKnown(error);
          continue;
        }
        for (const [path, oid] of blobs) {
          try {
            assert.equal(gitOid("blob", await volume.get(path)), oid, `${path} of ${length}`);
          } catch (error) {
            isKnown(error);
          }
        }
      }
    }
  });
}

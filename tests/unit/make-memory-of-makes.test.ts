/** What a watch remembers from one make to the next: ids by stamps, but for files that changed just now. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Unread } from "../../src/make/base/content.js";
import { MakeMemory } from "../../src/make/memory-of-makes.js";
import { temporaryFolder } from "../support/temporary.js";

const OID = new Uint8Array(20).fill(7);

/** A file whose content and status changed so many milliseconds ago. */
function file(ino: bigint, changed: number, status = changed): Unread {
  const before = (milliseconds: number): bigint => BigInt(Date.now() - milliseconds) * 1_000_000n;
  const stamp = { dev: 1n, ino, mtimeNs: before(changed), ctimeNs: before(status), followsLinks: false };
  return { size: 3, content: { path: "file", offset: 0, stamp } };
}

test("a file that changed just before it was read is read again, and one that is met no more is forgotten", (t) => {
  const image = join(temporaryFolder(t), "image");
  writeFileSync(image, "");
  const memory = new MakeMemory();
  const [old, written, touched] = [file(1n, 60_000), file(2n, 10), file(3n, 60_000, 10)];
  memory.begin();
  for (const each of [old, written, touched]) memory.keep(each, OID);
  memory.finish(image);
  memory.begin();
  assert.deepEqual(memory.find(old), OID);
  assert.equal(memory.find(written), undefined);
  assert.equal(memory.find(touched), undefined);
  memory.finish(image);
  memory.begin();
  assert.deepEqual(memory.find(old), OID, "found files stay known");
  memory.begin();
  memory.finish(image);
  memory.begin();
  assert.equal(memory.find(old), undefined);
});

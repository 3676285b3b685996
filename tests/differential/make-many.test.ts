/** Sources of so many files that their trees do not stay in memory. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { make, makeImage } from "../../src/make/index.js";
import { DATE } from "../support/checked-image.js";
import { tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

const COUNT = 110_000;

test("an image of many files is that of the same files in memory, and leaves nothing beside itself", async (t) => {
  const files = Array.from({ length: COUNT }, (_, index): [string, string] => [
    `${index % 211}/${index}`,
    `content number ${index % 1009}\n`,
  ]);
  const work = temporaryFolder(t);
  const archive = join(work, "many.tar");
  writeFileSync(archive, tarOf(...files.map(([name, content]) => ({ name, content }))));
  const image = join(work, "many.img");
  const made = await make(archive, image, { date: DATE, workers: 2 });
  assert.equal(made.fileCount, COUNT);
  assert.equal(made.objectCount, 1009 + 211 + 2);
  const expected = await makeImage(Object.fromEntries(files), { date: DATE });
  assert.equal(made.commit, expected.commit);
  assert.ok(readFileSync(image).equals(expected.image));
  assert.deepEqual(readdirSync(work).sort(), ["many.img", "many.tar"]);
});

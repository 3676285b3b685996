/** Files that are read in pieces: what has been resolved for one serves the next, and gives way where memory is short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { CraftedImage, copy, delta, insert, OK_TEXT, treeEntry } from "../support/crafted-image.js";
import { gitOid } from "../support/fixtures.js";

/** An image of two large deltas of one base, and a small file. */
function createImage(length: number): { bytes: Uint8Array; contents: Buffer[] } {
  const base = Buffer.alloc(length, "a line that is stored once\n");
  const image = new CraftedImage();
  const { offset } = image.object("blob", base);
  const entries: Buffer[] = [];
  const copies: Buffer[] = [];
  for (let at = 0; at < length; at += 0xff_ffff) copies.push(copy(at, Math.min(0xff_ffff, length - at)));
  const contents = ["first", "second"].map((name) => {
    const content = Buffer.concat([Buffer.from(name), base]);
    const { oid } = image.ofsDelta(
      gitOid("blob", content),
      offset,
      delta(length, content.length, insert(name), ...copies),
    );
    entries.push(treeEntry("100644", name, oid));
    return content;
  });
  entries.splice(1, 0, treeEntry("100644", "ok", image.object("blob", OK_TEXT).oid));
  image.commit(image.tree(...entries).oid);
  return { bytes: image.finish().bytes, contents };
}

for (const { label, module } of await coreVariants())
  for (const mode of MODES) {
    test(`a delta too large for the cache is resolved once for all of its pieces (${label}, ${mode})`, async () => {
      const { bytes, contents } = createImage(5 << 20);
      const volume = await open(bytes, { module, mode });
      const piece = 1 << 20;
      await volume.getPartial("/first", 0, piece);
      const { objectMisses } = volume.stats();
      for (let offset = piece; offset < contents[0]!.length + piece; offset += piece) {
        const data = await volume.getPartial("first", offset, piece);
        assert.ok(contents[0]!.subarray(offset, offset + piece).equals(data), `${offset}`);
      }
      assert.equal(volume.stats().objectMisses, objectMisses);
      assert.ok(contents[1]!.subarray(7, 9999).equals(await volume.getPartial("/second", 7, 9992)));
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
      assert.ok(contents[0]!.subarray(7, 9999).equals(await volume.getPartial("/first", 7, 9992)));
    });

    test(`what one file holds gives way to the next (${label}, ${mode})`, async () => {
      const { bytes, contents } = createImage(1_100_000);
      const volume = await open(bytes, { module, mode, memoryLimit: 4 << 20 });
      for (let round = 0; round < 3; round++)
        for (const [index, name] of ["first", "second"].entries()) {
          for (const offset of [0, 500_000, 1_099_000])
            assert.ok(
              contents[index]!.subarray(offset, offset + 1000).equals(
                await volume.getPartial(name, offset, 1000),
              ),
            );
          if (round === 1) assert.equal((await volume.list("/", { sizes: true })).length, 3);
          assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
        }
      assert.ok(volume.stats().memoryBytes <= 4 << 20);
    });
  }

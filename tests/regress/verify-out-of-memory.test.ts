/** An object that there was no memory for was called missing by what refers to it, and a sound image so damaged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { verify } from "../../src/verify/index.js";
import { CraftedImage, OK_TEXT, treeEntry } from "../support/crafted-image.js";

const LIMIT = 16 << 20;

/** An image with a large tree: as its root, or below. */
function withLargeTree(asRoot: boolean, missing = false): Uint8Array {
  const image = new CraftedImage();
  const ok = missing ? { oid: "e".repeat(40) } : image.object("blob", OK_TEXT);
  const entries = Array.from({ length: 400_000 }, (_, index) =>
    treeEntry("100644", index.toString(36).padStart(30, "0"), ok.oid),
  );
  const large = image.object("tree", Buffer.concat(entries));
  image.commit(
    asRoot ? large.oid : image.tree(treeEntry("40000", "d", large.oid), treeEntry("100644", "f", ok.oid)).oid,
  );
  return image.finish().bytes;
}

for (const [title, asRoot] of [
  ["a folder", false],
  ["the root", true],
] as const)
  test(`no memory for ${title}: unknown, not damaged`, async () => {
    const bytes = withLargeTree(asRoot);
    const { status, findings, tree } = await verify(bytes, { memoryLimit: LIMIT });
    assert.equal(status, "unknown");
    const said = findings.filter(({ severity }) => severity !== "note");
    assert.deepEqual(
      said.map(({ code, path }) => [code, path]),
      [
        ["OutOfMemory", undefined],
        ["Unchecked", asRoot ? undefined : "/d"],
      ],
    );
    if (asRoot) assert.equal(said[1]!.oid, tree);
    assert.equal((await verify(bytes)).status, "sound");
  });

test("what is missing beside it is not told from it, and never sound", async () => {
  const { status } = await verify(withLargeTree(false, true), { memoryLimit: LIMIT, maxFindings: 1 });
  assert.equal(status, "unknown");
});

/** In git's order a file and a directory of one name can stand apart: "a", "a.b", "a/". A listing held both. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError, open } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { buildImage, commitOf, objectEntry, treeEntry } from "../support/pack.js";

const blob = objectEntry("blob", Buffer.from("content"));
const leaf = objectEntry("tree", treeEntry("100644", "leaf", blob.oid));

/** An image of one tree: names that end in a slash are directories. */
function imageOf(...names: string[]): Buffer {
  const entries = names.map((name) =>
    name.endsWith("/")
      ? treeEntry("40000", name.slice(0, -1), leaf.oid)
      : treeEntry("100644", name, blob.oid),
  );
  const root = objectEntry("tree", Buffer.concat(entries));
  const commit = commitOf(root.oid);
  return buildImage(commit.oid, [commit, root, leaf, blob]);
}

function isBadTree(error: unknown): boolean {
  return error instanceof DocteurError && error.code === "BadTree";
}

for (const { label, module } of await coreVariants()) {
  test(`a file and a directory of one name, with names between them (${label})`, async () => {
    for (const names of [
      ["a", "a.b", "a/"],
      ["a", "a/"],
      ["a", "a-/", "a.b", "a/", "a0"],
      ["a", "a!", "a!/", "a/"],
    ]) {
      const image = imageOf(...names);
      await assert.rejects((await open(image, { module })).list("/"), isBadTree, names.join());
      await assert.rejects(assertSound(image), isBadTree, names.join());
    }
  });

  test(`names that begin with one another are no doubles (${label})`, async () => {
    for (const names of [
      ["a.b", "a/"],
      ["a", "a.b/", "ab/"],
      ["a!", "a!!/", "a-/", "a/", "a0"],
    ]) {
      const image = imageOf(...names);
      const list = await (await open(image, { module })).list("/");
      const expected = names.map((name) => name.replace("/", "")).sort();
      assert.deepEqual(
        list.map(({ name }) => name),
        expected,
      );
      assert.equal((await assertSound(image)).objectCount, 4);
    }
  });

  test(`directories that each stand behind all that begins with their names (${label})`, async () => {
    const names = Array.from({ length: 800 }, (_, at) => "-".repeat(1 + at) + (at % 3 ? "/" : "!"));
    // Names that end in a slash are sorted by it, as git does.
    const image = imageOf(...names.sort());
    const list = await (await open(image, { module })).list("/");
    assert.deepEqual(
      list.map(({ name }) => name),
      names.map((name) => name.replace("/", "")).sort(),
    );
  });
}

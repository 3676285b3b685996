/** A pack that is sound in itself, but lacks what its trees name: `verify` passed it, and readers then missed objects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { buildImage, commitOf, objectEntry, type PackEntry, treeEntry } from "../support/pack.js";

const blob = objectEntry("blob", Buffer.from("content"));
const NOWHERE = "0123456789abcdef0123456789abcdef01234567";

/** An image whose folder `dir` is the given tree, stored with `others`. */
function imageOf(tree: PackEntry, ...others: PackEntry[]): Buffer {
  const root = objectEntry("tree", treeEntry("40000", "dir", tree.oid));
  const commit = commitOf(root.oid);
  return buildImage(commit.oid, [commit, root, ...others]);
}

function treeOf(...entries: Buffer[]): PackEntry {
  return objectEntry("tree", Buffer.concat(entries));
}

async function assertRefused(image: Buffer, code: string, path: string, oid: string): Promise<void> {
  await assert.rejects(assertSound(image), (error) => {
    assert.ok(error instanceof DocteurError);
    assert.deepEqual([error.code, error.path, error.oid], [code, path, oid]);
    return true;
  });
}

test("verify misses files and folders that are not in the pack", async () => {
  const tree = treeOf(treeEntry("100644", "here", blob.oid), treeEntry("100644", "lost", NOWHERE));
  await assertRefused(imageOf(tree, tree, blob), "MissingObject", "/dir/lost", NOWHERE);
  await assertRefused(imageOf(tree, blob), "MissingObject", "/dir", tree.oid);
});

test("verify tells files, folders and links from what is no such thing", async () => {
  for (const mode of ["100644", "100755", "120000"]) {
    const leaf = treeOf(treeEntry("100644", "leaf", blob.oid));
    const tree = treeOf(treeEntry(mode, "name", leaf.oid));
    await assertRefused(imageOf(tree, tree, leaf, blob), "WrongKind", "/dir/name", leaf.oid);
  }
  const tree = treeOf(treeEntry("40000", "name", blob.oid));
  await assertRefused(imageOf(tree, tree, blob), "WrongKind", "/dir/name", blob.oid);
});

test("verify reads every tree, not the root's alone", async () => {
  for (const entries of [
    [treeEntry("100644", "b", blob.oid), treeEntry("100644", "a", blob.oid)],
    [treeEntry("100644", "a", blob.oid), treeEntry("100644", "a", blob.oid)],
    [treeEntry("100644", "..", blob.oid)],
    [treeEntry("100644", "a/b", blob.oid)],
    [treeEntry("100644", "", blob.oid)],
    [treeEntry("100648", "a", blob.oid)],
    [treeEntry("", "a", blob.oid)],
    [treeEntry("100644", "a", blob.oid).subarray(0, -1)],
    [Buffer.from("100644")],
    [Buffer.from("100644 a")],
  ]) {
    const tree = treeOf(...entries);
    await assertRefused(imageOf(tree, tree, blob), "BadTree", "/dir", tree.oid);
  }
});

test("verify asks for no submodule's commit, and takes empty trees", async () => {
  const empty = treeOf();
  const tree = treeOf(treeEntry("40000", "empty", empty.oid), treeEntry("160000", "sub", NOWHERE));
  assert.equal((await assertSound(imageOf(tree, tree, empty))).objectCount, 4);
});

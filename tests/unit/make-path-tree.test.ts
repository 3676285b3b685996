/** The tree of an archive's paths: what it answers, and that it grows with paths, not with their depth. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOLDER, NotAFolder, PathTree } from "../../src/make/source/path-tree.js";
import { seeded } from "../support/random.js";

/** Everything in a tree, in the order of a walk: folders with a slash at their end. */
function contentOf(tree: PathTree): [string, number][] {
  const found: [string, number][] = [];
  const names: string[] = [];
  tree.walk({
    enter(name) {
      names.push(name);
      found.push([`${names.join("/")}/`, FOLDER]);
    },
    leaf: (name, value) => void found.push([[...names, name].join("/"), value]),
    leave: () => void names.pop(),
  });
  return found;
}

/** The same with a map of every path. */
class SlowTree {
  readonly paths = new Map<string, number>();

  add(path: string, value: number): "added" | "through" | "taken" {
    const names = path.split("/");
    for (let count = 1; count < names.length; count++) {
      const above = names.slice(0, count).join("/");
      if ((this.paths.get(above) ?? FOLDER) !== FOLDER) return "through";
    }
    const isFull = [...this.paths.keys()].some((other) => other.startsWith(`${path}/`));
    if (value !== FOLDER && isFull) return "taken";
    for (let count = 1; count < names.length; count++)
      this.paths.set(names.slice(0, count).join("/"), FOLDER);
    this.paths.set(path, value);
    return "added";
  }

  content(): [string, number][] {
    const entries = [...this.paths].map(([path, value]): [string, number] => [
      value === FOLDER ? `${path}/` : path,
      value,
    ]);
    return entries.sort(([left], [right]) => (left < right ? -1 : 1));
  }
}

test("a tree of paths holds what a map of all of them holds", () => {
  const random = seeded(77);
  for (let round = 0; round < 400; round++) {
    const tree = new PathTree();
    const slow = new SlowTree();
    const names = ["a", "ab", "b", "a-", "\xff", "a.b"].slice(0, 2 + random(5));
    for (let step = 0; step < 1 + random(40); step++) {
      const path = Array.from({ length: 1 + random(7) }, () => names[random(names.length)]!).join("/");
      const value = random(3) === 0 ? FOLDER : step;
      const expected = slow.add(path, value);
      let got: string;
      try {
        if (value === FOLDER) tree.addFolder(path);
        got = value === FOLDER || tree.set(path, value) ? "added" : "taken";
      } catch (error) {
        assert.ok(error instanceof NotAFolder);
        assert.notEqual(slow.paths.get(error.path), FOLDER);
        got = "through";
      }
      assert.equal(got, expected, path);
      for (const asked of [path, names[0]!, `${path}/${names[0]}`, path.slice(0, -2)])
        if (asked !== "" && !asked.endsWith("/"))
          assert.equal(tree.find(asked), slow.paths.get(asked), asked);
    }
    assert.deepEqual(contentOf(tree), slow.content());
    const folders = slow.content().filter(([, value]) => value === FOLDER).length;
    assert.equal(tree.folderCount(), folders + 1);
    tree.seal();
    assert.deepEqual(contentOf(tree), slow.content());
    assert.equal(tree.folderCount(), folders + 1);
    for (const [path] of slow.content()) assert.equal(tree.find(path), undefined, path);
  }
});

test("nodes follow the number of paths, not their depth", () => {
  const count = 1000;
  for (const depth of [8, 64, 511]) {
    const tree = new PathTree();
    for (let index = 0; index < count; index++) tree.set(`${index}${"/a".repeat(depth)}`, index);
    assert.ok(tree.nodeCount <= 2 * count, `${tree.nodeCount} nodes at depth ${depth}`);
    assert.equal(tree.folderCount(), 1 + count * depth);
  }
});

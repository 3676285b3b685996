/** Differences of images beside git's, of the same commits: names, counts of lines, and patches that git applies. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CompareOptions, compare, type LineChange, lineChange, patchOf } from "../../src/diff/index.js";
import { type Entry, open, type Volume } from "../../src/index.js";
import { make, makeImage } from "../../src/make/index.js";
import { Stat } from "../../tools/diff/stat.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { temporaryFolder } from "../support/temporary.js";

/** Two commits of one repository, and images of them. */
interface Pair {
  folder: string;
  old: string;
  young: string;
  before: Volume;
  after: Volume;
}

function textOf(random: Random): string {
  const lines = Array.from({ length: random(60) }, () => `line ${random(12)}${random(9) === 0 ? "\r" : ""}`);
  return lines.join("\n") + (random(3) > 0 ? "\n" : "");
}

/** An edited text: lines go, come and change. */
function edit(random: Random, text: string): string {
  return text
    .split("\n")
    .flatMap((line) => [[line], [], [`${line}!`], [line, "new"], [line], [line], [line], [line]][random(8)]!)
    .join("\n");
}

/** Files with text that is edited, moved, removed and made executable between the commits. */
function writeTexts(folder: string, random: Random): () => void {
  const texts = new Map<string, string>();
  for (let count = 0; count < 30; count++) texts.set(`texts/${random(5)}/${random(9)}.txt`, textOf(random));
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    rmSync(join(folder, path), { force: true });
    writeFileSync(join(folder, path), text, { mode });
  };
  for (const [path, text] of texts) write(path, text);
  return () => {
    for (const [path, text] of texts) {
      const action = random(7);
      if (action === 0) write(path, edit(random, text));
      else if (action === 1) write(path, edit(random, text), 0o755);
      else if (action === 2) write(path, text, 0o755);
      else if (action === 3) rmSync(join(folder, path));
      else if (action === 4) {
        rmSync(join(folder, path));
        write(path.replace("texts", "moved"), text);
      }
    }
  };
}

async function imageOf(t: TestContext, folder: string, ref: string): Promise<Volume> {
  const path = join(temporaryFolder(t), "image");
  await make(folder, path, { ref });
  const volume = await open(path);
  t.after(() => volume.close());
  return volume;
}

async function pairOf(t: TestContext, seed: number): Promise<Pair> {
  const folder = temporaryFolder(t);
  const random = seeded(seed);
  git(folder, "init", "--quiet");
  createRandomTree(folder, seed, 1);
  const change = writeTexts(folder, random);
  const old = commitAll(folder, "old");
  change();
  // Another random tree in the place of a part of the first.
  git(folder, "rm", "-r", "-q", "--cached", ".");
  if (random(2) === 0) createRandomTree(join(folder, "texts"), seed + 1, 1);
  rmSync(join(folder, "a"), { recursive: true, force: true });
  const young = commitAll(folder, "young");
  return {
    folder,
    old,
    young,
    before: await imageOf(t, folder, old),
    after: await imageOf(t, folder, young),
  };
}

/** What git says, a record between NULs. */
function gitDiff(folder: string, ...args: string[]): Buffer {
  const options = { cwd: folder, env: { ...process.env, ...GIT_ENVIRONMENT }, maxBuffer: 1 << 28 };
  return execFileSync("git", ["diff-tree", "-r", "--no-renames", ...args], options);
}

const LETTERS = { added: "A", deleted: "D", modified: "M", typechange: "T", renamed: "R" };

for (let seed = 1; seed <= 8; seed++)
  test(`random commits, seed ${seed}`, async (t) => {
    const { folder, old, young, before, after } = await pairOf(t, seed);
    const names: string[] = [];
    const counts: string[] = [];
    for await (const change of compare(before, after, "/", { renames: false })) {
      const path = Buffer.from((change.after ?? change.before)!.pathBytes.subarray(1)).toString("latin1");
      names.push(`${LETTERS[change.status]} ${path}`);
      if (change.status === "typechange") continue;
      const { isBinary, added, deleted } = await lineChange(before, after, change);
      counts.push(isBinary ? `- - ${path}` : `${added - deleted} ${path}`);
    }
    const raw = gitDiff(folder, "-z", "--name-status", old, young)
      .toString("latin1")
      .split("\0")
      .slice(0, -1);
    const expected = raw.flatMap((word, at) => (at % 2 === 0 ? [`${word} ${raw[at + 1]}`] : []));
    assert.deepEqual(names.sort(), expected.sort());
    assert.ok(names.length > 5);
    // Which lines count as changed is a matter of choice, but not how many more there are than before.
    const numbers = gitDiff(folder, "-z", "--numstat", "--diff-filter=ADM", old, young)
      .toString("latin1")
      .split("\0")
      .slice(0, -1)
      .map((line) => {
        const [, more, less, path] = /^(\S+)\t(\S+)\t(.*)$/s.exec(line)!;
        return more === "-" ? `- - ${path}` : `${Number(more) - Number(less)} ${path}`;
      });
    assert.deepEqual(counts.sort(), numbers.sort());
    const again = compare(after, after);
    assert.equal((await again.next()).done, true);
  });

for (const context of [0, 3, 1000])
  test(`git applies patches with ${context} lines of context`, async (t) => {
    const { folder, old, young, before, after } = await pairOf(t, 40 + context);
    const patches: Uint8Array[] = [];
    const binary: string[] = [];
    for await (const change of compare(before, after)) {
      const { isBinary } = await lineChange(before, after, change);
      if (isBinary || change.status === "typechange") {
        for (const side of [change.before, change.after])
          if (side !== undefined) binary.push(Buffer.from(side.pathBytes.subarray(1)).toString("latin1"));
      } else patches.push(await patchOf(before, after, change, context));
    }
    assert.ok(patches.length > 5);
    git(folder, "read-tree", old);
    const input = Buffer.concat(patches);
    const options = { cwd: folder, env: { ...process.env, ...GIT_ENVIRONMENT }, input };
    execFileSync("git", ["apply", "--cached", "--unidiff-zero", "--whitespace=nowarn", "-"], options);
    const tree = git(folder, "write-tree");
    const left = gitDiff(folder, "-z", "--name-only", tree, young).toString("latin1").split("\0");
    assert.deepEqual(
      left.filter((path) => path !== "" && !binary.includes(path)),
      [],
    );
  });

test("renames are found by id, and the nearest of several", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "--quiet");
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const path of ["a/one", "a/two", "b/three"]) write(path, "the same text\n");
  write("a/empty", "");
  write("kept", "kept\n");
  const old = commitAll(folder, "old");
  rmSync(join(folder, "a"), { recursive: true });
  write("c/two", "the same text\n");
  write("c/none", "");
  const young = commitAll(folder, "young");
  const [before, after] = [await imageOf(t, folder, old), await imageOf(t, folder, young)];
  const found: string[] = [];
  for await (const change of compare(before, after))
    found.push([change.status, change.before?.path, change.after?.path].join(" "));
  assert.deepEqual(found, [
    "deleted /a/empty ",
    "deleted /a/one ",
    "added  /c/none",
    "renamed /a/two /c/two",
  ]);
});

test("equal directories are not read", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "--quiet");
  for (let directory = 0; directory < 100; directory++) {
    mkdirSync(join(folder, `${directory}`));
    for (let file = 0; file < 50; file++)
      writeFileSync(join(folder, `${directory}/${file}`), `${directory} ${file}\n`);
  }
  const old = commitAll(folder, "old");
  for (const path of ["3/4", "50/0", "99/49"]) writeFileSync(join(folder, path), "changed\n");
  const young = commitAll(folder, "young");
  const [before, after] = [await imageOf(t, folder, old), await imageOf(t, folder, young)];
  const start = before.stats().inflatedBytes;
  let count = 0;
  for await (const _ of compare(before, after)) count++;
  assert.equal(count, 3);
  // The root's tree and those of three directories: 37 bytes an entry at the most.
  assert.ok(before.stats().inflatedBytes - start < 37 * (100 + 3 * 50));
});

/** An image of two to the power of `depth` files, all of one content. */
function bomb(text: string, depth: number): Promise<Volume> {
  const image = new CraftedImage();
  let tree = image.tree(treeEntry("100644", "f", image.object("blob", text).oid));
  for (let level = 0; level < depth; level++)
    tree = image.tree(treeEntry("40000", "a", tree.oid), treeEntry("40000", "b", tree.oid));
  image.commit(tree.oid);
  return open(image.finish().bytes);
}

test("more changes than renameLimit come as without renames", async () => {
  const before = await open((await makeImage({ "a/one": "1", "a/two": "2", gone: "3" })).image);
  const after = await open((await makeImage({ "b/one": "1", "b/two": "2", gone: "4" })).image);
  const all = async (options: CompareOptions): Promise<[string[], string[]]> => {
    const notices: string[] = [];
    const found: string[] = [];
    const given = { ...options, onNotice: (text: string) => notices.push(text) };
    for await (const { status, before: old, after: young } of compare(before, after, "/", given))
      found.push(`${status} ${old?.path} ${young?.path}`);
    return [found, notices];
  };
  const [plain] = await all({ renames: false });
  assert.equal(plain.length, 5);
  for (const renameLimit of [0, 3, 4])
    assert.deepEqual(await all({ renameLimit }), [
      plain,
      [`there are more than ${renameLimit} changes: renames are not looked for`],
    ]);
  const [renamed, silence] = await all({ renameLimit: 5 });
  assert.equal(renamed.filter((line) => line.startsWith("renamed")).length, 2);
  assert.deepEqual(silence, []);
});

test("trees that hold each other many times over are compared in bounded memory", {
  timeout: 120_000,
}, async () => {
  const [before, after] = [await bomb("old", 40), await bomb("young", 40)];
  let count = 0;
  for await (const { status } of compare(before, after, "/", { renameLimit: 1000 })) {
    assert.equal(status, "modified");
    if (++count === 3000) break;
  }
  assert.equal(count, 3000);
});

test("a long --stat ends in sums of all files", () => {
  const stat = new Stat(2);
  const entry = (path: string): Entry => ({ path, pathBytes: Buffer.from(path) }) as unknown as Entry;
  for (const [index, path] of ["/a", "/long", "/c"].entries())
    stat.add({ status: "added", before: undefined, after: entry(path) }, {
      added: index + 1,
      deleted: 0,
      isBinary: false,
      oldSize: 0,
      newSize: 1,
    } as LineChange);
  assert.equal(stat.text(), " a    | 1 +\n long | 2 ++\n ...\n 3 files changed, 6 insertions(+)\n");
});

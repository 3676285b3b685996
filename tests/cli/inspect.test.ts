/** `docteur info`, `stat`, `tree`, `find`, and `cat` of several files: what they print, and their exit statuses. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur } from "../support/cli.js";
import { expectFailures, expectOutput, MODES_IMAGE } from "../support/command-failures.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { fixturePath } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import { temporaryFolder } from "../support/temporary.js";

const DELTA_IMAGE = fixturePath("delta.img");

/** An image of some files. */
async function imageOf(t: TestContext, files: Record<string, string>): Promise<string> {
  const top = temporaryFolder(t);
  const folder = join(top, "repository");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  symlinkSync("docs/a.md", join(folder, "link"));
  git(folder, "init", "-q");
  commitAll(folder, "Some files");
  const image = join(top, "image");
  assert.equal((await docteur(["make", folder, image])).status, 0);
  return image;
}

const FILES = {
  "docs/a.md": "0123456789",
  "docs/deep/b.md": "b",
  "docs/deep/c.txt": "c".repeat(2000),
  "docs/we\tird": "w",
  zero: "",
};

test("tree draws branches, and counts", async (t) => {
  const image = await imageOf(t, FILES);
  await expectOutput(
    ["tree", image],
    `/
├── docs
│   ├── a.md
│   ├── deep
│   │   ├── b.md
│   │   └── c.txt
│   └── "we\\tird"
├── link -> docs/a.md
└── zero

2 directories, 6 files
`,
  );
  await expectOutput(["tree", "-L1", "-d", image, "docs"], "/docs\n└── deep\n\n1 directory\n");
  await expectOutput(
    ["tree", "--human", "-P", "*.md", "-I", "link", image],
    `/
└── [       ]  docs
    ├── [   10 B]  a.md
    └── [       ]  deep
        └── [    1 B]  b.md

2 directories, 2 files
`,
  );
  await expectOutput(["tree", "-s", image, "zero"], "/zero\n\n0 directories, 1 file\n");
  const { stdout } = await docteur(["tree", "--json", "-L", "1", image]);
  const { path, children } = JSON.parse(stdout) as {
    path: string;
    children: { name: string; target?: string }[];
  };
  assert.deepEqual([path, children.map(({ name }) => name)], ["/", ["docs", "link", "zero"]]);
  assert.equal(children[1]!.target, "docs/a.md");
});

test("find tests names, paths, kinds and sizes", async (t) => {
  const image = await imageOf(t, FILES);
  const find = async (...args: string[]): Promise<string[]> => {
    const { stdout, stderr, status } = await docteur(["find", image, ...args]);
    assert.deepEqual([stderr, status], ["", 0]);
    return stdout.split("\n").slice(0, -1);
  };
  assert.deepEqual(await find("--name", "*.md"), ["/docs/a.md", "/docs/deep/b.md"]);
  assert.deepEqual(await find("--name", "*.md", "--name", "z*"), ["/docs/a.md", "/docs/deep/b.md", "/zero"]);
  assert.deepEqual(await find("--path", "docs/*.md"), ["/docs/a.md"]);
  assert.deepEqual(await find("--path", "**/{b,c}.*"), ["/docs/deep/b.md", "/docs/deep/c.txt"]);
  assert.deepEqual(await find("--regex", "[BC]\\.", "-i"), ["/docs/deep/b.md", "/docs/deep/c.txt"]);
  assert.deepEqual(await find("--kind", "dl"), ["/docs", "/docs/deep", "/link"]);
  assert.deepEqual(await find("--size=+1k"), ["/docs/deep/c.txt"]);
  assert.deepEqual(await find("--size=-2", "--size=+0"), ["/docs/deep/b.md", '"/docs/we\\tird"']);
  assert.deepEqual(await find("--size", "0", "--kind", "f"), ["/zero"]);
  assert.deepEqual(await find("--max-depth", "1"), ["/docs", "/link", "/zero"]);
  assert.deepEqual(await find("docs/deep", "--max-depth", "0"), []);
  assert.deepEqual(await find("zero"), ["/zero"]);
  const { stdout } = await docteur(["find", image, "-z", "--name", "we*"]);
  assert.equal(stdout, "/docs/we\tird\0");
  const json = JSON.parse((await docteur(["find", image, "--json", "--name", "b.md"])).stdout) as object[];
  assert.deepEqual(json.length, 1);
  const long = await docteur(["find", image, "--kind", "f", "-l"]);
  const listed = await docteur(["ls", "-lr", image]);
  for (const line of long.stdout.split("\n")) assert.ok(listed.stdout.includes(line));
  assert.deepEqual(JSON.parse((await docteur(["find", image, "--json", "--name", "nothing"])).stdout), []);
});

test("cat prints several files, and parts of them", async (t) => {
  const image = await imageOf(t, FILES);
  await expectOutput(["cat", image, "docs/a.md", "zero", "docs/deep/b.md"], "0123456789b");
  await expectOutput(["cat", "--range", "2-4", image, "docs/a.md"], "234");
  await expectOutput(["cat", "--range", "8-", image, "docs/a.md", "docs/a.md"], "8989");
  await expectOutput(["cat", "--range=-3", image, "docs/a.md"], "789");
  await expectOutput(["cat", "--range=-99", image, "docs/a.md"], "0123456789");
  await expectOutput(["cat", "--range", "10-20", image, "docs/a.md"], "");
  await expectOutput(["cat", "-L", "--range=-1", image, "link"], "9");
  const { stdout, stderr, status } = await docteur(["cat", image, "docs/a.md", "gone", "docs/deep/b.md"]);
  assert.deepEqual([stdout, stderr, status], ["0123456789b", "docteur: gone not found\n", 1]);
});

test("stat tells what is known, and how it is stored", async (t) => {
  const image = await imageOf(t, FILES);
  await expectOutput(
    ["stat", image, "docs/a.md", "link"],
    `  path  /docs/a.md
  kind  file
  mode  100644
    id  ad471007bd7f5983d273b9584e5629230150fd54
  size  10 bytes
  date  2024-06-07T06:09:10Z

  path  /link -> docs/a.md
  kind  symlink
  mode  120000
    id  21b2998c147e54e1d6287d4e3b74c638cf0da2ef
  size  9 bytes
  date  2024-06-07T06:09:10Z
`,
  );
  const { stdout, stderr, status } = await docteur(["stat", image, "gone", "zero"]);
  assert.deepEqual([stderr, status], ["docteur: gone not found\n", 1]);
  assert.match(stdout, /path {2}\/zero/);
});

test("stat --packed and info agree with git verify-pack", async (t) => {
  const folder = join(temporaryFolder(t), "git");
  const parts = takeApart(readFileSync(DELTA_IMAGE));
  repositoryOf(parts, folder);
  const pack = `objects/pack/pack-${parts.pack.toString("hex", parts.pack.length - 20)}.idx`;
  const lines = git(folder, "verify-pack", "-v", pack).split("\n");
  const paths = (await docteur(["find", DELTA_IMAGE])).stdout.split("\n").slice(0, -1);
  const { stdout } = await docteur(["stat", "--packed", "--json", DELTA_IMAGE, "/", ...paths]);
  type Packed = { offset: number; packedBytes: number; depth: number; base?: string };
  const facts = JSON.parse(stdout) as { oid: string; packed: Packed }[];
  let deltas = 0;
  for (const { oid, packed } of facts) {
    const line = lines.find((one) => one.startsWith(oid))!;
    const [, , , size, offset, depth = "0", base] = line.split(/ +/);
    assert.deepEqual(
      { size: packed.packedBytes, offset: packed.offset - 28, depth: packed.depth, base: packed.base },
      { size: Number(size), offset: Number(offset), depth: Number(depth), base },
    );
    if (packed.depth > 0) deltas++;
  }
  assert.ok(deltas > 0);
  const info = JSON.parse((await docteur(["info", "--json", DELTA_IMAGE])).stdout) as {
    depths: number[];
    objects: Record<string, { count: number }>;
    layout: object;
  };
  const chains = lines.flatMap((line) => /^chain length = (\d+): (\d+) object/.exec(line)?.slice(1) ?? []);
  for (let index = 0; index < chains.length; index += 2)
    assert.equal(info.depths[Number(chains[index])], Number(chains[index + 1]));
  for (const kind of ["commit", "tree", "blob", "tag"])
    assert.equal(info.objects[`${kind}s`]!.count, lines.filter((line) => line.split(" ")[1] === kind).length);
  const { length } = parts.layout;
  assert.deepEqual(info.layout, {
    packOffset: 28,
    packBytes: parts.pack.length,
    idxOffset: parts.idxOffset,
    idxBytes: parts.idx.length,
    ...(length === 0 ? {} : { layoutOffset: statSync(DELTA_IMAGE).size - length }),
    layoutBytes: length,
  });
});

test("info tells the commit, counts and the largest", async (t) => {
  const image = await imageOf(t, FILES);
  const { stdout, stderr, status } = await docteur(["info", image]);
  assert.deepEqual([stderr, status], ["", 0]);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  const { size } = statSync(image);
  const { layout } = takeApart(readFileSync(image));
  assert.match(stdout, new RegExp(`layout section ${size - layout.length}-${size - 1}\n`));
  assert.match(stdout, /^content {6}2\.0 KB in 5 files, 2 directories, 1 link$/m);
  assert.match(stdout, /^author {7}A U Thor <author@example\.org>$/m);
  assert.match(stdout, /^Largest files\n {4}2\.0 KB {2}\/docs\/deep\/c\.txt\n {6}10 B {2}\/docs\/a\.md\n/m);
  assert.match(stdout, /^Largest directories\n {4}2\.0 KB {2}\/docs\n {4}2\.0 KB {2}\/docs\/deep\n/m);
  const quick = await docteur(["info", "--quick", "--json", image]);
  const facts = JSON.parse(quick.stdout) as Record<string, unknown>;
  assert.equal(facts.message, "Some files\n");
  assert.equal("pathCounts" in facts, false);
});

test("info counts trees that hold each other many times over, and shows hostile text as text", async (t) => {
  const image = new CraftedImage();
  const blob = image.object("blob", Buffer.from("12345"));
  let tree = image.tree(treeEntry("100644", "file", blob.oid));
  for (let depth = 0; depth < 60; depth++)
    tree = image.tree(treeEntry("40000", "a", tree.oid), treeEntry("40000", "b", tree.oid));
  image.commit(tree.oid);
  const path = join(temporaryFolder(t), "image");
  writeFileSync(path, image.finish().bytes);
  const { stdout, status } = await docteur(["info", "--json", "--top", "3", path]);
  assert.equal(status, 0);
  const facts = JSON.parse(stdout) as {
    pathCounts: { files: string };
    contentBytes: string;
    largestFiles: object[];
  };
  assert.deepEqual(
    [facts.pathCounts.files, facts.contentBytes, facts.largestFiles.length],
    ["2^53 or more", "2^53 or more", 3],
  );
  const found = await docteur(["grep", "-q", "345", path]);
  assert.deepEqual([found.status, found.stdout], [0, ""]);
  const missing = await docteur(["grep", "-c", "no such line", path]);
  assert.deepEqual([missing.status, missing.stdout], [1, ""]);
});

test("wrong arguments", () =>
  expectFailures([
    [
      ["cat", "--range", "5-4", MODES_IMAGE, "/a"],
      16,
      "docteur: --range takes a part of a file: 5-4",
      "hint: 0-99, 100- or =-100, as HTTP has it",
    ],
    [["cat", MODES_IMAGE], 16, "docteur: PATH is missing", "hint: docteur cat --help says more"],
    [["find", "--kind", "q", MODES_IMAGE], 16, "docteur: no such kind: q", "hint: did you mean f?"],
    [
      ["find", "--size", "big", MODES_IMAGE],
      16,
      "docteur: --size takes a size: big",
      "hint: a size is a number of bytes: 100, +64k, -1M",
    ],
    [["find", MODES_IMAGE, "/gone"], 1, "docteur: /gone not found"],
    [["tree", MODES_IMAGE, "/gone"], 1, "docteur: /gone not found"],
    [
      ["info", "--quick", "--full", MODES_IMAGE],
      16,
      "docteur: --quick and --full exclude each other",
      "hint: docteur info --help says more",
    ],
    [
      ["grep", "foo", MODES_IMAGE, "/gone"],
      16,
      "docteur: /gone not found",
      "hint: docteur grep --help says more",
    ],
    [
      ["grep", "-l", "-c", "foo", MODES_IMAGE],
      16,
      "docteur: --files-with-matches and --count exclude each other",
      "hint: docteur grep --help says more",
    ],
  ]));

/** `docteur ls` and `cat`: what they print, of sound images and with proof. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FIELD } from "../../src/layout/format.js";
import { makeImage } from "../../src/make/index.js";
import { docteur } from "../support/cli.js";
import { expectFailures, expectOutput, MODES_IMAGE, more } from "../support/command-failures.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { fixtureLines, fixturePath, gitOid } from "../support/fixtures.js";
import { Section } from "../support/layout-section.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

test("cat and ls of a damaged object end with 4", async (t) => {
  const path = join(temporaryFolder(t), "image");
  const image = new CraftedImage();
  const { oid } = image.raw("a".repeat(40), Buffer.from([0x35, 0x78, 0x9d, 0, 0, 0, 0, 0, 0, 0]));
  image.commit(image.tree(treeEntry("100644", "bad", oid), treeEntry("100644", "gone", "b".repeat(40))).oid);
  writeFileSync(path, image.finish().bytes);
  await expectFailures([
    [["cat", path, "/bad"], 4, "docteur: an object's zlib header is damaged (at offset 40)"],
    [["cat", path, "/gone"], 4, `docteur: an object is not in the image: ${"b".repeat(40)}`],
    [["ls", "-l", path], 4, `docteur: an object is not in the image: ${"b".repeat(40)}`],
  ]);
  await expectOutput(["ls", path], "bad\ngone\n");
});

test("a layout section that is damaged, or of another version: a note, and the right content", async (t) => {
  const path = join(temporaryFolder(t), "image");
  const { image } = await makeImage({ "a/b.txt": "content\n" });
  const later = new Section(image);
  later.patchFooter((footer) => footer.setUint32(FIELD.version, 9, true));
  const damaged = new Section(image);
  damaged.page(damaged.pages - 1)[20]! ^= 1;
  for (const [bytes, what] of [
    [later.bytes, "of a version that this docteur does not read"],
    [damaged.bytes, "damaged"],
  ] as const) {
    writeFileSync(path, bytes);
    const stderr = `docteur: note: the image's layout section is ${what}: directories are read instead\n`;
    assert.deepEqual(await docteur(["cat", path, "a/b.txt"]), {
      status: 0,
      signal: null,
      stdout: "content\n",
      stderr,
    });
  }
});

test("ls", async () => {
  const names =
    ".config .hidden a a-b a.txt a0 bin dangling dir dirlink empty hello.txt link.txt " +
    "naïve_日本語.txt only-exec vendor with_space ü";
  const lines = names.split(" ").map((name) => name.replace("_", " "));
  await expectOutput(["ls", MODES_IMAGE], `${lines.join("\n")}\n`);
  await expectOutput(["ls", "-z", "--mode=fast", "--memory=2", MODES_IMAGE, "/"], `${lines.join("\0")}\0`);
  await expectOutput(["ls", MODES_IMAGE, "a/b/.."], "b\nsibling.txt\n");
  await expectOutput(["ls", MODES_IMAGE, "//hello.txt"], "hello.txt\n");
  await expectOutput(["ls", MODES_IMAGE, "dirlink"], "dirlink\n");
  await expectOutput(["ls", "-L", MODES_IMAGE, "dirlink"], "f\n");
  await expectOutput(["ls", "-rL", MODES_IMAGE, "dirlink"], "/dirlink/f\n");
  await expectOutput(["ls", "-r", MODES_IMAGE, "vendor"], "/vendor/sub\n");
  await expectOutput(
    ["ls", "-l", MODES_IMAGE, "vendor"],
    "160000 commit ae83c9c50ae822b4661085caa5eece32aa2dce0b       -\tsub\n",
  );
});

test("ls -lr prints the lines of git ls-tree -r -t -l, but for the slash and the order", async () => {
  const { stdout } = await docteur(["ls", "-l", "-r", "-z", "--mode=analyze", MODES_IMAGE]);
  const lines = stdout.split("\0").slice(0, -1);
  const withoutSizes = lines.map((line) => line.replace(/ +[0-9-]+\t\//, "\t"));
  assert.deepEqual(withoutSizes.sort(), fixtureLines("gitmodes.tree.txt").sort());
  assert.ok(lines.includes("100755 blob 4163036efa65bd4a469e752267498f01ea36a55c      18\t/bin/run.sh"));
  assert.ok(lines.includes("120000 blob a5162f80d4a6782b7cb2a0a197f834e683cb9eb1       9\t/link.txt"));
});

test("ls --json", async () => {
  const { stdout } = await docteur(["ls", "--json", "-r", MODES_IMAGE, "/vendor/.."]);
  const entries = JSON.parse(stdout) as { path: string }[];
  assert.equal(entries.length, fixtureLines("gitmodes.tree.txt").length);
  const of = (path: string): unknown => entries.find((entry) => entry.path === path);
  assert.deepEqual(of("/bin/run.sh"), {
    name: "run.sh",
    path: "/bin/run.sh",
    kind: "executable",
    oid: "4163036efa65bd4a469e752267498f01ea36a55c",
    size: 18,
    mode: "100755",
  });
  assert.deepEqual(of("/vendor/sub"), {
    name: "sub",
    path: "/vendor/sub",
    kind: "submodule",
    oid: "ae83c9c50ae822b4661085caa5eece32aa2dce0b",
    mode: "160000",
  });
  assert.deepEqual(of("/dir"), {
    name: "dir",
    path: "/dir",
    kind: "directory",
    oid: "8fecaa0af926d864d8e55f05104cabb500c3c239",
    mode: "040000",
  });
});

/** An image with a file of random bytes that no pipe holds, and its content. */
function large(t: TestContext): { path: string; content: Buffer } {
  const random = seeded(99);
  const noise = Buffer.from(Array.from({ length: 1 << 16 }, () => random(256)));
  const content = Buffer.concat([...Array<Buffer>(80).fill(noise), Buffer.from("end")]);
  const image = new CraftedImage();
  const oid = image.object("blob", content).oid;
  const empty = image.object("blob", "").oid;
  image.commit(image.tree(treeEntry("100644", "large", oid), treeEntry("100644", "\xff", empty)).oid);
  const path = join(temporaryFolder(t), "image");
  writeFileSync(path, image.finish().bytes);
  return { path, content };
}

test("cat prints bytes as they are", async (t) => {
  const { path, content } = large(t);
  const blob = Buffer.from((await docteur(["cat", path, "large"], { encoding: "latin1" })).stdout, "latin1");
  assert.equal(gitOid("blob", blob), gitOid("blob", content));
  assert.ok(blob.includes(0));
  await expectOutput(["cat", MODES_IMAGE, "/link.txt"], "hello.txt");
  await expectOutput(["cat", "-L", MODES_IMAGE, "/link.txt"], "Hello from the fixture.\n");
  await expectOutput(["cat", "--follow", "--mode=analyze", "--bs=4096", MODES_IMAGE, "dirlink/f"], "f\n");
  const exact = await docteur(["cat", fixturePath("aligned.img"), "/r.bin"], { encoding: "latin1" });
  assert.equal(
    gitOid("blob", Buffer.from(exact.stdout, "latin1")),
    fixtureLines("aligned.blobs.txt")[0]!.slice(0, 40),
  );
});

test("ls prints names that are not UTF-8 in quotes, and with -z as they are", async (t) => {
  const { path } = large(t);
  assert.equal((await docteur(["ls", path])).stdout, 'large\n"\\377"\n');
  assert.equal((await docteur(["ls", "-z", path], { encoding: "latin1" })).stdout, "large\0\xff\0");
});

test("the reader of the output may stop at any time", async (t) => {
  const { path } = large(t);
  const onStart = (child: import("node:child_process").ChildProcess): void => {
    child.stdout!.once("data", () => child.stdout!.destroy());
  };
  const { status, signal, stderr } = await docteur(["cat", path, "/large"], { onStart });
  assert.deepEqual([status, signal, stderr], [141, null, ""]);
});

test("ls and cat with proof", async () => {
  const commit = readFileSync(MODES_IMAGE).toString("hex", 0, 20);
  const other = "01".repeat(20);
  const { stdout } = await docteur(["cat", MODES_IMAGE, "/hello.txt"]);
  for (const options of [
    ["--proof=none"],
    ["--proof=crc"],
    ["--proof=oid"],
    ["--collisions"],
    ["--commit", commit],
    ["--commit", commit, "--proof=crc"],
  ])
    await expectOutput(["cat", ...options, MODES_IMAGE, "/hello.txt"], stdout);
  await expectFailures([
    [["ls", "--commit", other, MODES_IMAGE], 4, `docteur: the image is of another commit: ${commit}`],
    [
      ["ls", "--commit", "main", MODES_IMAGE],
      16,
      "docteur: not a commit's id: main",
      "hint: 40 hexadecimal digits",
    ],
    [
      ["cat", "--proof", "sha1", MODES_IMAGE, "/hello.txt"],
      16,
      "docteur: no such proof: sha1",
      "hint: there is none, crc, oid",
    ],
    [
      ["cat", "--proof=crc", "--collisions", MODES_IMAGE, "/hello.txt"],
      16,
      "docteur: --collisions goes with --proof oid, not crc",
      more("cat"),
    ],
  ]);
});

test("a file whose bytes are not those of its id", async (context) => {
  const image = new CraftedImage();
  const placed = image.object("blob", "wrong\n", gitOid("blob", Buffer.from("right\n")));
  const tree = image.tree(treeEntry("100644", "f", placed.oid));
  image.commit(tree.oid);
  const path = join(temporaryFolder(context), "wrong.img");
  writeFileSync(path, image.finish().bytes);
  await expectOutput(["cat", path, "/f"], "wrong\n");
  await expectOutput(["ls", "--proof=oid", path], "f\n");
  await expectFailures([
    [
      ["cat", "--proof=oid", path, "/f"],
      4,
      `docteur: an object does not match its id: ${placed.oid} (at offset ${28 + placed.offset})`,
    ],
  ]);
});

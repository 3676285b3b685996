/** What `docteur verify` prints: commits of all kinds, byte for byte, and what is damaged. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur } from "../support/cli.js";
import { expectOutput, MODES_IMAGE, printed } from "../support/command-failures.js";
import { CraftedImage, OK_TEXT, treeEntry } from "../support/crafted-image.js";
import { fixture, fixturePath } from "../support/fixtures.js";
import { takeApart } from "../support/image.js";
import { temporaryFolder } from "../support/temporary.js";

test("verify prints what docteur 0.0.7 prints, byte for byte", async () => {
  const names = ["tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes"];
  // docteur itself fails on packs of ref-deltas; this one holds the same commit as gitdelta's.
  const pairs = [...names.map((name) => [name, name]), ["refdelta", "gitdelta"]] as [string, string][];
  await Promise.all(
    pairs.map(async ([image, text]) => {
      const expected = readFileSync(fixturePath(`${text}.verify.txt`), "latin1");
      const result = await docteur(["verify", fixturePath(`${image}.img`)], { encoding: "latin1" });
      assert.deepEqual(result, printed(expected), image);
    }),
  );
});

test("verify --quiet, --json and --bs", async () => {
  await expectOutput(["verify", "-q", fixturePath("tiny.img")], "");
  await expectOutput(["verify", "--quiet", "--json", fixturePath("tiny.img")], "");
  const { stdout } = await docteur(["verify", "--json", "--bs=4096", MODES_IMAGE]);
  const person = {
    name: "Fixture Maker",
    email: "f@example.org",
    date: "2024-06-07T06:09:10Z",
    zone: "+02:00",
  };
  assert.deepEqual(JSON.parse(stdout), {
    schema: 2,
    image: MODES_IMAGE,
    status: "sound",
    checks: "full",
    commit: "00e8a1dcde12e7b9b9e6a16b48d3edb07c1929a9",
    tree: "25b59fa9d29f92b836c754ed2ae6f10383dc5d0c",
    author: person,
    committer: person,
    message: "fixture gitmodes: exec, links, submodule\n",
    objectCount: 31,
    deltaCount: 0,
    unreachableCount: 0,
    objects: {
      commits: { count: 1, deltaCount: 0, packedBytes: 143 },
      trees: { count: 12, deltaCount: 0, packedBytes: 1107 },
      blobs: { count: 18, deltaCount: 0, packedBytes: 316 },
      tags: { count: 0, deltaCount: 0, packedBytes: 0 },
    },
    pathCounts: { directories: 11, files: 14, executables: 2, symlinks: 3, submodules: 1 },
    imageBytes: 4096,
    packBytes: 1598,
    idxBytes: 1940,
    layoutBytes: 0,
    objectBytes: 1399,
    contentBytes: 150,
    findings: [],
    truncated: false,
  });
  const { stdout: tiny } = await docteur(["verify", "--json", fixturePath("tiny.img")]);
  assert.equal(JSON.parse(tiny).message, "");
});

/** A file that holds an image of one file and a commit of this text. */
function committed(
  t: TestContext,
  text: (tree: string) => Buffer,
): { path: string; commit: string; tree: string } {
  const image = new CraftedImage();
  const tree = image.tree(treeEntry("100644", "ok", image.object("blob", OK_TEXT).oid)).oid;
  const commit = image.head(image.object("commit", text(tree))).oid;
  const path = join(temporaryFolder(t), "image");
  writeFileSync(path, image.finish().bytes);
  return { path, commit, tree };
}

test("authors and messages of all kinds", async (t) => {
  const cases: [author: string, printedAs: string, rest: string, message: string][] = [
    [' "A" \\ B <a@b>', '"\\"A\\" \\\\ B" <a@b>', "\n\nsubject\n", "\nsubject\n"],
    [
      " Zo\xc3\xab \x01\x08\t\r\x7f <z@\xff>",
      '"Zo\\195\\171 \\001\\b\\t\\r\\127" <z@\xff>',
      "\n\n\xff\0\n",
      "\n\xff\0\n",
    ],
    [" <a@b>", '"" <a@b>', "\n\nno line feed", "\nno line feed"],
    [" A  <>", '"A " <>', "\n\n", "\n"],
    [" A <a@b> <c@d>", '"A" <a@b> <c@d>', "\n\nm\n", "\nm\n"],
    [" A<a@b>", '"A" <a@b>', "\n", ""],
    [" A <a@b>", '"A" <a@b>', "\ngpgsig x\n author B <b@c> 1 +0000\n\nm\n", "\nm\n"],
    [" A <a@b>", '"A" <a@b>', "\n\nfirst\n\nsecond\n\n\nthird\n\n", "\nfirst\n\nsecond\n\n\nthird\n\n"],
  ];
  await Promise.all(
    cases.map(async ([author, printedAs, rest, message]) => {
      const text = (tree: string): Buffer =>
        Buffer.from(`tree ${tree}\nauthor${author} 1 +0000\ncommitter X <x@y> 2 +0000${rest}`, "latin1");
      const { path, commit, tree } = committed(t, text);
      const expected = `commit\t: ${commit}\nauthor\t: ${printedAs}\nroot\t: ${tree}\n${message}\n`;
      assert.deepEqual(await docteur(["verify", path], { encoding: "latin1" }), printed(expected));
    }),
  );
});

test("verify names what is damaged, and where", async (t) => {
  const work = temporaryFolder(t);
  const image = fixture("tiny.img");
  const { pack, idxOffset: idx } = takeApart(Buffer.from(image));
  const packEnd = 28 + pack.length;
  const commit = Buffer.from(image.subarray(0, 20)).toString("hex");
  const other = `${commit.slice(0, 38)}${(Number.parseInt(commit.slice(38), 16) ^ 1).toString(16).padStart(2, "0")}`;
  const last = idx + 8 + 1024 + 21 * 28;
  const cases: [at: number, mask: number, message: string][] = [
    [19, 1, `an object is not in the image: ${other}`],
    [27, 1, "the image ends too early"],
    [28, 1, "not a docteur image: no valid PACK header"],
    [35, 0x10, "not a docteur image: no valid PACK header"],
    [40, image[40]! & 0x70, "an object's header is damaged (at offset 40)"],
    [packEnd - 1, 1, `the PACK does not match its checksum (at offset ${packEnd - 20})`],
    [packEnd, 1, `something stands between the PACK and the index (at offset ${packEnd})`],
    [idx - 1, 1, `something stands between the PACK and the index (at offset ${idx - 1})`],
    [idx, 1, `the index (IDX) is damaged: its header is wrong (at offset ${idx})`],
    [idx + 8 + 403, 1, `the index (IDX) is damaged: its fanout entry 100 is wrong (at offset ${idx + 411})`],
    [idx + 1032, 1, `the index (IDX) is damaged: its object id 0 is wrong (at offset ${idx + 1032})`],
    [
      idx + 1032 + 421,
      1,
      `the index (IDX) is damaged: its CRC-32 of object 0 is wrong (at offset ${idx + 1453})`,
    ],
    [last - 1, 1, `the index (IDX) is damaged: its offset of object 20 is wrong (at offset ${last - 1})`],
    [last, 1, `the index (IDX) is damaged: its copy of the PACK's checksum is wrong (at offset ${last})`],
    [last + 39, 1, `the index (IDX) is damaged: its own checksum is wrong (at offset ${last + 39})`],
  ];
  await Promise.all(
    cases.map(async ([at, mask, message]) => {
      const damaged = image.slice();
      damaged[at]! ^= mask;
      const path = join(work, `${at}`);
      writeFileSync(path, damaged);
      const { stdout, stderr, status } = await docteur(["verify", path]);
      assert.equal(stderr.split("\n")[0], `docteur: ${message}`);
      assert.deepEqual([stdout, status], ["", 4], message);
    }),
  );
  const beyond = image.slice();
  beyond[last + 40]! = 1;
  writeFileSync(join(work, "padding"), beyond);
  await expectOutput(["verify", "-q", join(work, "padding")], "");
});

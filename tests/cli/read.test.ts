/** `docteur verify`, `ls` and `cat` as their users meet them: what they print, and with which status they end. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur, type RunResult } from "../support/cli.js";
import { CraftedImage, OK_TEXT, treeEntry } from "../support/crafted-image.js";
import { fixture, fixtureLines, fixturePath, gitOid } from "../support/fixtures.js";
import { takeApart } from "../support/image.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const more = (name: string): string => `hint: docteur ${name} --help says more`;
const BLOCK_HINT = "hint: a block size (--bs) is a power of two, at least 512";
const CUT_HINT = "hint: the image was cut short, or it is not a docteur image";
const MODES_IMAGE = fixturePath("gitmodes.img");

/** Commands, each with the status that it ends with and the lines of its standard error. */
async function expectFailures(
  cases: readonly [args: string[], status: number, ...lines: string[]][],
): Promise<void> {
  await Promise.all(
    cases.map(async ([args, status, ...lines]) => {
      const result = await docteur(args);
      const where = args.join(" ");
      assert.equal(result.stderr, lines.map((line) => `${line}\n`).join(""), where);
      assert.equal(result.stdout, "", where);
      assert.deepEqual([result.status, result.signal], [status, null], where);
    }),
  );
}

function printed(stdout: string): RunResult {
  return { status: 0, signal: null, stdout, stderr: "" };
}

/** Runs a command that must print this and nothing else. */
async function expectOutput(args: string[], stdout: string): Promise<void> {
  assert.deepEqual(await docteur(args), printed(stdout), args.join(" "));
}

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
  assert.deepEqual(JSON.parse(stdout), {
    schema: 1,
    image: MODES_IMAGE,
    status: "sound",
    depth: "full",
    commit: "00e8a1dcde12e7b9b9e6a16b48d3edb07c1929a9",
    tree: "25b59fa9d29f92b836c754ed2ae6f10383dc5d0c",
    author: { name: "Fixture Maker", email: "f@example.org" },
    date: "2024-06-07T08:09:10+02:00",
    message: "fixture gitmodes: exec, links, submodule\n",
    counts: {
      objects: 31,
      commits: 1,
      trees: 12,
      blobs: 18,
      tags: 0,
      deltas: 0,
      directories: 11,
      files: 14,
      executables: 2,
      symlinks: 3,
      submodules: 1,
      unreachable: 0,
    },
    sizes: { image: 4096, pack: 1598, idx: 1940, objects: 1399, files: 150 },
    findings: [],
    truncated: false,
  });
  const { stdout: tiny } = await docteur(["verify", "--json", fixturePath("tiny.img")]);
  assert.equal(JSON.parse(tiny).message, null);
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

test("arguments that make no sense", () =>
  expectFailures([
    [["verify"], 16, "docteur: IMAGE is missing", more("verify")],
    [["verify", "--fast", "a"], 16, "docteur: unknown option --fast", more("verify")],
    [["verify", "--bs", "100", "a"], 16, "docteur: not a block size: 100", BLOCK_HINT],
    [["ls", "a", "b", "c"], 16, "docteur: one argument too many: c", more("ls")],
    [["ls", "-x", "a"], 16, "docteur: unknown option -x", more("ls")],
    [["cat", "a"], 16, "docteur: PATH is missing", more("cat")],
    [["cat", "--bs", "1.5e3", "a", "b"], 16, "docteur: not a block size: 1.5e3", BLOCK_HINT],
    [
      ["cat", "--mode", "slow", "a", "b"],
      16,
      "docteur: no such mode: slow",
      "hint: there is light, fast, analyze",
    ],
    [["cat", "--mode=fast", "--mode=fast", "a", "b"], 16, "docteur: --mode is given twice", more("cat")],
    [
      ["cat", "--memory", "1", "a", "b"],
      16,
      "docteur: not a size of memory: 1",
      "hint: a size (--memory) is from 2M to 4095M, as in 64M or 1G",
    ],
    [
      ["cat", "--memory", "4096", "a", "b"],
      16,
      "docteur: not a size of memory: 4096",
      "hint: a size (--memory) is from 2M to 4095M, as in 64M or 1G",
    ],
  ]));

test("images that cannot be read, or are none", (t) => {
  const work = temporaryFolder(t);
  const [empty, text, cut] = ["empty", "text", "cut"].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(empty, "");
  writeFileSync(text, "no image\n");
  writeFileSync(cut, fixture("tiny.img").subarray(0, 3000));
  const noImage = join(work, "zeros");
  writeFileSync(noImage, Buffer.alloc(4096));
  const none = join(work, "none");
  const blocks = (path: string, length: number): string =>
    `docteur: ${path} is ${length} bytes long, which is no whole number of 512-byte blocks`;
  const open = "docteur: Could not open block device:";
  return expectFailures(
    (["verify", "cat"] as const).flatMap((name) => {
      const args = (path: string): string[] => (name === "cat" ? [name, path, "/x"] : [name, path]);
      return [
        [args(none), 8, `${open} ${none}: no such file or directory`],
        [args(work), 8, `${open} ${work}: is a directory`],
        [args(empty), 4, blocks(empty, 0), CUT_HINT],
        [args(text), 4, blocks(text, 9), CUT_HINT],
        [args(cut), 4, blocks(cut, 3000), CUT_HINT],
        [args(noImage), 4, "docteur: not a docteur image: no valid PACK header"],
      ] as [string[], number, ...string[]][];
    }),
  );
});

test("an image of whole blocks that is not of whole blocks of that size", () =>
  expectFailures([
    [
      ["verify", "--bs=1024", fixturePath("tiny.img")],
      4,
      `docteur: ${fixturePath("tiny.img")} is 3584 bytes long, which is no whole number of 1024-byte blocks`,
      CUT_HINT,
    ],
  ]));

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

test("paths that lead nowhere, or elsewhere", () =>
  expectFailures([
    [["cat", MODES_IMAGE, "/nope"], 1, "docteur: /nope not found"],
    [["cat", MODES_IMAGE, "hello.txt/x"], 1, "docteur: hello.txt/x not found"],
    [["cat", MODES_IMAGE, "/"], 1, "docteur: / is a directory"],
    [["cat", "-L", MODES_IMAGE, "/dirlink"], 1, "docteur: /dirlink is a directory"],
    [
      ["cat", "-L", MODES_IMAGE, "/dangling"],
      1,
      "docteur: /dangling not found: /dangling is a symbolic link to nowhere, which is not in the image",
    ],
    [
      ["cat", MODES_IMAGE, "/vendor/sub"],
      1,
      "docteur: /vendor/sub is in a submodule, whose content the image does not hold",
    ],
    [["cat", MODES_IMAGE, "x".repeat(5000)], 1, `docteur: ${"x".repeat(5000)}: path too long`],
    [
      ["ls", "-L", MODES_IMAGE, "/dangling"],
      1,
      "docteur: /dangling not found: /dangling is a symbolic link to nowhere, which is not in the image",
    ],
    [
      ["ls", MODES_IMAGE, "/vendor/sub/x"],
      1,
      "docteur: /vendor/sub/x is in a submodule, whose content the image does not hold",
    ],
  ]));

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

test("not found through a symbolic link: the message says which link, and whether it was followed", async (t) => {
  const image = new CraftedImage();
  const link = (target: string): string => image.object("blob", Buffer.from(target, "latin1")).oid;
  const inner = image.tree(
    treeEntry("120000", "gone", link("../missing")),
    treeEntry("120000", "out", link("/a/up")),
  );
  image.commit(
    image.tree(
      treeEntry("40000", "a", inner.oid),
      treeEntry("120000", "b", link("a")),
      treeEntry("120000", "caf\xe9", link("/n\xefche")),
      treeEntry("120000", "self", link("self")),
    ).oid,
  );
  const path = join(temporaryFolder(t), "links.img");
  writeFileSync(path, image.finish().bytes);
  const leads = (from: string, to: string): string =>
    `${from} is a symbolic link to ${to}, which is not in the image`;
  await expectFailures([
    [["cat", "-L", path, "/a/gone"], 1, `docteur: /a/gone not found: ${leads("/a/gone", "../missing")}`],
    [["cat", "-L", path, "b/gone"], 1, `docteur: b/gone not found: ${leads("/a/gone", "../missing")}`],
    [["ls", "-L", path, "/b/gone/x"], 1, `docteur: /b/gone/x not found: ${leads("/a/gone", "../missing")}`],
    [["cat", "-L", path, "/b/out"], 1, `docteur: /b/out not found: ${leads("/a/out", "/a/up")}`],
    [
      ["cat", "-L", path, '"/caf\\351"'],
      1,
      `docteur: "/caf\\351" not found: ${leads('"/caf\\351"', '"/n\\357che"')}`,
    ],
    // The link leads somewhere: it is what comes behind it that is not there.
    [["cat", "-L", path, "/b/none"], 1, "docteur: /b/none not found"],
    [["cat", path, "/b/none"], 1, "docteur: /b/none not found", "hint: /b is a symbolic link; -L follows it"],
    [["cat", path, "/a/none"], 1, "docteur: /a/none not found"],
  ]);
});

test("misspelt subcommands, options and words: the nearest is suggested", () =>
  expectFailures([
    [["chekcsum", "a"], 16, "docteur: no such subcommand: chekcsum", "hint: did you mean checksum?"],
    [
      ["extract", "a"],
      16,
      "docteur: no such subcommand: extract",
      "hint: there is make, verify, checksum, ls, cat, push, pull",
    ],
    [["LS", "a"], 16, "docteur: no such subcommand: LS", "hint: did you mean ls?"],
    [["help", "veryfi"], 16, "docteur: no such subcommand: veryfi", "hint: did you mean verify?"],
    [["--versoin"], 16, "docteur: unknown option --versoin", "hint: docteur --help says more"],
    [
      ["ls", "--recusrive", "a"],
      16,
      "docteur: unknown option --recusrive",
      "hint: did you mean --recursive?",
    ],
    [
      ["make", "--exlcude=x", "a", "b"],
      16,
      "docteur: unknown option --exlcude",
      "hint: did you mean --exclude?",
    ],
    [["cat", "--mode", "lihgt", "a", "b"], 16, "docteur: no such mode: lihgt", "hint: did you mean light?"],
    [["cat", "--long=3", "a", "b"], 16, "docteur: unknown option --long", more("cat")],
    [["ls", "--long=3", "a"], 16, "docteur: --long takes no value", more("ls")],
    [["ls", "--bs"], 16, "docteur: --bs needs a value", more("ls")],
    [
      ["ls", "--bs", "--json", "a"],
      16,
      "docteur: --bs needs a value",
      "hint: if --json is the value, write --bs=--json",
    ],
  ]));

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

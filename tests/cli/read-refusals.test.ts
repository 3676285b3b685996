/** Commands that read images: arguments that make no sense, images that are none, and paths that lead nowhere. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../tools/commands/table.js";
import { BLOCK_HINT, CUT_HINT, expectFailures, MODES_IMAGE, more } from "../support/command-failures.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { fixture, fixturePath } from "../support/fixtures.js";
import { temporaryFolder } from "../support/temporary.js";

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
        [
          args(work),
          8,
          `${open} ${work}: is a directory`,
          "hint: docteur make makes an image of a directory",
        ],
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
    [["cat", path, "/a/nothing"], 1, "docteur: /a/nothing not found"],
  ]);
});

test("not found: a name that is near is suggested, if there is a file of that path", async (t) => {
  const image = new CraftedImage();
  const { oid } = image.object("blob", Buffer.from("text"));
  const inner = image.tree(treeEntry("100644", "Guide.md", oid), treeEntry("100644", "caf\xe9.md", oid));
  image.commit(image.tree(treeEntry("40000", "manual", inner.oid)).oid);
  const path = join(temporaryFolder(t), "near.img");
  writeFileSync(path, image.finish().bytes);
  const near = (word: string): string => `hint: did you mean ${word}?`;
  await expectFailures([
    [["cat", path, "/manual/guide.md"], 1, "docteur: /manual/guide.md not found", near("/manual/Guide.md")],
    [["stat", path, "manaul/Guide.md"], 1, "docteur: manaul/Guide.md not found", near("/manual/Guide.md")],
    [
      ["cat", path, "/manual/cafe.md"],
      1,
      "docteur: /manual/cafe.md not found",
      near('"/manual/caf\\351.md"'),
    ],
    [["ls", path, "/man"], 1, "docteur: /man not found", near("/manual")],
    [["ls", path, "/man/other"], 1, "docteur: /man/other not found"],
    [["cat", path, "/manual/else"], 1, "docteur: /manual/else not found"],
  ]);
});

test("misspelt subcommands, options and words: the nearest is suggested", () =>
  expectFailures([
    [["chekcsum", "a"], 16, "docteur: no such subcommand: chekcsum", "hint: did you mean checksum?"],
    [
      ["frobnicate", "a"],
      16,
      "docteur: no such subcommand: frobnicate",
      `hint: there is ${Object.keys(COMMANDS).join(", ")}`,
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
    [["cat", "--unheard=3", "a", "b"], 16, "docteur: unknown option --unheard", more("cat")],
    [["ls", "--long=3", "a"], 16, "docteur: --long takes no value", more("ls")],
    [["ls", "--bs"], 16, "docteur: --bs needs a value", more("ls")],
    [
      ["ls", "--bs", "--json", "a"],
      16,
      "docteur: --bs needs a value",
      "hint: if --json is the value, write --bs=--json",
    ],
  ]));

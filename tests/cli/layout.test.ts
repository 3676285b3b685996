/** `docteur layout`, and `docteur make --no-layout`: output, exit statuses, and files that stay whole. */
import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { docteur } from "../support/cli.js";
import { expectFailures, expectOutput } from "../support/command-failures.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { fixturePath } from "../support/fixtures.js";
import { temporaryFolder } from "../support/temporary.js";

const ADD_HINT = "hint: docteur layout --add adds it";
const AGAIN_HINT = "hint: docteur layout --add makes the section again";
const VERIFY_HINT = "hint: docteur verify tells all that is wrong with the image";

test("make writes the section, --no-layout leaves it out, and layout adds, checks and strips it", async (t) => {
  const folder = temporaryFolder(t);
  const source = join(folder, "source");
  await docteur(["extract", fixturePath("modes.img"), "-C", source]);
  const [with_, without] = [join(folder, "with"), join(folder, "without")];
  const date = ["-d", "2024-06-07T08:09:10Z"];
  await expectOutput(["make", "-q", ...date, source, with_], "");
  await expectOutput(["make", "-q", "--no-layout", ...date, source, without], "");
  const [sectioned, bare] = [readFileSync(with_), readFileSync(without)];
  assert.ok(sectioned.length > bare.length);
  const added = await docteur(["layout", "--add", without]);
  assert.deepEqual([added.status, added.stdout], [0, ""]);
  assert.match(added.stderr, /without: a layout section of \d+ paths, 1\.5 KB\n$/);
  assert.deepEqual(readFileSync(without), sectioned);
  const checked = await docteur(["layout", "--check", without]);
  assert.match(checked.stderr, /1\.5 KB, as the objects give it\n$/);
  await expectOutput(["layout", "--strip", "-q", without], "");
  assert.deepEqual(readFileSync(without), bare);
  // Once more changes nothing.
  await expectOutput(["layout", "--strip", "-q", without], "");
  assert.deepEqual(readFileSync(without), bare);
});

test("a link to an image leads to it, permissions stay, and nothing else is left in the folder", async (t) => {
  const folder = temporaryFolder(t);
  const image = join(folder, "image");
  writeFileSync(image, readFileSync(fixturePath("tiny.img")));
  chmodSync(image, 0o640);
  symlinkSync("image", join(folder, "link"));
  await expectOutput(["layout", "--add", "-q", join(folder, "link")], "");
  assert.ok(lstatSync(join(folder, "link")).isSymbolicLink());
  assert.equal(statSync(image).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder).sort(), ["image", "link"]);
});

test("what cannot be done: the reason, the advice, the status; the file stays", async (t) => {
  const folder = temporaryFolder(t);
  const [tiny, cut, lacking, none] = ["tiny", "cut", "lacking", "none"].map((name) => join(folder, name));
  const bytes = readFileSync(fixturePath("tiny.img"));
  writeFileSync(tiny!, bytes);
  const image = new CraftedImage();
  image.commit(image.tree(treeEntry("100644", "f", "1".repeat(40))).oid);
  writeFileSync(lacking!, image.finish().bytes);
  writeFileSync(cut!, bytes);
  await expectOutput(["layout", "--add", "-q", cut!], "");
  const damaged = readFileSync(cut!);
  const page = damaged.length - 512 - 2 * 512;
  damaged[page + 20]! ^= 1;
  writeFileSync(cut!, damaged);
  await expectFailures([
    [
      ["layout", tiny!],
      16,
      "docteur: one of --add, --strip and --check is needed",
      "hint: docteur layout --add IMAGE",
    ],
    [
      ["layout", "--add", "--check", tiny!],
      16,
      "docteur: one of --add, --strip and --check is needed",
      "hint: docteur layout --add IMAGE",
    ],
    [["layout", "--check", tiny!], 4, "docteur: the image has no layout section", ADD_HINT],
    [
      ["layout", "--check", cut!],
      4,
      `docteur: the layout section is not as the objects give it (at offset ${page + 20})`,
      AGAIN_HINT,
    ],
    [
      ["layout", "--add", lacking!],
      4,
      `docteur: an object is not in the image: ${"1".repeat(40)}`,
      VERIFY_HINT,
    ],
  ]);
  const missing = await docteur(["layout", "--add", none!]);
  assert.deepEqual([missing.status, missing.stdout], [8, ""]);
  assert.deepEqual(readFileSync(tiny!), bytes);
  assert.deepEqual(readFileSync(cut!), damaged);
  assert.deepEqual(readdirSync(folder).sort(), ["cut", "lacking", "tiny"]);
});
